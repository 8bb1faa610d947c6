-- Replicas: the running instances of the control plane, at most one of them the master.
CREATE TABLE "replicas" (
    "id" TEXT NOT NULL,
    "address" TEXT NOT NULL, -- full URL
    "role" TEXT NOT NULL DEFAULT 'replica',
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, -- heartbeat

    CONSTRAINT "replicas_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "replicas_role_check" CHECK ("role" IN ('master', 'replica'))
);

CREATE UNIQUE INDEX "idx_replicas_address" ON "replicas"("address");
CREATE INDEX "idx_replicas_role" ON "replicas"("role");
CREATE INDEX "idx_replicas_last_seen" ON "replicas"("last_seen_at");
-- At most one master, whatever the code does.
CREATE UNIQUE INDEX "idx_replicas_one_master" ON "replicas"("role") WHERE (role = 'master');
