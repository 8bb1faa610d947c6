-- Finds the nodes that stay for a time only, among many thousand, without reading the others.
CREATE INDEX "idx_nodes_ephemeral" ON "nodes"("id") WHERE (ephemeral_seconds IS NOT NULL);
