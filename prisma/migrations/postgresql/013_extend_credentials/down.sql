-- Takes back the columns. Operators' links and sessions stay, and every other credential is removed with them.
DELETE FROM "credentials" WHERE "kind" NOT IN ('sign_in_link', 'session') OR "role" IS NULL OR "role" <> 'operator' OR "expires_at" IS NULL;

DROP INDEX "idx_credentials_credential";
DROP INDEX "idx_credentials_node";
DROP INDEX "idx_credentials_cluster";
DROP INDEX "idx_credentials_tenant";

ALTER TABLE "credentials" DROP CONSTRAINT "credentials_credential_id_fkey";
ALTER TABLE "credentials" DROP CONSTRAINT "credentials_node_id_fkey";
ALTER TABLE "credentials" DROP CONSTRAINT "credentials_tenant_id_cluster_id_fkey";
ALTER TABLE "credentials" DROP CONSTRAINT "credentials_tenant_id_fkey";
ALTER TABLE "credentials" DROP CONSTRAINT "credentials_use_count_check";
ALTER TABLE "credentials" DROP CONSTRAINT "credentials_uses_allowed_check";
ALTER TABLE "credentials" DROP CONSTRAINT "credentials_cluster_id_check";
ALTER TABLE "credentials" DROP CONSTRAINT "credentials_kind_check";
ALTER TABLE "credentials" DROP COLUMN "last_four";
ALTER TABLE "credentials" DROP COLUMN "last_used_at";
ALTER TABLE "credentials" DROP COLUMN "created_by";
ALTER TABLE "credentials" DROP COLUMN "ephemeral_seconds";
ALTER TABLE "credentials" DROP COLUMN "use_count";
ALTER TABLE "credentials" DROP COLUMN "uses_allowed";
ALTER TABLE "credentials" DROP COLUMN "labels";
ALTER TABLE "credentials" DROP COLUMN "groups";
ALTER TABLE "credentials" DROP COLUMN "scopes";
ALTER TABLE "credentials" DROP COLUMN "cluster_ids";
ALTER TABLE "credentials" DROP COLUMN "credential_id";
ALTER TABLE "credentials" DROP COLUMN "node_id";
ALTER TABLE "credentials" DROP COLUMN "cluster_id";
ALTER TABLE "credentials" DROP COLUMN "tenant_id";
ALTER TABLE "credentials" ALTER COLUMN "expires_at" SET NOT NULL;
ALTER TABLE "credentials" ALTER COLUMN "role" SET NOT NULL;
