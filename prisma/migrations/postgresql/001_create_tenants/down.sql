-- Takes back the table tenants and every row in it, the indexes before it.
DROP INDEX "idx_tenants_name";

DROP TABLE "tenants";
