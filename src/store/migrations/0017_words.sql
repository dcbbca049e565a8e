-- Words are cut by Hapax and no longer by Postgres (src/domain/search-words.ts). Chunks of the first form are written again
-- by a worker; until then they are found as before.
ALTER TABLE chunks ADD COLUMN words_form smallint NOT NULL DEFAULT 1;
--> statement-breakpoint
CREATE INDEX chunks_to_index ON chunks (id) WHERE words_form < 2;
--> statement-breakpoint
-- Summaries of parts are kept only while the whole is made; parts are cut by tokens now.
DELETE FROM summaries WHERE part <> 0;
--> statement-breakpoint
-- Which model of that name made it: a digest. NULL: not known.
ALTER TABLE summaries ADD COLUMN revision text;
--> statement-breakpoint
-- When content was last looked through for what is to be made again, by whichever worker: one row.
CREATE TABLE content_sweeps (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  swept_at timestamptz NOT NULL
);
--> statement-breakpoint
INSERT INTO content_sweeps (swept_at) VALUES ('epoch');
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT UPDATE (words, words_form) ON chunks TO hapax_runtime;
    GRANT UPDATE ON summaries TO hapax_runtime;
    GRANT SELECT, UPDATE ON content_sweeps TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
