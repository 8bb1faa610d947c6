-- Clusters: the Nebula networks of a tenant, each with its own CA and its own line of configuration versions.
CREATE TABLE "clusters" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "cluster_token_hash" TEXT NOT NULL, -- HMAC-SHA256 of the token, hex
    "provide_lighthouse" BOOLEAN NOT NULL DEFAULT false,
    "lighthouse_port" INTEGER NOT NULL DEFAULT 4242, -- UDP
    "config_version" INTEGER NOT NULL DEFAULT 1, -- the version that is wanted
    "pki_ca_cert" TEXT,
    "pki_ca_key" TEXT, -- sealed with AES-256-GCM
    "pki_crl" TEXT, -- fingerprints of revoked certificates, one a line
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "network_cidr" TEXT NOT NULL DEFAULT '10.42.0.0/16', -- the overlay network
    "next_overlay_ip" TEXT, -- no address below it is free
    "firewall" JSONB NOT NULL, -- Nebula's inbound and outbound rules
    "certificate_version" INTEGER NOT NULL DEFAULT 1, -- Nebula certificate format

    CONSTRAINT "clusters_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "clusters_lighthouse_port_check" CHECK ("lighthouse_port" BETWEEN 1 AND 65535),
    CONSTRAINT "clusters_config_version_check" CHECK ("config_version" >= 1),
    CONSTRAINT "clusters_certificate_version_check" CHECK ("certificate_version" IN (1, 2)),
    CONSTRAINT "clusters_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- An enrolling machine is looked up by the hash of its token.
CREATE UNIQUE INDEX "idx_clusters_token_hash" ON "clusters"("cluster_token_hash");
CREATE INDEX "idx_clusters_tenant" ON "clusters"("tenant_id");
CREATE INDEX "idx_clusters_version" ON "clusters"("config_version");
-- A name is unique within its tenant.
CREATE UNIQUE INDEX "clusters_tenant_id_name_key" ON "clusters"("tenant_id", "name");
-- What the composite foreign keys of nodes and config_bundles refer to: no row can name another tenant's cluster.
CREATE UNIQUE INDEX "clusters_tenant_id_id_key" ON "clusters"("tenant_id", "id");
