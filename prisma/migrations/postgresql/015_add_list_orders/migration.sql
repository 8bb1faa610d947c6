-- The orders of lists of nodes: of one cluster, and of all that a caller reaches, where the tenant is in the index so
-- that rows of other tenants are not read. Without a value, a row is before those with one on both engines. Addresses
-- are in the order of their numbers: 10.0.0.9 is before 10.0.0.10.
-- There is none for the last contact: it would make each report of a node eight times as expensive, since every index of
-- the table would have to be told (see migration 008).
CREATE INDEX "idx_nodes_by_name" ON "nodes"("name", "id", "tenant_id");
CREATE INDEX "idx_nodes_by_created" ON "nodes"("created_at", "id", "tenant_id");
CREATE INDEX "idx_nodes_cluster_by_created" ON "nodes"("tenant_id", "cluster_id", "created_at", "name");
CREATE INDEX "idx_nodes_by_address" ON "nodes"((CASE WHEN "overlay_ip" ~ '^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$' THEN split_part("overlay_ip", '.', 1)::bigint * 16777216
  + split_part("overlay_ip", '.', 2)::bigint * 65536 + split_part("overlay_ip", '.', 3)::bigint * 256
  + split_part("overlay_ip", '.', 4)::bigint ELSE -1 END), "id", "tenant_id");
CREATE INDEX "idx_nodes_cluster_by_address" ON "nodes"("tenant_id", "cluster_id", (CASE WHEN "overlay_ip" ~ '^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$' THEN split_part("overlay_ip", '.', 1)::bigint * 16777216
  + split_part("overlay_ip", '.', 2)::bigint * 65536 + split_part("overlay_ip", '.', 3)::bigint * 256
  + split_part("overlay_ip", '.', 4)::bigint ELSE -1 END), "name");
CREATE INDEX "idx_nodes_by_version" ON "nodes"(coalesce("running_config_version", 0), "id", "tenant_id");
CREATE INDEX "idx_nodes_cluster_by_version" ON "nodes"("tenant_id", "cluster_id", coalesce("running_config_version", 0), "name");
CREATE INDEX "idx_nodes_by_expiry" ON "nodes"(coalesce("certificate_expires_at", '-infinity'::timestamp), "id", "tenant_id");
CREATE INDEX "idx_nodes_cluster_by_expiry" ON "nodes"("tenant_id", "cluster_id", coalesce("certificate_expires_at", '-infinity'::timestamp), "name");

-- What is searched besides names and addresses: certificates by the beginning of their fingerprint, and the nodes that
-- have a description or routes, without reading the others.
CREATE INDEX "idx_nodes_fingerprint" ON "nodes"("certificate_fingerprint") WHERE (certificate_fingerprint IS NOT NULL);
CREATE INDEX "idx_nodes_described" ON "nodes"("tenant_id", "cluster_id") WHERE (description IS NOT NULL);
CREATE INDEX "idx_nodes_with_routes" ON "nodes"("tenant_id", "cluster_id") WHERE (routes <> '[]');
