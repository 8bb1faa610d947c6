-- Takes back the indexes.
DROP INDEX "idx_nodes_with_routes";
DROP INDEX "idx_nodes_described";
DROP INDEX "idx_nodes_fingerprint";
DROP INDEX "idx_nodes_cluster_by_expiry";
DROP INDEX "idx_nodes_by_expiry";
DROP INDEX "idx_nodes_cluster_by_version";
DROP INDEX "idx_nodes_by_version";
DROP INDEX "idx_nodes_cluster_by_address";
DROP INDEX "idx_nodes_by_address";
DROP INDEX "idx_nodes_cluster_by_created";
DROP INDEX "idx_nodes_by_created";
DROP INDEX "idx_nodes_by_name";
