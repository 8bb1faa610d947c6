DROP INDEX "idx_nodes_ephemeral";
