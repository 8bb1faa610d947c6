-- What people note about their tenants, clusters and nodes. No configuration has it, and no change of it raises a version.
ALTER TABLE "tenants" ADD COLUMN "description" TEXT; -- null: none
ALTER TABLE "clusters" ADD COLUMN "description" TEXT;
ALTER TABLE "nodes" ADD COLUMN "description" TEXT;
ALTER TABLE "nodes" ADD COLUMN "labels" JSONB NOT NULL DEFAULT '{}'; -- value by key
