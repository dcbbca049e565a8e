-- When missed webhooks were last looked for, by whichever worker: one row.
CREATE TABLE delivery_sweeps (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  swept_at timestamptz NOT NULL
);
--> statement-breakpoint
INSERT INTO delivery_sweeps (swept_at) VALUES ('epoch');
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, UPDATE ON delivery_sweeps TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
