ALTER TABLE "clusters" DROP COLUMN "unpublished_since";
