-- Takes back the table nodes and every row in it, the indexes before it.
DROP INDEX "nodes_cluster_id_overlay_ip_key";
DROP INDEX "nodes_tenant_id_cluster_id_name_key";
DROP INDEX "idx_nodes_relay";
DROP INDEX "idx_nodes_lighthouse";
DROP INDEX "idx_nodes_tenant_cluster";
DROP INDEX "idx_nodes_cluster";
DROP INDEX "idx_nodes_token_hash";

DROP TABLE "nodes";
