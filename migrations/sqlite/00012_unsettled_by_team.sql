-- +goose Up

-- How many conflicts each team has that nobody has settled: the overview and the measures count them by this index alone.
CREATE INDEX records_unsettled_by_team ON records (deployment, audience) WHERE unsettled = 1;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('records', 'records_unsettled_by_team', '1000 1000 100');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
DROP INDEX records_unsettled_by_team;
