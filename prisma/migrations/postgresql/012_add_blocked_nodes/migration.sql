-- A blocked node keeps its row: its certificate is revoked, and other nodes are told nothing of it.
ALTER TABLE "nodes" ADD COLUMN "blocked_at" TIMESTAMP(3); -- null: not blocked
-- A node that enrolled for a time is deleted when it was not seen for this many seconds.
ALTER TABLE "nodes" ADD COLUMN "ephemeral_seconds" INTEGER; -- null: it stays
