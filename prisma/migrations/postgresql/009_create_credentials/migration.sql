-- Credentials: what people sign in with and what can be taken back. Not those of nodes and clusters, which are theirs.
CREATE TABLE "credentials" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL, -- sign_in_link, session
    "token_hash" TEXT NOT NULL, -- HMAC-SHA256, hex
    "role" TEXT NOT NULL, -- what its holder may do: operator
    "name" TEXT NOT NULL, -- whose it is, for messages
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMP(3) NOT NULL,
    "used_at" TIMESTAMP(3), -- null: a session, or a link that was not exchanged yet

    CONSTRAINT "credentials_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "idx_credentials_token_hash" ON "credentials"("token_hash");
-- What is spent is removed from time to time.
CREATE INDEX "idx_credentials_expires" ON "credentials"("expires_at");
