-- +goose Up

-- 1: by its view alone, somebody has something to do with the record: it lacks a required field, is a review that returned its
-- record, or a conflict that is not settled. 0: nobody has. NULL: that is not known, since the program that kept it knew neither
-- this column nor, later, the record's kind. A migration that changes what it follows from sets it to NULL.
ALTER TABLE records ADD COLUMN waits INTEGER;
CREATE INDEX records_waiting ON records (kind, id) WHERE waits IS NOT 0;

-- How many records there are is counted by one index less the other.
CREATE INDEX records_deleted ON records (id) WHERE deleted = 1;

-- +goose Down
DROP INDEX records_deleted;
DROP INDEX records_waiting;
ALTER TABLE records DROP COLUMN waits;
