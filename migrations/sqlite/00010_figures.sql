-- +goose Up

-- Records of a kind and team by day: what a team did in a week, and which records are behind a figure.
CREATE INDEX records_by_day ON records (deployment, kind, audience, day, id);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('records', 'records_by_day', '1000000 1000000 50000 5000 50 1'),
  ('totals', 'totals', '100000 100000 50000 10000 1000 1'),
  ('tokens', 'tokens', '1000000 1000000 500000 100000 1000 1');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
DROP INDEX records_by_day;
