-- Takes back the indexes.
DROP INDEX "idx_nodes_failing";
DROP INDEX "idx_nodes_running_version";
DROP INDEX "idx_nodes_outdated";
