-- +goose Up

-- Conflicts that nobody has settled: the overview counts them. Of those that are there already nobody knows without reading
-- them, so whoever reads them looks.
ALTER TABLE records ADD COLUMN unsettled INTEGER NOT NULL DEFAULT 0; -- 1: a conflict that is open
UPDATE records SET unsettled = 1 WHERE kind = 25;
CREATE INDEX records_unsettled ON records (deployment, id) WHERE unsettled = 1;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('records', 'records_unsettled', '1000 1000 1');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
DROP INDEX records_unsettled;
ALTER TABLE records DROP COLUMN unsettled;
