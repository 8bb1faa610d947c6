-- Takes back the tables of the audit trail and every row in them, the indexes before them.
DROP TABLE "audit_anchors";

DROP INDEX "idx_audit_events_actor";
DROP INDEX "idx_audit_events_cluster";
DROP INDEX "idx_audit_events_tenant";
DROP INDEX "idx_audit_events_head";
DROP INDEX "idx_audit_events_sequence";

DROP TABLE "audit_events";
