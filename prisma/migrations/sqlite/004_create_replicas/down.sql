-- Takes back the table replicas and every row in it, the indexes before it.
DROP INDEX "idx_replicas_one_master";
DROP INDEX "idx_replicas_last_seen";
DROP INDEX "idx_replicas_role";
DROP INDEX "idx_replicas_address";

DROP TABLE "replicas";
