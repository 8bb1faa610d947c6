-- Takes back the columns. Operators' links and sessions stay, and every other credential is removed with them.
DELETE FROM "credentials" WHERE "kind" NOT IN ('sign_in_link', 'session') OR "role" IS NULL OR "role" <> 'operator' OR "expires_at" IS NULL;

CREATE TABLE "old_credentials" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "kind" TEXT NOT NULL, -- sign_in_link, session
    "token_hash" TEXT NOT NULL, -- HMAC-SHA256, hex
    "role" TEXT NOT NULL, -- what its holder may do: operator
    "name" TEXT NOT NULL, -- whose it is, for messages
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" DATETIME NOT NULL,
    "used_at" DATETIME -- null: a session, or a link that was not exchanged yet
);
INSERT INTO "old_credentials" ("id", "kind", "token_hash", "role", "name", "created_at", "expires_at", "used_at")
    SELECT "id", "kind", "token_hash", "role", "name", "created_at", "expires_at", "used_at" FROM "credentials";
DROP TABLE "credentials";
ALTER TABLE "old_credentials" RENAME TO "credentials";

CREATE UNIQUE INDEX "idx_credentials_token_hash" ON "credentials"("token_hash");
-- What is spent is removed from time to time.
CREATE INDEX "idx_credentials_expires" ON "credentials"("expires_at");
