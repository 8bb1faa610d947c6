-- Takes back the columns, the index before them.
DROP INDEX "idx_nodes_certificate_ends";

ALTER TABLE "clusters" DROP COLUMN "ca_rotation_automatic";
ALTER TABLE "clusters" DROP COLUMN "ca_rotation_started_by";
