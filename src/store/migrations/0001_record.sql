-- The record: one append-only log of events, and the projections that can be rebuilt from it.

CREATE TABLE events (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stream text NOT NULL,
  seq integer NOT NULL CHECK (seq >= 1),
  type text NOT NULL,
  from_status text,
  to_status text,
  data jsonb NOT NULL,
  occurred_at timestamptz(3) NOT NULL,
  recorded_at timestamptz(3) NOT NULL,
  dedupe_key text NOT NULL,
  previous_hash text NOT NULL CHECK (previous_hash ~ '^[0-9a-f]{64}$'),
  hash text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
  UNIQUE (stream, seq),
  UNIQUE (stream, dedupe_key)
);
--> statement-breakpoint
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the event log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
--> statement-breakpoint
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TABLE builds (
  id bigint PRIMARY KEY,
  status text NOT NULL,
  workflow_id text NOT NULL,
  request_key text NOT NULL,
  fingerprint text NOT NULL,
  keyed boolean NOT NULL,
  dedup_until timestamptz(3) NOT NULL,
  caller text NOT NULL,
  config_id integer NOT NULL,
  config_version integer NOT NULL,
  image_type text,
  fedora_version text,
  priority smallint NOT NULL,
  request jsonb NOT NULL,
  repository text NOT NULL,
  ref text NOT NULL,
  attempts integer NOT NULL,
  needs_attention boolean NOT NULL,
  dead_lettered boolean NOT NULL,
  reason text,
  retries integer NOT NULL,
  workflow_run_id bigint,
  run_url text,
  run_attempt integer,
  run_status text,
  conclusion text,
  created_at timestamptz(3) NOT NULL,
  started_at timestamptz(3),
  completed_at timestamptz(3),
  last_seq integer NOT NULL,
  last_hash text NOT NULL
);
--> statement-breakpoint
CREATE INDEX builds_newest ON builds (created_at DESC, id DESC);
--> statement-breakpoint
CREATE INDEX builds_by_request ON builds (request_key, id DESC);
--> statement-breakpoint
-- An Idempotency-Key names one build for ever, also after Temporal has forgotten its workflow.
CREATE UNIQUE INDEX builds_by_idempotency_key ON builds (request_key) WHERE keyed;
--> statement-breakpoint
CREATE INDEX builds_open ON builds (id) WHERE completed_at IS NULL;
--> statement-breakpoint
CREATE INDEX builds_dead ON builds (created_at DESC, id DESC) WHERE dead_lettered OR needs_attention;
--> statement-breakpoint
CREATE SEQUENCE build_ids AS bigint;
--> statement-breakpoint
CREATE TABLE configurations (
  id integer NOT NULL,
  version integer NOT NULL,
  name text NOT NULL,
  definition jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL,
  PRIMARY KEY (id, version)
);
--> statement-breakpoint
-- Least privilege: processes run as this role. Where the migrating user may not create roles (some managed databases),
-- the triggers above still hold, and processes run as the login user.
DO $$
BEGIN
  -- Roles belong to the whole server: another of its databases may be migrated at the same moment.
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    BEGIN
      CREATE ROLE hapax_runtime NOLOGIN;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO hapax_runtime', current_schema());
  GRANT SELECT, INSERT ON events, configurations TO hapax_runtime;
  GRANT SELECT, INSERT, UPDATE ON builds TO hapax_runtime;
  GRANT USAGE ON SEQUENCE build_ids TO hapax_runtime;
  IF NOT pg_has_role(current_user, 'hapax_runtime', 'MEMBER') THEN
    EXECUTE format('GRANT hapax_runtime TO %I', current_user);
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to create the role hapax_runtime; continuing without it';
END $$;
