-- Nodes: the machines of a cluster, with their place in the topology, their routes and their identity.
CREATE TABLE "nodes" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "cluster_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "is_admin" BOOLEAN NOT NULL DEFAULT false,
    "token_hash" TEXT NOT NULL, -- HMAC-SHA256 of the token, hex
    "mtu" INTEGER NOT NULL DEFAULT 1300, -- bytes
    "routes" JSONB NOT NULL, -- array of CIDR strings
    "routes_updated_at" TIMESTAMP(3),
    "is_lighthouse" BOOLEAN NOT NULL DEFAULT false,
    "lighthouse_public_ip" TEXT,
    "lighthouse_port" INTEGER,
    "is_relay" BOOLEAN NOT NULL DEFAULT false,
    "lighthouse_relay_updated_at" TIMESTAMP(3),
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "overlay_ip" TEXT NOT NULL,
    "groups" JSONB NOT NULL, -- array of strings
    "public_key" TEXT, -- X25519, PEM, null until the node sent it
    "certificate" TEXT,
    "certificate_fingerprint" TEXT,
    "certificate_expires_at" TIMESTAMP(3),
    "running_config_version" INTEGER,
    "last_seen_at" TIMESTAMP(3),
    "nebula_version" TEXT,
    "last_error" TEXT,

    CONSTRAINT "nodes_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "nodes_mtu_check" CHECK ("mtu" BETWEEN 1280 AND 9000),
    CONSTRAINT "nodes_lighthouse_port_check" CHECK ("lighthouse_port" BETWEEN 1 AND 65535),
    CONSTRAINT "nodes_lighthouse_public_ip_check" CHECK (NOT "is_lighthouse" OR "lighthouse_public_ip" IS NOT NULL),
    CONSTRAINT "nodes_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "nodes_tenant_id_cluster_id_fkey" FOREIGN KEY ("tenant_id", "cluster_id") REFERENCES "clusters"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- A node is looked up by the hash of its token.
CREATE UNIQUE INDEX "idx_nodes_token_hash" ON "nodes"("token_hash");
CREATE INDEX "idx_nodes_cluster" ON "nodes"("cluster_id");
CREATE INDEX "idx_nodes_tenant_cluster" ON "nodes"("tenant_id", "cluster_id");
-- Only the few rows that are lighthouses or relays are in these two.
CREATE INDEX "idx_nodes_lighthouse" ON "nodes"("cluster_id", "is_lighthouse") WHERE (is_lighthouse);
CREATE INDEX "idx_nodes_relay" ON "nodes"("cluster_id", "is_relay") WHERE (is_relay);
-- A name is unique within its cluster.
CREATE UNIQUE INDEX "nodes_tenant_id_cluster_id_name_key" ON "nodes"("tenant_id", "cluster_id", "name");
-- No two nodes of a cluster share an address in the overlay.
CREATE UNIQUE INDEX "nodes_cluster_id_overlay_ip_key" ON "nodes"("cluster_id", "overlay_ip");
