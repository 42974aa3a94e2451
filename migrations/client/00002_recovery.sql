-- +goose Up

-- Own changes, also those made under earlier replica numbers: a tablet that met a copy of itself goes on under a new one.
CREATE TABLE changes_by_replica (
  replica  INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  id       BLOB    NOT NULL UNIQUE,
  record   BLOB    NOT NULL,
  body     BLOB    NOT NULL, -- the encoded Change
  held     TEXT    NOT NULL, -- why the server holds it; '' when it does not
  known    INTEGER NOT NULL, -- 1: the server had it from another replica
  durable  INTEGER NOT NULL DEFAULT 0, -- 1: of an earlier number, and the server has it for good
  PRIMARY KEY (replica, sequence)
);
INSERT INTO changes_by_replica (replica, sequence, id, record, body, held, known)
  SELECT (SELECT replica FROM tablet), sequence, id, record, body, held, known FROM changes;
DROP TABLE changes;
ALTER TABLE changes_by_replica RENAME TO changes;
CREATE INDEX changes_by_record ON changes (record);
CREATE INDEX changes_held ON changes (replica, sequence) WHERE held <> '';

-- The newest state of a record that came with a proof, where base is more than that; NULL where base is exactly what the
-- proof is over, or where there is none.
ALTER TABLE records ADD COLUMN sent BLOB;
-- 1: the server said that the tablet may no longer have it; it goes when its own changes are acknowledged.
ALTER TABLE records ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;
CREATE INDEX records_dropped ON records (id) WHERE dropped = 1;

-- What a server that lost history gets back: states that it proved, and has not shown again since.
CREATE TABLE returns (
  record BLOB    NOT NULL,
  proof  BLOB    NOT NULL,
  kind   INTEGER NOT NULL,
  state  BLOB    NOT NULL, -- an encoded State
  given  INTEGER NOT NULL, -- the end of the server's log when it took this; 0 while it has not, or may have lost it again
  PRIMARY KEY (record, proof)
) WITHOUT ROWID;
CREATE INDEX returns_to_give ON returns (record) WHERE given = 0;

-- The server's journal, as far as it was sent here.
CREATE TABLE journal (
  number INTEGER NOT NULL PRIMARY KEY,
  entry  BLOB    NOT NULL -- an encoded JournalEntry
);
ALTER TABLE tablet ADD COLUMN journal       INTEGER NOT NULL DEFAULT 0;   -- up to where the journal is held
ALTER TABLE tablet ADD COLUMN journal_chain BLOB    NOT NULL DEFAULT x''; -- the first 16 bytes of its chain there
-- 1: the server knows this tablet by its certificate alone, and holds what it sends.
ALTER TABLE tablet ADD COLUMN unconfirmed   INTEGER NOT NULL DEFAULT 0;
-- Where the cursor was before it went back to 0: whether the log is still the same there is asked when all is pulled.
ALTER TABLE tablet ADD COLUMN recheck       INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tablet ADD COLUMN recheck_chain BLOB    NOT NULL DEFAULT x'';

-- +goose Down
ALTER TABLE tablet DROP COLUMN recheck_chain;
ALTER TABLE tablet DROP COLUMN recheck;
ALTER TABLE tablet DROP COLUMN unconfirmed;
ALTER TABLE tablet DROP COLUMN journal_chain;
ALTER TABLE tablet DROP COLUMN journal;
DROP TABLE journal;
DROP TABLE returns;
DROP INDEX records_dropped;
ALTER TABLE records DROP COLUMN dropped;
ALTER TABLE records DROP COLUMN sent;
CREATE TABLE changes_of_one (
  sequence INTEGER NOT NULL PRIMARY KEY,
  id       BLOB    NOT NULL UNIQUE,
  record   BLOB    NOT NULL,
  body     BLOB    NOT NULL,
  held     TEXT    NOT NULL,
  known    INTEGER NOT NULL
);
INSERT INTO changes_of_one SELECT sequence, id, record, body, held, known FROM changes WHERE replica = (SELECT replica FROM tablet);
DROP TABLE changes;
ALTER TABLE changes_of_one RENAME TO changes;
CREATE INDEX changes_by_record ON changes (record);
CREATE INDEX changes_held ON changes (sequence) WHERE held <> '';
