-- Clusters: what certificates, compiled bundles and a rotation of the CA need.
ALTER TABLE "clusters" ADD COLUMN "published_config_version" INTEGER NOT NULL DEFAULT 0; -- the highest version that ever had a bundle
ALTER TABLE "clusters" ADD COLUMN "shared_config_version" INTEGER; -- the bundle whose config.yml is the shared configuration, NULL for Orrery's own
ALTER TABLE "clusters" ADD COLUMN "pending_changes" TEXT; -- what changed since the newest bundle, a line each
ALTER TABLE "clusters" ADD COLUMN "bundle_signing_key" TEXT; -- Ed25519, sealed with AES-256-GCM
ALTER TABLE "clusters" ADD COLUMN "bundle_public_key" TEXT; -- its public half, 32 bytes in base64
ALTER TABLE "clusters" ADD COLUMN "certificate_lifetime_days" INTEGER NOT NULL DEFAULT 30 CONSTRAINT "clusters_certificate_lifetime_days_check" CHECK ("certificate_lifetime_days" BETWEEN 1 AND 3650); -- of the nodes' certificates
ALTER TABLE "clusters" ADD COLUMN "enroll_groups" JSONB NOT NULL DEFAULT '[]'; -- groups that a machine may ask for when it enrols itself
ALTER TABLE "clusters" ADD COLUMN "pki_crl_expiries" JSONB NOT NULL DEFAULT '{}'; -- by fingerprint of pki_crl, when the certificate expires
ALTER TABLE "clusters" ADD COLUMN "ca_rotation_phase" TEXT CONSTRAINT "clusters_ca_rotation_phase_check" CHECK ("ca_rotation_phase" IN ('TRUST_BOTH', 'SIGN_AGAIN', 'DROP_OLD')); -- NULL while no rotation of the CA runs
ALTER TABLE "clusters" ADD COLUMN "ca_rotation_version" INTEGER; -- the config version that took the phase's step
ALTER TABLE "clusters" ADD COLUMN "ca_rotation_started_at" DATETIME;
ALTER TABLE "clusters" ADD COLUMN "pki_other_ca_cert" TEXT; -- the CA that is trusted beside pki_ca_cert while a rotation runs
ALTER TABLE "clusters" ADD COLUMN "pki_other_ca_key" TEXT; -- sealed with AES-256-GCM

-- Nodes: the certificates before the present one, which are valid still and must go with it when it is revoked.
ALTER TABLE "nodes" ADD COLUMN "superseded_certificates" JSONB NOT NULL DEFAULT '{}'; -- expiry by fingerprint

-- What was uploaded before is published.
UPDATE "clusters" SET "published_config_version" = coalesce(
    (SELECT max("version") FROM "config_bundles" WHERE "config_bundles"."cluster_id" = "clusters"."id"), 0);

-- The clusters that wait for a bundle, and those whose CA is being replaced: few of many.
CREATE INDEX "idx_clusters_unpublished" ON "clusters"("id") WHERE config_version > published_config_version;
CREATE INDEX "idx_clusters_ca_rotation" ON "clusters"("id") WHERE ca_rotation_phase IS NOT NULL;

-- Nodes: a public key is one node's of a cluster, as an address is. The tenant leads both indexes, as it leads every
-- look-up: without it, SQLite reads all nodes of the cluster to find one.
CREATE UNIQUE INDEX "idx_nodes_public_key" ON "nodes"("tenant_id", "cluster_id", "public_key");
DROP INDEX "nodes_cluster_id_overlay_ip_key";
CREATE UNIQUE INDEX "nodes_tenant_id_cluster_id_overlay_ip_key" ON "nodes"("tenant_id", "cluster_id", "overlay_ip");
