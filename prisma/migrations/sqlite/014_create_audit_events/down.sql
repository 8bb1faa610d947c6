-- Takes back the audit trail and every row in it, the indexes before the table.
DROP INDEX "idx_audit_events_idempotency";
DROP INDEX "idx_audit_events_actor";
DROP INDEX "idx_audit_events_cluster";
DROP INDEX "idx_audit_events_tenant";
DROP INDEX "idx_audit_events_head";
DROP INDEX "idx_audit_events_sequence";

DROP TABLE "audit_events";
