-- The Merkle tree (RFC 6962) over the events in the order of their positions, and the checkpoints that were signed of it.
CREATE TABLE log_tree (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  size bigint NOT NULL DEFAULT 0,
  end_position bigint NOT NULL DEFAULT 0
);
--> statement-breakpoint
INSERT INTO log_tree DEFAULT VALUES;
--> statement-breakpoint
-- Up to 256 hashes each, as C2SP's tlog-tiles has them: of leaves at level 0, of whole tiles of the level below at the others.
CREATE TABLE log_tiles (
  level smallint NOT NULL,
  tile bigint NOT NULL,
  hashes bytea NOT NULL,
  first_position bigint,
  PRIMARY KEY (level, tile)
);
--> statement-breakpoint
CREATE INDEX log_tiles_first_position ON log_tiles (first_position) WHERE level = 0;
--> statement-breakpoint
CREATE TABLE checkpoints (
  size bigint PRIMARY KEY,
  end_position bigint NOT NULL,
  made_at timestamptz(3) NOT NULL DEFAULT now(),
  note text NOT NULL,
  verifier_key text NOT NULL
);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, UPDATE ON log_tree TO hapax_runtime;
    GRANT SELECT, INSERT, UPDATE ON log_tiles TO hapax_runtime;
    GRANT SELECT, INSERT ON checkpoints TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
