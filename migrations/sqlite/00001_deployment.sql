-- +goose Up

-- One deployment's place in its log. Every key leads with the deployment, so that a distributed engine can split by it.
CREATE TABLE deployments (
  deployment BLOB    NOT NULL PRIMARY KEY,
  position   INTEGER NOT NULL, -- of the newest entry of the log
  chain      BLOB    NOT NULL, -- of the log at that position
  time       INTEGER NOT NULL  -- the highest hybrid logical time in the log
) WITHOUT ROWID;

-- The change log: what every replica wrote, in the one order that the server gave it.
CREATE TABLE log (
  deployment BLOB    NOT NULL,
  position   INTEGER NOT NULL,
  replica    INTEGER NOT NULL, -- 0 where no change but a record's new audience took the position
  sequence   INTEGER NOT NULL,
  change     BLOB    NOT NULL, -- the change's id
  record     BLOB    NOT NULL,
  outcome    TEXT    NOT NULL, -- '' applied, 'known' had from another replica, 'erased' came without body, 'audience', else why it is held
  body       BLOB,             -- the change as encoded by its author; NULL once erased
  hash       BLOB,             -- SHA-256 of the body, where the body is erased
  chain      BLOB    NOT NULL, -- of the log at this position
  received   INTEGER NOT NULL, -- milliseconds since 1970, server's clock
  PRIMARY KEY (deployment, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX log_by_sequence ON log (deployment, replica, sequence) WHERE replica > 0;
CREATE INDEX log_by_record ON log (deployment, record);
CREATE INDEX log_held ON log (deployment, position) WHERE outcome NOT IN ('', 'known', 'erased', 'audience');

-- How far the server has each replica.
CREATE TABLE replicas (
  deployment BLOB    NOT NULL,
  replica    INTEGER NOT NULL,
  device     BLOB    NOT NULL, -- zeros: the server itself
  have       INTEGER NOT NULL, -- the last sequence number
  chain      BLOB    NOT NULL, -- the replica's chain there
  PRIMARY KEY (deployment, replica)
) WITHOUT ROWID;

CREATE INDEX replicas_by_device ON replicas (deployment, device);

-- Records as merged.
CREATE TABLE records (
  deployment   BLOB    NOT NULL,
  id           BLOB    NOT NULL,
  kind         INTEGER NOT NULL,
  root         BLOB    NOT NULL, -- its own id when it is a root
  audience     BLOB    NOT NULL, -- the team that receives it; zeros: the whole deployment
  position     INTEGER NOT NULL, -- where it last changed
  origin       INTEGER NOT NULL, -- the replica whose change gave it that position, if its tablet has all of it; else 0
  day          INTEGER NOT NULL, -- occurred_on, YYYYMMDD; 0 when unset
  duplicate_of BLOB,
  state        BLOB    NOT NULL, -- an encoded State
  PRIMARY KEY (deployment, id)
) WITHOUT ROWID;
CREATE INDEX records_by_audience ON records (deployment, audience, position);
CREATE INDEX records_by_root ON records (deployment, root);
CREATE INDEX records_by_kind ON records (deployment, kind, id);
CREATE INDEX records_by_duplicate ON records (deployment, duplicate_of) WHERE duplicate_of IS NOT NULL;

-- Sums over records, moved by each change's difference.
CREATE TABLE totals (
  deployment BLOB    NOT NULL,
  basis      TEXT    NOT NULL, -- reported, verified
  figure     TEXT    NOT NULL,
  dimension  TEXT    NOT NULL, -- whole, day, site, place, team …
  key        TEXT    NOT NULL,
  value      INTEGER NOT NULL,
  PRIMARY KEY (deployment, basis, figure, dimension, key)
) WITHOUT ROWID;

-- How often each token is met, so that distinct persons can be counted: a person is there while the count is positive.
CREATE TABLE tokens (
  deployment BLOB    NOT NULL,
  basis      TEXT    NOT NULL,
  dimension  TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  token      BLOB    NOT NULL,
  count      INTEGER NOT NULL,
  PRIMARY KEY (deployment, basis, dimension, key, token)
) WITHOUT ROWID;

-- Tablets.
CREATE TABLE devices (
  deployment   BLOB    NOT NULL,
  device       BLOB    NOT NULL,
  worker       BLOB    NOT NULL,
  public_key   BLOB    NOT NULL, -- Ed25519
  name         TEXT    NOT NULL,
  app          TEXT    NOT NULL,
  enrolled_at  INTEGER NOT NULL, -- milliseconds since 1970, as all instants
  last_contact INTEGER NOT NULL,
  unsent       INTEGER NOT NULL, -- changes that it said to hold still at its last contact
  revoked_at   INTEGER NOT NULL, -- 0 while it is in use
  PRIMARY KEY (deployment, device)
) WITHOUT ROWID;
CREATE UNIQUE INDEX devices_by_key ON devices (deployment, public_key);

-- Enrolment codes, by the SHA-256 of their secret.
CREATE TABLE enrolment_codes (
  deployment  BLOB    NOT NULL,
  secret_hash BLOB    NOT NULL,
  worker      BLOB    NOT NULL,
  expires_at  INTEGER NOT NULL,
  used_by     BLOB,              -- the device
  PRIMARY KEY (deployment, secret_hash)
) WITHOUT ROWID;

-- Which team and role each worker had from when on: what a change was allowed to do is judged by its stamp.
CREATE TABLE postings (
  deployment BLOB    NOT NULL,
  worker     BLOB    NOT NULL,
  since      INTEGER NOT NULL, -- hybrid logical time
  team       BLOB    NOT NULL, -- zeros: none
  role       INTEGER NOT NULL,
  PRIMARY KEY (deployment, worker, since)
) WITHOUT ROWID;

-- How the planner is to think of the tables. Without this it takes every table for small and walks a whole deployment by
-- the primary key instead of using an index. The numbers are rows, and rows that share the first columns of an index.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('records', 'records', '1000000 1000000 1'),
  ('records', 'records_by_audience', '1000000 1000000 50000 1'),
  ('records', 'records_by_root', '1000000 1000000 5'),
  ('records', 'records_by_kind', '1000000 1000000 50000 1'),
  ('records', 'records_by_duplicate', '1000 1000 1'),
  ('log', 'log', '1000000 1000000 1'),
  ('log', 'log_by_sequence', '1000000 1000000 10000 1'),
  ('log', 'log_by_record', '1000000 1000000 3'),
  ('log', 'log_held', '1000 1000 1');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
DROP TABLE postings;
DROP TABLE enrolment_codes;
DROP TABLE devices;
DROP TABLE tokens;
DROP TABLE totals;
DROP TABLE records;
DROP TABLE replicas;
DROP TABLE log;
DROP TABLE deployments;
