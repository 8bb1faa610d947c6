-- Credentials: access tokens, enrollment keys and former tokens besides links and sessions. Each is a tenant's or an operator's.
-- SQLite adds no foreign key of two columns to a table that is there, so the table is made again.
CREATE TABLE "new_credentials" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "kind" TEXT NOT NULL, -- sign_in_link, session, access_token, enrollment_key, replaced_token
    "token_hash" TEXT NOT NULL, -- HMAC-SHA256, hex
    "role" TEXT, -- what its holder may do, null for what has no role of its own
    "name" TEXT NOT NULL, -- whose it is or what it is for, for messages
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" DATETIME, -- null: it stays until it is revoked
    "used_at" DATETIME, -- when a link was exchanged
    "tenant_id" TEXT, -- null: an operator's
    "cluster_id" TEXT, -- of an enrollment key, or of a cluster's former token
    "node_id" TEXT, -- of a node's former token
    "credential_id" TEXT, -- of an access token's former token
    "cluster_ids" JSONB, -- array of ids, null: all clusters of the tenant
    "scopes" JSONB, -- array of resource:action, null: all that the role may
    "groups" JSONB, -- array of strings: of nodes that enroll with the key
    "labels" JSONB, -- value by key: of nodes that enroll with the key
    "uses_allowed" INTEGER, -- null: without limit
    "use_count" INTEGER NOT NULL DEFAULT 0,
    "ephemeral_seconds" INTEGER, -- of nodes that enroll with the key, null: they stay
    "created_by" TEXT, -- as messages name them
    "last_used_at" DATETIME, -- to the minute
    "last_four" TEXT, -- of the token, so that people tell one from another

    CONSTRAINT "credentials_kind_check" CHECK ("kind" IN ('sign_in_link', 'session', 'access_token', 'enrollment_key', 'replaced_token')),
    CONSTRAINT "credentials_cluster_id_check" CHECK ("cluster_id" IS NULL OR "tenant_id" IS NOT NULL),
    CONSTRAINT "credentials_uses_allowed_check" CHECK ("uses_allowed" >= 1),
    CONSTRAINT "credentials_use_count_check" CHECK ("use_count" >= 0),
    CONSTRAINT "credentials_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "credentials_tenant_id_cluster_id_fkey" FOREIGN KEY ("tenant_id", "cluster_id") REFERENCES "clusters"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "credentials_node_id_fkey" FOREIGN KEY ("node_id") REFERENCES "nodes"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "credentials_credential_id_fkey" FOREIGN KEY ("credential_id") REFERENCES "credentials"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "new_credentials" ("id", "kind", "token_hash", "role", "name", "created_at", "expires_at", "used_at")
    SELECT "id", "kind", "token_hash", "role", "name", "created_at", "expires_at", "used_at" FROM "credentials";
DROP TABLE "credentials";
ALTER TABLE "new_credentials" RENAME TO "credentials";

CREATE UNIQUE INDEX "idx_credentials_token_hash" ON "credentials"("token_hash");
-- What is spent is removed from time to time.
CREATE INDEX "idx_credentials_expires" ON "credentials"("expires_at");
-- Lists, and the end of a tenant.
CREATE INDEX "idx_credentials_tenant" ON "credentials"("tenant_id", "name", "id");
-- The end of a cluster, of a node and of an access token.
CREATE INDEX "idx_credentials_cluster" ON "credentials"("tenant_id", "cluster_id") WHERE cluster_id IS NOT NULL;
CREATE INDEX "idx_credentials_node" ON "credentials"("node_id") WHERE node_id IS NOT NULL;
CREATE INDEX "idx_credentials_credential" ON "credentials"("credential_id") WHERE credential_id IS NOT NULL;
