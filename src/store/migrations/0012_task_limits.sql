-- Time limits that were asked for with a task, so that it has them also when it is begun again.
ALTER TABLE tasks ADD COLUMN soft_limit_ms integer, ADD COLUMN hard_limit_ms integer;
