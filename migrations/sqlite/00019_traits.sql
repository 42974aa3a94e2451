-- +goose Up

-- What else is compared of records that have one likeness, in a few bytes, so that most need not be read for it. Empty until they are
-- indexed again. The index has it too: a comparison reads nothing else.
ALTER TABLE likenesses ADD COLUMN traits BLOB NOT NULL DEFAULT x'';
DROP INDEX likenesses_by_likeness;
CREATE INDEX likenesses_by_likeness ON likenesses (deployment, likeness, record, traits);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('likenesses', 'likenesses_by_likeness', '1000000 1000000 2 1 1');
ANALYZE sqlite_schema; -- reads them

-- Each transaction adds a part to the index of words. Eight are merged at once, not four: each word is written again for fewer merges.
-- Not sixteen: of so many all are merged at once, in a transaction for which everybody waits.
INSERT INTO words (words, rank) VALUES ('automerge', 8);

-- +goose Down
INSERT INTO words (words, rank) VALUES ('automerge', 4);
DROP INDEX likenesses_by_likeness;
CREATE INDEX likenesses_by_likeness ON likenesses (deployment, likeness, record);
ALTER TABLE likenesses DROP COLUMN traits;
