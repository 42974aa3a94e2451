-- +goose Up

-- What somebody is filling in and has not logged yet. It is on this tablet alone.
CREATE TABLE forms (
  id     BLOB    NOT NULL PRIMARY KEY,
  kind   INTEGER NOT NULL,
  record BLOB,             -- the record that is edited; NULL for a new one
  saved  INTEGER NOT NULL, -- milliseconds since 1970 by the corrected clock
  body   BLOB    NOT NULL  -- sealed: the values
);
CREATE INDEX forms_by_record ON forms (record) WHERE record IS NOT NULL;

-- The newest of those that were logged, so that none is logged twice. Nothing of their values is left.
CREATE TABLE logged_forms (
  number INTEGER NOT NULL PRIMARY KEY, -- in the order in which they were logged
  id     BLOB    NOT NULL UNIQUE,
  made   BLOB    NOT NULL              -- sealed: the ids of the records that came of it
);

-- +goose Down
DROP TABLE logged_forms;
DROP TABLE forms;
