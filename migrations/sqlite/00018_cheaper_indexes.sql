-- +goose Up

-- Each index of records is written with every record that comes in, and these two said what others say: that a record is its own root
-- stands in its key, and those of a kind stand together by team and day.
DROP INDEX records_by_root;
CREATE INDEX records_by_root ON records (deployment, root) WHERE root <> id;
DROP INDEX records_by_kind;

-- Nearly every change is applied, which is told by one comparison, before the other outcomes are looked for.
DROP INDEX log_held;
CREATE INDEX log_held ON log (deployment, position) WHERE outcome <> '' AND outcome NOT IN ('known', 'erased', 'audience', 'given', 'settled', 'discarded');
DROP INDEX log_kept;
CREATE INDEX log_kept ON log (deployment, change) WHERE outcome <> '' AND outcome NOT IN ('known', 'erased', 'audience', 'given', 'settled');

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('records', 'records_by_root', '1000000 1000000 5'),
  ('log', 'log_kept', '1000 1000 1');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
DROP INDEX log_held;
CREATE INDEX log_held ON log (deployment, position) WHERE outcome NOT IN ('', 'known', 'erased', 'audience', 'given', 'settled', 'discarded');
DROP INDEX log_kept;
CREATE INDEX log_kept ON log (deployment, change) WHERE outcome NOT IN ('', 'known', 'erased', 'audience', 'given', 'settled');
DROP INDEX records_by_root;
CREATE INDEX records_by_root ON records (deployment, root);
CREATE INDEX records_by_kind ON records (deployment, kind, id);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('records', 'records_by_root', '1000000 1000000 5'),
  ('records', 'records_by_kind', '1000000 1000000 50000 1'),
  ('log', 'log_kept', '1000 1000 1');
ANALYZE sqlite_schema;
