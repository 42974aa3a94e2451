-- +goose Up

-- Rows of the log and of records are large. Without a rowid they stand in their primary key itself, eight to a page: records that come from
-- weeks offline have ids all over it, so that each of them has a page of its own written. With one, rows are appended, and only what
-- indexes have of them is spread.

CREATE TABLE new_log (
  deployment BLOB    NOT NULL,
  position   INTEGER NOT NULL,
  replica    INTEGER NOT NULL, -- 0 where no change but a record's new audience took the position
  sequence   INTEGER NOT NULL,
  change     BLOB    NOT NULL, -- the change's id
  record     BLOB    NOT NULL,
  outcome    TEXT    NOT NULL, -- '' applied, 'known' had from another replica, 'erased' came without body, 'audience', else why it is held
  body       BLOB,             -- the change as encoded by its author; NULL once erased
  hash       BLOB,             -- SHA-256 of the body, where the body is erased
  chain      BLOB    NOT NULL, -- of the log at this position
  received   INTEGER NOT NULL, -- milliseconds since 1970, server's clock
  waits_for  BLOB,             -- the change that a held one waits for
  PRIMARY KEY (deployment, position)
);
INSERT INTO new_log SELECT deployment, position, replica, sequence, change, record, outcome, body, hash, chain, received, waits_for FROM log ORDER BY deployment, position;
DROP TABLE log;
ALTER TABLE new_log RENAME TO log;
CREATE UNIQUE INDEX log_by_sequence ON log (deployment, replica, sequence) WHERE replica > 0;
CREATE INDEX log_by_record ON log (deployment, record, position);
CREATE INDEX log_waiting ON log (deployment, waits_for) WHERE waits_for IS NOT NULL;
CREATE INDEX log_held ON log (deployment, position)
  WHERE outcome NOT IN ('', 'known', 'erased', 'audience', 'given', 'settled', 'discarded');
CREATE INDEX log_kept ON log (deployment, change) WHERE outcome NOT IN ('', 'known', 'erased', 'audience', 'given', 'settled');
CREATE INDEX log_settled ON log (deployment, position) WHERE outcome = 'settled';

CREATE TABLE new_records (
  deployment   BLOB    NOT NULL,
  id           BLOB    NOT NULL,
  kind         INTEGER NOT NULL,
  root         BLOB    NOT NULL, -- its own id when it is a root
  audience     BLOB    NOT NULL, -- the team that receives it; zeros: the whole deployment
  position     INTEGER NOT NULL, -- where it last changed
  origin       INTEGER NOT NULL, -- the replica whose change gave it that position, if its tablet has all of it; else 0
  day          INTEGER NOT NULL, -- occurred_on, YYYYMMDD; 0 when unset
  duplicate_of BLOB,
  state        BLOB    NOT NULL, -- an encoded State
  orphan_of    BLOB,             -- the record that it hangs on, which is not there
  origin_after INTEGER NOT NULL DEFAULT 0, -- up to where that replica's tablet had pulled before
  unsettled    INTEGER NOT NULL DEFAULT 0, -- 1: a conflict that is open
  PRIMARY KEY (deployment, id)
);
INSERT INTO new_records SELECT deployment, id, kind, root, audience, position, origin, day, duplicate_of, state, orphan_of, origin_after, unsettled
  FROM records ORDER BY deployment, id;
DROP TABLE records;
ALTER TABLE new_records RENAME TO records;
CREATE INDEX records_by_audience ON records (deployment, audience, position);
CREATE INDEX records_by_root ON records (deployment, root);
CREATE INDEX records_by_kind ON records (deployment, kind, id);
CREATE INDEX records_by_duplicate ON records (deployment, duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX records_orphaned ON records (deployment, orphan_of) WHERE orphan_of IS NOT NULL;
CREATE INDEX records_by_day ON records (deployment, kind, audience, day, id);
CREATE INDEX records_unsettled ON records (deployment, id) WHERE unsettled = 1;
CREATE INDEX records_unsettled_by_team ON records (deployment, audience, id) WHERE unsettled = 1;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('records', 'sqlite_autoindex_records_1', '1000000 1000000 1'),
  ('records', 'records_by_audience', '1000000 1000000 50000 1'),
  ('records', 'records_by_root', '1000000 1000000 5'),
  ('records', 'records_by_kind', '1000000 1000000 50000 1'),
  ('records', 'records_by_duplicate', '1000 1000 1'),
  ('records', 'records_orphaned', '1000 1000 2'),
  ('records', 'records_by_day', '1000000 1000000 50000 5000 50 1'),
  ('records', 'records_unsettled', '1000 1000 1'),
  ('records', 'records_unsettled_by_team', '1000 1000 100 1'),
  ('log', 'sqlite_autoindex_log_1', '1000000 1000000 1'),
  ('log', 'log_by_sequence', '1000000 1000000 10000 1'),
  ('log', 'log_by_record', '1000000 1000000 3 1'),
  ('log', 'log_kept', '1000 1000 1'),
  ('log', 'log_waiting', '1000 1000 2'),
  ('log', 'log_settled', '1000 1000 1');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
-- An older program takes the tables as they are.
SELECT 1;
