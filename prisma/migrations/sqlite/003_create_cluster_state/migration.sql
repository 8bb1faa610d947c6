-- Cluster state: the configuration version of a cluster that an instance of the control plane runs.
CREATE TABLE "cluster_state" (
    "cluster_id" TEXT NOT NULL,
    "instance_id" TEXT NOT NULL,
    "running_config_version" INTEGER NOT NULL,
    "updated_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,

    PRIMARY KEY ("cluster_id", "instance_id"),
    CONSTRAINT "cluster_state_cluster_id_fkey" FOREIGN KEY ("cluster_id") REFERENCES "clusters"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "idx_cluster_state_version" ON "cluster_state"("running_config_version");
