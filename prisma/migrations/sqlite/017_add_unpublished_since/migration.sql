-- Since when a change of the cluster waits for its bundle.
ALTER TABLE "clusters" ADD COLUMN "unpublished_since" DATETIME; -- null: nothing waits
-- Of changes that wait already, the time is not known.
UPDATE "clusters" SET "unpublished_since" = CASE WHEN "published_config_version" = 0 THEN "created_at"
    ELSE strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now') END WHERE "config_version" > "published_config_version";
