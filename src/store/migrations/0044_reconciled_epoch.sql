-- The last epoch in which the runs of the forges were compared with the record. The first epoch follows no loss.
ALTER TABLE installation ADD COLUMN reconciled_epoch integer NOT NULL DEFAULT 1;
