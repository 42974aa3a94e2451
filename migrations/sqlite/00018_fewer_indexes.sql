-- +goose Up

-- Each index of records is written with every record that comes in, and these two said what others say: that a record is its own root
-- stands in its key, and those of a kind stand together by team and day.
DROP INDEX records_by_root;
CREATE INDEX records_by_root ON records (deployment, root) WHERE root <> id;
DROP INDEX records_by_kind;

DELETE FROM sqlite_stat1 WHERE tbl = 'records' AND idx IN ('records_by_root', 'records_by_kind');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('records', 'records_by_root', '1000000 1000000 5');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
DROP INDEX records_by_root;
CREATE INDEX records_by_root ON records (deployment, root);
CREATE INDEX records_by_kind ON records (deployment, kind, id);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('records', 'records_by_kind', '1000000 1000000 50000 1');
ANALYZE sqlite_schema;
