-- Clusters: whether the CA is replaced by itself before it ends, and who began the rotation that runs.
ALTER TABLE "clusters" ADD COLUMN "ca_rotation_started_by" TEXT; -- as messages name them
ALTER TABLE "clusters" ADD COLUMN "ca_rotation_automatic" BOOLEAN NOT NULL DEFAULT true CONSTRAINT "clusters_ca_rotation_automatic_check" CHECK ("ca_rotation_automatic" IN (0, 1));

-- Nodes: whose certificate ended or will. They are counted without reading the others' rows.
CREATE INDEX "idx_nodes_certificate_ends" ON "nodes"("tenant_id", "cluster_id", "certificate_expires_at") WHERE certificate IS NOT NULL;
