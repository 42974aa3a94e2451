-- +goose Up

-- Who this tablet is, its own chain of changes, and how far it has pulled: one row, from enrolment on.
CREATE TABLE tablet (
  one           INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  deployment    BLOB    NOT NULL,
  device        BLOB    NOT NULL,
  worker        BLOB    NOT NULL,
  server_url    TEXT    NOT NULL,
  server_key    BLOB    NOT NULL, -- Ed25519 public key of the server
  private_key   BLOB    NOT NULL, -- Ed25519 seed of this device
  certificate   BLOB    NOT NULL, -- an encoded Certificate
  site          BLOB,             -- where its worker logs; NULL while not chosen
  replica       INTEGER NOT NULL,
  nonce         INTEGER NOT NULL, -- from which the replica number is derived
  sequence      INTEGER NOT NULL, -- of the newest own change
  chain         BLOB    NOT NULL, -- of the own changes at sequence
  acknowledged  INTEGER NOT NULL, -- the server has the own changes up to here
  acknowledged_chain BLOB NOT NULL, -- the own chain there
  durable       INTEGER NOT NULL, -- and these survive the loss of its disk
  accepted      INTEGER NOT NULL, -- the most that any server ever acknowledged
  possible      INTEGER NOT NULL, -- the most that a server may have got, counting requests that were never answered
  attempts      INTEGER NOT NULL, -- how many requests with changes were begun; the newest one alone may lower possible
  time          INTEGER NOT NULL, -- the highest hybrid logical time seen
  clock_offset  INTEGER NOT NULL, -- correction of the wall clock in milliseconds
  cursor        INTEGER NOT NULL, -- the position up to which everything is pulled
  cursor_chain  BLOB    NOT NULL, -- the first 16 bytes of the server's log there; empty at 0
  last_contact  INTEGER NOT NULL, -- of the last answer, milliseconds since 1970 by the corrected clock
  app           TEXT    NOT NULL  -- the program and version that the server was last told
);

-- Enrolments that were begun: the key is here before the server is asked, so that a lost answer can be asked for again.
CREATE TABLE enrolments (
  code        TEXT    NOT NULL PRIMARY KEY,
  private_key BLOB    NOT NULL,
  nonce       INTEGER NOT NULL
) WITHOUT ROWID;

-- Records: as the server merged them (base), and as this tablet shows them (view): base with the own changes that the
-- server has neither acknowledged nor held.
CREATE TABLE records (
  id       BLOB    NOT NULL PRIMARY KEY,
  kind     INTEGER NOT NULL,
  owner    BLOB,             -- the record that its owner field names
  day      INTEGER NOT NULL, -- occurred_on, YYYYMMDD; 0 when unset
  deleted  INTEGER NOT NULL,
  position INTEGER NOT NULL, -- where the server last had it; 0 never
  proof    BLOB,             -- the server's, over base; NULL when base is not what the server sent
  base     BLOB,             -- an encoded State; NULL while only this tablet knows the record
  view     BLOB    NOT NULL  -- an encoded State
) WITHOUT ROWID;
CREATE INDEX records_by_kind ON records (kind, day, id);
CREATE INDEX records_by_owner ON records (owner) WHERE owner IS NOT NULL;

-- The own changes, all of them: what is not acknowledged is the outbox; the rest is kept to be sent again.
CREATE TABLE changes (
  sequence INTEGER NOT NULL PRIMARY KEY,
  id       BLOB    NOT NULL UNIQUE,
  record   BLOB    NOT NULL,
  body     BLOB    NOT NULL, -- the encoded Change
  held     TEXT    NOT NULL, -- why the server holds it; '' when it does not
  known    INTEGER NOT NULL  -- 1: the server had it from another replica
);
CREATE INDEX changes_by_record ON changes (record);
CREATE INDEX changes_held ON changes (sequence) WHERE held <> '';

-- Places of the server's log that this tablet has seen, to find where histories part.
CREATE TABLE marks (
  position INTEGER NOT NULL PRIMARY KEY,
  chain    BLOB    NOT NULL -- its first 16 bytes
);

-- +goose Down
DROP TABLE marks;
DROP TABLE changes;
DROP TABLE records;
DROP TABLE enrolments;
DROP TABLE tablet;
