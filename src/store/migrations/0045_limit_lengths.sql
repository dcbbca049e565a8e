-- How long the last rate limit is, in milliseconds. If GitHub does not say how long to wait, the next one after it is twice as long.
ALTER TABLE github_writes ADD COLUMN limit_ms float8 NOT NULL DEFAULT 0;
