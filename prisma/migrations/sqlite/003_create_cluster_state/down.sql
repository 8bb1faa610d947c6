-- Takes back the table cluster_state and every row in it, the indexes before it.
DROP INDEX "idx_cluster_state_version";

DROP TABLE "cluster_state";
