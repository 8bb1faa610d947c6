-- Takes back the indexes, and the room in pages that are written from now on.
ALTER TABLE "nodes" RESET (fillfactor);
DROP INDEX "idx_nodes_failing";
DROP INDEX "idx_nodes_running_version";
DROP INDEX "idx_nodes_outdated";
