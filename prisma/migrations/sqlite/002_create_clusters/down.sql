-- Takes back the table clusters and every row in it, the indexes before it.
DROP INDEX "clusters_tenant_id_id_key";
DROP INDEX "clusters_tenant_id_name_key";
DROP INDEX "idx_clusters_version";
DROP INDEX "idx_clusters_tenant";
DROP INDEX "idx_clusters_token_hash";

DROP TABLE "clusters";
