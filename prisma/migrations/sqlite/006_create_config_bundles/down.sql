-- Takes back the table config_bundles and every row in it, the indexes before it.
DROP INDEX "idx_config_bundles_cluster_version";
DROP INDEX "idx_config_bundles_cluster";

DROP TABLE "config_bundles";
