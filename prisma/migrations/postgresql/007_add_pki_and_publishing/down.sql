-- Takes back the columns, the indexes before them.
DROP INDEX "nodes_tenant_id_cluster_id_overlay_ip_key";
CREATE UNIQUE INDEX "nodes_cluster_id_overlay_ip_key" ON "nodes"("cluster_id", "overlay_ip");
DROP INDEX "idx_nodes_public_key";
DROP INDEX "idx_clusters_ca_rotation";
DROP INDEX "idx_clusters_unpublished";

ALTER TABLE "nodes" DROP COLUMN "superseded_certificates";
ALTER TABLE "clusters" DROP COLUMN "pki_other_ca_key";
ALTER TABLE "clusters" DROP COLUMN "pki_other_ca_cert";
ALTER TABLE "clusters" DROP COLUMN "ca_rotation_started_at";
ALTER TABLE "clusters" DROP COLUMN "ca_rotation_version";
ALTER TABLE "clusters" DROP COLUMN "ca_rotation_phase";
ALTER TABLE "clusters" DROP COLUMN "pki_crl_expiries";
ALTER TABLE "clusters" DROP COLUMN "enroll_groups";
ALTER TABLE "clusters" DROP COLUMN "certificate_lifetime_days";
ALTER TABLE "clusters" DROP COLUMN "bundle_public_key";
ALTER TABLE "clusters" DROP COLUMN "bundle_signing_key";
ALTER TABLE "clusters" DROP COLUMN "pending_changes";
ALTER TABLE "clusters" DROP COLUMN "shared_config_version";
ALTER TABLE "clusters" DROP COLUMN "published_config_version";
