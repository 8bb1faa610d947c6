-- Config bundles: the published versions of a cluster's configuration.
CREATE TABLE "config_bundles" (
    "version" INTEGER NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "cluster_id" TEXT NOT NULL,
    "created_by" TEXT, -- null: not uploaded by a node, or the node is gone
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sha256" TEXT NOT NULL, -- of data, hex
    "size" INTEGER NOT NULL, -- of data, bytes
    "message" TEXT, -- what changed, and who changed it
    "data" BYTEA NOT NULL, -- tar.gz, last, so that reading the other columns never walks through its pages

    CONSTRAINT "config_bundles_pkey" PRIMARY KEY ("tenant_id","cluster_id","version"),
    CONSTRAINT "config_bundles_version_check" CHECK ("version" >= 1),
    CONSTRAINT "config_bundles_size_check" CHECK ("size" >= 0),
    CONSTRAINT "config_bundles_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "config_bundles_tenant_id_cluster_id_fkey" FOREIGN KEY ("tenant_id", "cluster_id") REFERENCES "clusters"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "config_bundles_created_by_fkey" FOREIGN KEY ("created_by") REFERENCES "nodes"("id") ON DELETE SET NULL ON UPDATE CASCADE
);

CREATE INDEX "idx_config_bundles_cluster" ON "config_bundles"("cluster_id");
-- The newest version first.
CREATE INDEX "idx_config_bundles_cluster_version" ON "config_bundles"("tenant_id", "cluster_id", "version" DESC);
