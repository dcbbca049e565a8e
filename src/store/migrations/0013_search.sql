-- Each search would read all of the pending list, for each of its words, until a vacuum empties it; the embedded Postgres has
-- no autovacuum.
ALTER INDEX chunks_by_word SET (fastupdate = off);
--> statement-breakpoint
SELECT gin_clean_pending_list('chunks_by_word');
