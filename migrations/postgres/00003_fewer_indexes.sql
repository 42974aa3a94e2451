-- +goose Up

-- Each index of records is written with every record that comes in, and these two said what others say: that a record is its own root
-- stands in its key, and those of a kind stand together by team and day.
DROP INDEX records_by_root;
CREATE INDEX records_by_root ON records (deployment, root) WHERE root <> id;
DROP INDEX records_by_kind;

-- +goose Down
DROP INDEX records_by_root;
CREATE INDEX records_by_root ON records (deployment, root);
CREATE INDEX records_by_kind ON records (deployment, kind, id);
