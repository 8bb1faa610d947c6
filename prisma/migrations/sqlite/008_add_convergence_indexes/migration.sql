-- Nodes: who runs which version. A cluster of many thousand nodes is counted, and searched for those that are behind,
-- without reading a row.
CREATE INDEX "idx_nodes_outdated" ON "nodes"("tenant_id", "cluster_id", "name", "running_config_version");
CREATE INDEX "idx_nodes_running_version" ON "nodes"("tenant_id", "cluster_id", "running_config_version", "name") WHERE certificate IS NOT NULL;
CREATE INDEX "idx_nodes_failing" ON "nodes"("tenant_id", "cluster_id", "running_config_version") WHERE last_error IS NOT NULL;
