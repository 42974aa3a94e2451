-- +goose Up

-- What the pages of supervisors are made of. All of it follows from the records, and is made anew from them when it is not
-- there. Only words stands for all deployments: its numbers begin with the deployment's own.

-- How far each deployment's log is in these tables.
CREATE TABLE indexed (
  deployment BLOB    NOT NULL PRIMARY KEY,
  number     INTEGER NOT NULL, -- the deployment's own, from 1
  version    INTEGER NOT NULL, -- of the rules by which the tables were made
  position   INTEGER NOT NULL
) WITHOUT ROWID;

-- Records that count, and where they stand with their reviews.
CREATE TABLE reviewing (
  deployment BLOB    NOT NULL,
  record     BLOB    NOT NULL,
  audience   BLOB    NOT NULL, -- as in records
  kind       INTEGER NOT NULL,
  standing   INTEGER NOT NULL, -- 1 waiting, 2 returned, 3 approved
  day        INTEGER NOT NULL, -- on which it counts, YYYYMMDD
  author     BLOB    NOT NULL,
  PRIMARY KEY (deployment, record)
) WITHOUT ROWID;
CREATE INDEX reviewing_by_day ON reviewing (deployment, audience, standing, day, record);
CREATE INDEX reviewing_by_kind ON reviewing (deployment, audience, standing, kind, day, record);

-- How many there are.
CREATE TABLE review_counts (
  deployment BLOB    NOT NULL,
  audience   BLOB    NOT NULL,
  kind       INTEGER NOT NULL,
  standing   INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  PRIMARY KEY (deployment, audience, kind, standing)
) WITHOUT ROWID;

-- By what records are found that may be of one thing.
CREATE TABLE likenesses (
  deployment BLOB NOT NULL,
  record     BLOB NOT NULL,
  likeness   BLOB NOT NULL,
  PRIMARY KEY (deployment, record)
) WITHOUT ROWID;
CREATE INDEX likenesses_by_likeness ON likenesses (deployment, likeness, record);

-- What somebody said of two records: that they are of different things.
CREATE TABLE distinctions (
  deployment BLOB NOT NULL,
  record     BLOB NOT NULL, -- the Distinction
  earlier    BLOB NOT NULL, -- the record that was made first
  later      BLOB NOT NULL,
  PRIMARY KEY (deployment, record)
) WITHOUT ROWID;
CREATE INDEX distinctions_by_records ON distinctions (deployment, earlier, later);

-- Pairs that are likely of one thing.
CREATE TABLE likely (
  deployment     BLOB    NOT NULL,
  earlier        BLOB    NOT NULL, -- the record that was made first
  later          BLOB    NOT NULL,
  kind           INTEGER NOT NULL,
  day            INTEGER NOT NULL, -- of the later one, YYYYMMDD; 0 when unset
  audience       BLOB    NOT NULL, -- of the earlier one
  later_audience BLOB    NOT NULL,
  PRIMARY KEY (deployment, earlier, later)
) WITHOUT ROWID;
CREATE INDEX likely_by_later ON likely (deployment, later);
CREATE INDEX likely_by_day ON likely (deployment, day, earlier, later);
CREATE INDEX likely_by_audience ON likely (deployment, audience, day, earlier, later);

-- Cases that count.
CREATE TABLE casework (
  deployment      BLOB    NOT NULL,
  record          BLOB    NOT NULL,
  audience        BLOB    NOT NULL,
  lead            BLOB    NOT NULL,
  stage           INTEGER NOT NULL,
  opened_on       INTEGER NOT NULL, -- all days YYYYMMDD; 0: none
  last_session_on INTEGER NOT NULL,
  next_due_on     INTEGER NOT NULL,
  closed          INTEGER NOT NULL, -- 1: it is
  closed_on       INTEGER NOT NULL,
  followup_due_on INTEGER NOT NULL, -- 0 also once it was met after the closure
  evaluated       INTEGER NOT NULL, -- 1: a session at that stage was held
  PRIMARY KEY (deployment, record)
) WITHOUT ROWID;

-- The lists that a case is on, each with the day that matters there.
CREATE TABLE case_days (
  deployment BLOB    NOT NULL,
  record     BLOB    NOT NULL,
  list       INTEGER NOT NULL, -- 1 open, 2 quiet since, 3 next step due, 4 follow-up due, 5 closed without evaluation
  day        INTEGER NOT NULL,
  audience   BLOB    NOT NULL,
  lead       BLOB    NOT NULL,
  PRIMARY KEY (deployment, record, list)
) WITHOUT ROWID;
CREATE INDEX case_days_by_day ON case_days (deployment, list, day, record);
CREATE INDEX case_days_by_audience ON case_days (deployment, list, audience, day, record);
CREATE INDEX case_days_by_lead ON case_days (deployment, list, lead, day, record);

-- Which words stand in which record: numbers and words of its texts, pairs of Chinese characters, and by whom it may be seen.
CREATE VIRTUAL TABLE words USING fts5 (text, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');

-- The number under which words has a record: the deployment's, and then the position at which the record came.
CREATE TABLE documents (
  deployment BLOB    NOT NULL,
  record     BLOB    NOT NULL,
  number     INTEGER NOT NULL,
  digest     INTEGER NOT NULL, -- of its words
  PRIMARY KEY (deployment, record)
) WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('reviewing', 'reviewing', '1000000 1000000 1'),
  ('reviewing', 'reviewing_by_day', '1000000 1000000 50000 20000 500 1'),
  ('reviewing', 'reviewing_by_kind', '1000000 1000000 50000 20000 5000 100 1'),
  ('review_counts', 'review_counts', '2000 2000 20 3 1'),
  ('likenesses', 'likenesses', '1000000 1000000 1'),
  ('likenesses', 'likenesses_by_likeness', '1000000 1000000 2 1'),
  ('distinctions', 'distinctions', '10000 10000 1'),
  ('distinctions', 'distinctions_by_records', '10000 10000 2 1'),
  ('likely', 'likely', '10000 10000 2 1'),
  ('likely', 'likely_by_later', '10000 10000 2'),
  ('likely', 'likely_by_day', '10000 10000 100 2 1'),
  ('likely', 'likely_by_audience', '10000 10000 500 10 2 1'),
  ('casework', 'casework', '100000 100000 1'),
  ('case_days', 'case_days', '200000 200000 2 1'),
  ('case_days', 'case_days_by_day', '200000 200000 40000 500 1'),
  ('case_days', 'case_days_by_audience', '200000 200000 40000 2000 20 1'),
  ('case_days', 'case_days_by_lead', '200000 200000 40000 500 10 1'),
  ('documents', 'documents', '1000000 1000000 1');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
DROP TABLE documents;
DROP TABLE words;
DROP TABLE case_days;
DROP TABLE casework;
DROP TABLE likely;
DROP TABLE distinctions;
DROP TABLE likenesses;
DROP TABLE review_counts;
DROP TABLE reviewing;
DROP TABLE indexed;
