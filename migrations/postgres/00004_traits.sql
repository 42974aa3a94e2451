-- +goose Up

-- What else is compared of records that have one likeness, in a few bytes, so that most need not be read for it. Empty until they are
-- indexed again. The index has it too: a comparison reads nothing else.
ALTER TABLE likenesses ADD COLUMN traits BYTEA NOT NULL DEFAULT '';
DROP INDEX likenesses_by_likeness;
CREATE INDEX likenesses_by_likeness ON likenesses (deployment, likeness, record) INCLUDE (traits);

-- +goose Down
DROP INDEX likenesses_by_likeness;
CREATE INDEX likenesses_by_likeness ON likenesses (deployment, likeness, record);
ALTER TABLE likenesses DROP COLUMN traits;
