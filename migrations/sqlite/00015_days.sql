-- +goose Up

-- What each day gave, divided by all that reports divide by at once. The columns of numbers are sums of what counts; they move
-- with the totals, in the same transaction. Reports of any days add up these rows.
CREATE TABLE day_sums (
  deployment          BLOB    NOT NULL,
  basis               TEXT    NOT NULL, -- reported, verified
  day                 INTEGER NOT NULL, -- YYYYMMDD
  team                TEXT    NOT NULL, -- keys as in totals; empty where the record does not say
  site                TEXT    NOT NULL,
  service_area        TEXT    NOT NULL,
  town                TEXT    NOT NULL, -- 9 digits
  records             INTEGER NOT NULL, -- how many count
  cases               INTEGER NOT NULL,
  case_sessions       INTEGER NOT NULL,
  group_sessions      INTEGER NOT NULL,
  community_activities INTEGER NOT NULL,
  outreach_rounds     INTEGER NOT NULL,
  contacts            INTEGER NOT NULL,
  persons_by_number   INTEGER NOT NULL,
  persons_estimated   INTEGER NOT NULL,
  PRIMARY KEY (deployment, basis, day, team, site, service_area, town)
) WITHOUT ROWID;

-- What each worker held on each day, as author or co-worker, and how long that took.
CREATE TABLE work_days (
  deployment          BLOB    NOT NULL,
  day                 INTEGER NOT NULL,
  worker              BLOB    NOT NULL,
  records             INTEGER NOT NULL, -- how many say that the worker worked then
  minutes             INTEGER NOT NULL,
  case_sessions       INTEGER NOT NULL,
  group_sessions      INTEGER NOT NULL,
  community_activities INTEGER NOT NULL,
  outreach_rounds     INTEGER NOT NULL,
  PRIMARY KEY (deployment, day, worker)
) WITHOUT ROWID;

-- On which days each token is met, and where: as often as records that count say so.
CREATE TABLE meetings (
  deployment   BLOB    NOT NULL,
  token        BLOB    NOT NULL,
  basis        TEXT    NOT NULL,
  day          INTEGER NOT NULL,
  team         TEXT    NOT NULL,
  site         TEXT    NOT NULL,
  service_area TEXT    NOT NULL,
  town         TEXT    NOT NULL,
  count        INTEGER NOT NULL,
  PRIMARY KEY (deployment, token, basis, day, team, site, service_area, town)
) WITHOUT ROWID;
CREATE INDEX meetings_by_team ON meetings (deployment, basis, team, day);

-- How many tokens are met within a cut on a day, by the day of the cut before on which they were met. So persons of any days
-- can be counted without looking at each: they are those who were not met between the first of these days and the one.
CREATE TABLE met_days (
  deployment BLOB    NOT NULL,
  basis      TEXT    NOT NULL,
  dimension  TEXT    NOT NULL, -- whole, site, place (towns), team, service_area
  day        INTEGER NOT NULL,
  before     INTEGER NOT NULL, -- 0: never before within the cut
  first      INTEGER NOT NULL, -- where before is 0: the first day on which they were met at all; else 0
  key        TEXT    NOT NULL,
  tokens     INTEGER NOT NULL,
  PRIMARY KEY (deployment, basis, dimension, day, before, first, key)
) WITHOUT ROWID;

-- Goods that were asked for or delivered, by the day of that.
CREATE TABLE goods_days (
  deployment BLOB    NOT NULL,
  day        INTEGER NOT NULL,
  noted      INTEGER NOT NULL, -- the day of the record, where that is later; else 0
  audience   BLOB    NOT NULL, -- the team that receives the records
  what       INTEGER NOT NULL, -- 1 asked for and waiting, 2 promised, 3 failed, 4 asked for and delivered by now; 5 delivered that day
  unit       TEXT    NOT NULL,
  links      INTEGER NOT NULL, -- how many records say so
  quantity   INTEGER NOT NULL,
  yuan       INTEGER NOT NULL,
  PRIMARY KEY (deployment, day, noted, audience, what, unit)
) WITHOUT ROWID;

-- Risk alerts, by the day on which they say to have occurred.
CREATE TABLE alert_days (
  deployment BLOB    NOT NULL,
  day        INTEGER NOT NULL, -- 0: they say none
  audience   BLOB    NOT NULL,
  sent       INTEGER NOT NULL,
  open       INTEGER NOT NULL, -- of these, those that nobody has acknowledged
  PRIMARY KEY (deployment, day, audience)
) WITHOUT ROWID;

-- How many cases are open, by team and stage.
CREATE TABLE open_cases (
  deployment BLOB    NOT NULL,
  audience   BLOB    NOT NULL,
  stage      INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  PRIMARY KEY (deployment, audience, stage)
) WITHOUT ROWID;
INSERT INTO open_cases (deployment, audience, stage, count)
  SELECT deployment, audience, stage, count(*) FROM casework WHERE closed = 0 GROUP BY deployment, audience, stage;

-- 1: the tables by day hold all that the records give. They are filled from the records when a server opens the database.
ALTER TABLE deployments ADD COLUMN days INTEGER NOT NULL DEFAULT 0;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('day_sums', 'day_sums', '100000 100000 50000 500 5 5 2 1'),
  ('work_days', 'work_days', '100000 100000 1000 1'),
  ('meetings', 'meetings', '1000000 1000000 10 5 1 1 1 1 1'),
  ('meetings', 'meetings_by_team', '1000000 1000000 500000 10000 100 1 1 1 1'),
  ('met_days', 'met_days', '1000000 1000000 500000 100000 1000 50 50 1'),
  ('goods_days', 'goods_days', '100000 100000 1000 1000 10 3 1'),
  ('alert_days', 'alert_days', '10000 10000 100 1'),
  ('open_cases', 'open_cases', '1000 1000 10 1');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
ALTER TABLE deployments DROP COLUMN days;
DROP TABLE open_cases;
DROP TABLE alert_days;
DROP TABLE goods_days;
DROP TABLE met_days;
DROP TABLE meetings;
DROP TABLE work_days;
DROP TABLE day_sums;
