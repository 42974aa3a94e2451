-- +goose Up

-- The teams given to a supervisor besides the own one (ids of 16 bytes, one after the other), and whether a supervisor comes
-- from outside.
ALTER TABLE postings ADD COLUMN supervises BLOB    NOT NULL DEFAULT x'';
ALTER TABLE postings ADD COLUMN external   INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE postings DROP COLUMN external;
ALTER TABLE postings DROP COLUMN supervises;
