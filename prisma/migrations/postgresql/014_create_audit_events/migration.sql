-- Who did what. No row refers to its tenant: the trail of a deleted tenant stays.
CREATE TABLE "audit_events" (
    "id" TEXT NOT NULL, -- UUID version 7: in the order of time
    "chain" TEXT NOT NULL, -- the tenant's id, or control-plane
    "sequence" INTEGER NOT NULL, -- 1, 2, 3 within the chain, 0 for the anchor of the chain
    "head_of" TEXT, -- the chain whose newest row it is, null for an older row, not part of the hash
    "at" TIMESTAMP(3) NOT NULL,
    "action" TEXT NOT NULL, -- such as cluster.firewall.update
    "outcome" TEXT NOT NULL, -- done, refused
    "refusal" TEXT, -- why it was refused: the error's name or code
    "actor_kind" TEXT NOT NULL,
    "actor" TEXT NOT NULL, -- the actor's name
    "credential_id" TEXT,
    "tenant_id" TEXT,
    "cluster_id" TEXT,
    "targets" TEXT NOT NULL, -- JSON, as it was hashed
    "version" INTEGER, -- the cluster's config_version after the change
    "request_id" TEXT,
    "address" TEXT,
    "before" TEXT, -- JSON, as it was hashed
    "after" TEXT, -- JSON, as it was hashed
    "previous_hash" TEXT, -- null: the first row of its chain
    "hash" TEXT NOT NULL,
    "idempotency_key" TEXT, -- SHA-256 of the caller, the mutation and the key it gave, null after a day
    "input_hash" TEXT, -- SHA-256 of the input that the key was given with
    "sealed_result" TEXT, -- what the mutation made, sealed like a CA key. These three are not part of the hash
    "signature" TEXT, -- of the anchor, null for all other rows, not part of the hash

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "idx_audit_events_sequence" ON "audit_events"("chain", "sequence");
-- A chain has one newest row: whoever appends takes the mark from it, and waits for others who do so.
CREATE UNIQUE INDEX "idx_audit_events_head" ON "audit_events"("head_of");
CREATE INDEX "idx_audit_events_tenant" ON "audit_events"("tenant_id", "id");
CREATE INDEX "idx_audit_events_cluster" ON "audit_events"("cluster_id", "id");
CREATE INDEX "idx_audit_events_actor" ON "audit_events"("actor", "id");
CREATE UNIQUE INDEX "idx_audit_events_idempotency" ON "audit_events"("idempotency_key");
