-- What followed a task, for its page.
CREATE INDEX tasks_parent ON tasks (parent_id, created_at) WHERE parent_id IS NOT NULL;
