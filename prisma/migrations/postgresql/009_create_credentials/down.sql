-- Takes back the table credentials and every row in it, the indexes before it: whoever is signed in has to sign in again.
DROP INDEX "idx_credentials_expires";
DROP INDEX "idx_credentials_token_hash";

DROP TABLE "credentials";
