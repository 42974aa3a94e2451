-- +goose Up

-- Which entries of the journal about erased personal data were carried out here. A database that was set back lacks some,
-- and carries them out before it serves.
CREATE TABLE erasures (
  deployment BLOB    NOT NULL,
  sort       TEXT    NOT NULL,
  subject    BLOB    NOT NULL,
  purged     INTEGER NOT NULL DEFAULT 0, -- 1: nothing of it is left in unused parts of the file either
  PRIMARY KEY (deployment, sort, subject)
) WITHOUT ROWID;
CREATE INDEX erasures_unpurged ON erasures (deployment) WHERE purged = 0;

-- In the log, hash is that of the change as its author encoded it, where body is not that any more: erased, or with
-- tokens replaced.

-- +goose Down
DROP TABLE erasures;
