-- +goose Up

-- 1: by its view alone, somebody has something to do with the record: it lacks a required field, is a review that returned its
-- record, or a conflict that is not settled. 0: nobody has. NULL: that is not known, since the program that kept it knew neither
-- this column nor, later, the record's kind. A migration that changes what it follows from sets it to NULL.
ALTER TABLE records ADD COLUMN waits   INTEGER;
-- The highest hybrid logical time in its view; NULL when not known.
ALTER TABLE records ADD COLUMN changed INTEGER;
CREATE INDEX records_waiting ON records (kind, id, waits, deleted, owner, changed) WHERE waits IS NOT 0;
CREATE INDEX records_changed ON records (id, changed);

-- How many records there are is counted by one index less the other.
CREATE INDEX records_deleted ON records (id) WHERE deleted = 1;

-- Lists of several kinds go from the newest day back until they have a page, and read no row that they do not show.
CREATE INDEX records_by_day ON records (day, id, kind, deleted);

-- +goose Down
DROP INDEX records_by_day;
DROP INDEX records_deleted;
DROP INDEX records_changed;
DROP INDEX records_waiting;
ALTER TABLE records DROP COLUMN changed;
ALTER TABLE records DROP COLUMN waits;
