-- Credentials: access tokens, enrollment keys and former tokens besides links and sessions. Each is a tenant's or an operator's.
ALTER TABLE "credentials" ALTER COLUMN "role" DROP NOT NULL; -- null for what has no role of its own
ALTER TABLE "credentials" ALTER COLUMN "expires_at" DROP NOT NULL; -- null: it stays until it is revoked
ALTER TABLE "credentials" ADD COLUMN "tenant_id" TEXT; -- null: an operator's
ALTER TABLE "credentials" ADD COLUMN "cluster_id" TEXT; -- of an enrollment key, or of a cluster's former token
ALTER TABLE "credentials" ADD COLUMN "node_id" TEXT; -- of a node's former token
ALTER TABLE "credentials" ADD COLUMN "credential_id" TEXT; -- of an access token's former token
ALTER TABLE "credentials" ADD COLUMN "cluster_ids" JSONB; -- array of ids, null: all clusters of the tenant
ALTER TABLE "credentials" ADD COLUMN "scopes" JSONB; -- array of resource:action, null: all that the role may
ALTER TABLE "credentials" ADD COLUMN "groups" JSONB; -- array of strings: of nodes that enroll with the key
ALTER TABLE "credentials" ADD COLUMN "labels" JSONB; -- value by key: of nodes that enroll with the key
ALTER TABLE "credentials" ADD COLUMN "uses_allowed" INTEGER; -- null: without limit
ALTER TABLE "credentials" ADD COLUMN "use_count" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "credentials" ADD COLUMN "ephemeral_seconds" INTEGER; -- of nodes that enroll with the key, null: they stay
ALTER TABLE "credentials" ADD COLUMN "created_by" TEXT; -- as messages name them
ALTER TABLE "credentials" ADD COLUMN "last_used_at" TIMESTAMP(3); -- to the minute
ALTER TABLE "credentials" ADD COLUMN "last_four" TEXT; -- of the token, so that people tell one from another

ALTER TABLE "credentials" ADD CONSTRAINT "credentials_kind_check" CHECK ("kind" IN ('sign_in_link', 'session', 'access_token', 'enrollment_key', 'replaced_token'));
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_cluster_id_check" CHECK ("cluster_id" IS NULL OR "tenant_id" IS NOT NULL);
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_uses_allowed_check" CHECK ("uses_allowed" >= 1);
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_use_count_check" CHECK ("use_count" >= 0);
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_tenant_id_cluster_id_fkey" FOREIGN KEY ("tenant_id", "cluster_id") REFERENCES "clusters"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_node_id_fkey" FOREIGN KEY ("node_id") REFERENCES "nodes"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_credential_id_fkey" FOREIGN KEY ("credential_id") REFERENCES "credentials"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Lists, and the end of a tenant.
CREATE INDEX "idx_credentials_tenant" ON "credentials"("tenant_id", "name", "id");
-- The end of a cluster, of a node and of an access token.
CREATE INDEX "idx_credentials_cluster" ON "credentials"("tenant_id", "cluster_id") WHERE (cluster_id IS NOT NULL);
CREATE INDEX "idx_credentials_node" ON "credentials"("node_id") WHERE (node_id IS NOT NULL);
CREATE INDEX "idx_credentials_credential" ON "credentials"("credential_id") WHERE (credential_id IS NOT NULL);
