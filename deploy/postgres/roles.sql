-- The Postgres image runs this once, when the data directory is empty. It creates databases and logins, each with the rights it needs.
--   hapax_owner   runs `hapax migrate`: owns the database hapax
--   hapax         API and workers: may read and append, but cannot change or remove events
--   temporal      the Temporal server: owns its own two databases
\getenv owner_password HAPAX_OWNER_PASSWORD
\getenv runtime_password HAPAX_RUNTIME_PASSWORD
\getenv temporal_password TEMPORAL_DB_PASSWORD

CREATE ROLE hapax_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE hapax LOGIN PASSWORD :'runtime_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';

-- Created here, so that hapax_owner needs no right to create roles. The migrations grant it its rights on tables.
CREATE ROLE hapax_runtime NOLOGIN;
GRANT hapax_runtime TO hapax;
GRANT hapax_runtime TO hapax_owner WITH ADMIN OPTION;

CREATE DATABASE hapax OWNER hapax_owner;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT ON DATABASE hapax, temporal, temporal_visibility FROM PUBLIC;
GRANT CONNECT ON DATABASE hapax TO hapax;
