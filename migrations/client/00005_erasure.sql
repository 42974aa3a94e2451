-- +goose Up

-- Own changes that are erased, of which the chain needs the hash. They are no more in changes.
CREATE TABLE erased_changes (
  replica  INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  hash     BLOB    NOT NULL, -- SHA-256 of the encoded change
  PRIMARY KEY (replica, sequence)
) WITHOUT ROWID;

-- Records of which the server's journal says that they are erased, or that tokens in them were replaced.
CREATE TABLE erased_records (
  record BLOB    NOT NULL PRIMARY KEY,
  whole  INTEGER NOT NULL,          -- 0: only tokens in it were replaced
  purged INTEGER NOT NULL DEFAULT 0 -- 1: nothing of it is left in unused parts of the file either
) WITHOUT ROWID;

-- +goose Down
DROP TABLE erased_records;
DROP TABLE erased_changes;
