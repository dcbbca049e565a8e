-- A run goes on to the next build if its own has ended without it.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT UPDATE ON shadow_runs TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
