-- Content: what tasks brought in, cut into chunks that are found by their words.
CREATE TABLE contents (
  id text PRIMARY KEY,
  type text NOT NULL,
  url text NOT NULL,
  title text NOT NULL,
  author text,
  language text,
  published_at timestamptz(3),
  tags jsonb NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  text_sha256 text NOT NULL,
  blob_key text NOT NULL,
  characters integer NOT NULL,
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL
);
--> statement-breakpoint
CREATE INDEX contents_newest ON contents (created_at DESC, id DESC);
--> statement-breakpoint
CREATE INDEX contents_by_tag ON contents USING gin (tags jsonb_path_ops);
--> statement-breakpoint
-- Those of the present version only. The words of the title count for each chunk.
CREATE TABLE chunks (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  content_id text NOT NULL REFERENCES contents,
  version integer NOT NULL,
  seq integer NOT NULL,
  text text NOT NULL,
  words tsvector NOT NULL,
  UNIQUE (content_id, version, seq)
);
--> statement-breakpoint
CREATE INDEX chunks_by_word ON chunks USING gin (words);
--> statement-breakpoint
-- part 0: of the whole; the others of parts of a long text, from which that was made.
CREATE TABLE summaries (
  content_id text NOT NULL REFERENCES contents,
  version integer NOT NULL,
  model text NOT NULL,
  part integer NOT NULL,
  text text NOT NULL,
  created_at timestamptz(3) NOT NULL,
  PRIMARY KEY (content_id, version, model, part)
);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE ON contents TO hapax_runtime;
    GRANT SELECT, INSERT, DELETE ON chunks, summaries TO hapax_runtime;
  END IF;
END $$;
