-- Since when a change of the cluster waits for its bundle.
ALTER TABLE "clusters" ADD COLUMN "unpublished_since" TIMESTAMP(3); -- null: nothing waits
-- Of changes that wait already, the time is not known.
UPDATE "clusters" SET "unpublished_since" = CASE WHEN "published_config_version" = 0 THEN "created_at"
    ELSE now() AT TIME ZONE 'UTC' END WHERE "config_version" > "published_config_version";
