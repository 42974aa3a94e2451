-- +goose Up

-- Several servers may work on one database. The log's chain at the newest change of the set-up: who has read the set-up knows
-- by it whether another server has changed it since. Empty as long as it is what it was when this column came.
ALTER TABLE deployments ADD COLUMN set_up BLOB NOT NULL DEFAULT x'';

-- What stands in the journal's file of each server, in the one order in which tablets are told. The zero deployment is the
-- server as a whole.
CREATE TABLE journal (
  deployment BLOB    NOT NULL,
  number     INTEGER NOT NULL, -- from 1
  sort       TEXT    NOT NULL,
  subject    BLOB    NOT NULL,
  detail     BLOB    NOT NULL,
  at         INTEGER NOT NULL, -- milliseconds since 1970
  signature  BLOB    NOT NULL, -- by the server's key
  chain      BLOB    NOT NULL, -- of the journal behind this entry
  PRIMARY KEY (deployment, number)
) WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('journal', 'journal', '10000 5000 1');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
DROP TABLE journal;
ALTER TABLE deployments DROP COLUMN set_up;
