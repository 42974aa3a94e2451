-- +goose Up

-- From here on every value that may hold what was written about people, and every secret, is sealed under the data key:
-- records.base, view and sent, returns.state, changes.body, tablet.private_key, enrolments.code and private_key. The row
-- is there once they all are.
CREATE TABLE sealing (
  one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  proof BLOB    NOT NULL, -- sealed as well: whether a data key is this file's
  swept INTEGER NOT NULL  -- 1: what was there before it was sealed lies in no free page and no log any more
);

-- +goose Down

-- An older program can open nothing that is sealed, so a file that is does not go back: the check refuses the row.
CREATE TABLE still_sealed (proof BLOB CHECK (proof IS NULL));
INSERT INTO still_sealed SELECT proof FROM sealing;
DROP TABLE still_sealed;
DROP TABLE sealing;
