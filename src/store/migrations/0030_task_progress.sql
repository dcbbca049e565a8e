-- What a running task said of itself last (Celery's update_state), while it runs.
ALTER TABLE tasks ADD COLUMN progress jsonb;
