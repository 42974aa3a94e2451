-- +goose Up

-- What a held change, or a record given back that is held, waits for: the record that it edits, or the one that is to own
-- it. When that comes it is judged again.
ALTER TABLE log ADD COLUMN waits_for BLOB;
CREATE INDEX log_waiting ON log (deployment, waits_for) WHERE waits_for IS NOT NULL;
-- Outcomes besides those of before: 'given' a record given back was merged, 'settled' a change that was held got this
-- position when it was decided.
DROP INDEX log_held;
CREATE INDEX log_held ON log (deployment, position)
  WHERE outcome NOT IN ('', 'known', 'erased', 'audience', 'given', 'settled', 'discarded');
-- Held changes, discarded ones too, by their ids.
CREATE INDEX log_kept ON log (deployment, change) WHERE outcome NOT IN ('', 'known', 'erased', 'audience', 'given', 'settled');
CREATE INDEX log_settled ON log (deployment, position) WHERE outcome = 'settled';

-- A record given back whose owner is not there: what it waits for. NULL for all others.
ALTER TABLE records ADD COLUMN orphan_of BLOB;
CREATE INDEX records_orphaned ON records (deployment, orphan_of) WHERE orphan_of IS NOT NULL;

-- The position that a record had before the changes of its origin, the last of which gave it its position: who had pulled
-- up to there has all of it. 0 when the origin made it.
ALTER TABLE records ADD COLUMN origin_after INTEGER NOT NULL DEFAULT 0;

-- Decisions on held changes: which HeldDecision records are about a change.
CREATE TABLE decisions (
  deployment BLOB NOT NULL,
  change     BLOB NOT NULL,
  record     BLOB NOT NULL,
  PRIMARY KEY (deployment, change, record)
) WITHOUT ROWID;

-- Records that left an audience: who pulls past the position is told to drop them.
CREATE TABLE departures (
  deployment BLOB    NOT NULL,
  audience   BLOB    NOT NULL, -- a team, or one worker
  position   INTEGER NOT NULL,
  record     BLOB    NOT NULL,
  reset      INTEGER NOT NULL, -- 1: to be dropped by those too who may see it: what they have of it was discarded
  PRIMARY KEY (deployment, audience, position, record)
) WITHOUT ROWID;

-- When a device came in by its certificate, milliseconds since 1970; 0 once it is confirmed, and for all others.
ALTER TABLE devices ADD COLUMN admitted_at INTEGER NOT NULL DEFAULT 0;

-- Stamps up to this hybrid logical time are taken, though they may lie in the future: the operator said so, of a log that
-- was written by a clock that ran ahead.
ALTER TABLE deployments ADD COLUMN ahead INTEGER NOT NULL DEFAULT 0;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('log', 'log_kept', '1000 1000 1'),
  ('log', 'log_waiting', '1000 1000 2'),
  ('log', 'log_settled', '1000 1000 1'),
  ('records', 'records_orphaned', '1000 1000 2'),
  ('departures', 'departures', '100000 100000 1000 2 1'),
  ('decisions', 'decisions', '1000 1000 1 1');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
ALTER TABLE deployments DROP COLUMN ahead;
ALTER TABLE devices DROP COLUMN admitted_at;
DROP TABLE departures;
DROP TABLE decisions;
ALTER TABLE records DROP COLUMN origin_after;
DROP INDEX records_orphaned;
ALTER TABLE records DROP COLUMN orphan_of;
DROP INDEX log_settled;
DROP INDEX log_kept;
DROP INDEX log_held;
CREATE INDEX log_held ON log (deployment, position) WHERE outcome NOT IN ('', 'known', 'erased', 'audience');
DROP INDEX log_waiting;
ALTER TABLE log DROP COLUMN waits_for;
