-- +goose Up

-- The tables of sqlite/, with the same columns: integers are BIGINT, bytes BYTEA, and texts are compared byte by byte, as they are
-- there. Every key and every index of what belongs to a deployment leads with the deployment.

-- One deployment's place in its log. Whoever writes to a deployment holds its row until the transaction ends, so that positions are
-- committed in their order. A row at position 0 is there for that alone. The zero deployment's is held by who writes accounts.
CREATE TABLE deployments (
  deployment BYTEA  NOT NULL,
  position   BIGINT NOT NULL, -- of the newest entry of the log
  chain      BYTEA  NOT NULL, -- of the log at that position
  time       BIGINT NOT NULL, -- the highest hybrid logical time in the log
  ahead      BIGINT NOT NULL DEFAULT 0, -- stamps up to this hybrid logical time are taken, though they may lie in the future
  days       BIGINT NOT NULL DEFAULT 0, -- 1: the tables by day hold all that the records give
  PRIMARY KEY (deployment)
);

-- The change log: what every replica wrote, in the one order that the server gave it.
CREATE TABLE log (
  deployment BYTEA            NOT NULL,
  position   BIGINT           NOT NULL,
  replica    BIGINT           NOT NULL, -- 0 where no change but a record's new audience took the position
  sequence   BIGINT           NOT NULL,
  change     BYTEA            NOT NULL, -- the change's id
  record     BYTEA            NOT NULL,
  outcome    TEXT COLLATE "C" NOT NULL, -- '' applied, 'known' had from another replica, 'erased' came without body, 'audience', 'given', 'settled', 'discarded', else why it is held
  body       BYTEA, -- the change as encoded by its author; NULL once erased
  hash       BYTEA, -- that of the change as its author encoded it, where body is not that any more
  chain      BYTEA            NOT NULL, -- of the log at this position
  received   BIGINT           NOT NULL, -- milliseconds since 1970, server's clock
  waits_for  BYTEA, -- what a held change waits for: the record that it edits, or the one that is to own it
  PRIMARY KEY (deployment, position)
);
CREATE UNIQUE INDEX log_by_sequence ON log (deployment, replica, sequence) WHERE replica > 0;
CREATE INDEX log_by_record ON log (deployment, record);
CREATE INDEX log_waiting ON log (deployment, waits_for) WHERE waits_for IS NOT NULL;
CREATE INDEX log_held ON log (deployment, position) WHERE outcome NOT IN ('', 'known', 'erased', 'audience', 'given', 'settled', 'discarded');
CREATE INDEX log_kept ON log (deployment, change) WHERE outcome NOT IN ('', 'known', 'erased', 'audience', 'given', 'settled');
CREATE INDEX log_settled ON log (deployment, position) WHERE outcome = 'settled';

-- How far the server has each replica.
CREATE TABLE replicas (
  deployment BYTEA  NOT NULL,
  replica    BIGINT NOT NULL,
  device     BYTEA  NOT NULL, -- zeros: the server itself
  have       BIGINT NOT NULL, -- the last sequence number
  chain      BYTEA  NOT NULL, -- the replica's chain there
  durable    BIGINT NOT NULL DEFAULT 0, -- the last sequence number that is durable
  PRIMARY KEY (deployment, replica)
);
CREATE INDEX replicas_by_device ON replicas (deployment, device);

-- Records as merged.
CREATE TABLE records (
  deployment   BYTEA  NOT NULL,
  id           BYTEA  NOT NULL,
  kind         BIGINT NOT NULL,
  root         BYTEA  NOT NULL, -- its own id when it is a root
  audience     BYTEA  NOT NULL, -- the team that receives it; zeros: the whole deployment
  position     BIGINT NOT NULL, -- where it last changed
  origin       BIGINT NOT NULL, -- the replica whose change gave it that position, if its tablet has all of it; else 0
  day          BIGINT NOT NULL, -- occurred_on, YYYYMMDD; 0 when unset
  duplicate_of BYTEA,
  state        BYTEA  NOT NULL, -- an encoded State
  orphan_of    BYTEA, -- of a record given back whose owner is not there: what it waits for
  origin_after BIGINT NOT NULL DEFAULT 0, -- the position that it had before the changes of its origin; 0 when that made it
  unsettled    BIGINT NOT NULL DEFAULT 0, -- 1: a conflict that is open
  PRIMARY KEY (deployment, id)
);
CREATE INDEX records_by_audience ON records (deployment, audience, position);
CREATE INDEX records_by_root ON records (deployment, root);
CREATE INDEX records_by_kind ON records (deployment, kind, id);
CREATE INDEX records_by_duplicate ON records (deployment, duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX records_orphaned ON records (deployment, orphan_of) WHERE orphan_of IS NOT NULL;
CREATE INDEX records_by_day ON records (deployment, kind, audience, day, id);
CREATE INDEX records_unsettled ON records (deployment, id) WHERE unsettled = 1;
CREATE INDEX records_unsettled_by_team ON records (deployment, audience) WHERE unsettled = 1;

-- Sums over records, moved by each change's difference.
CREATE TABLE totals (
  deployment BYTEA            NOT NULL,
  basis      TEXT COLLATE "C" NOT NULL, -- reported, verified
  figure     TEXT COLLATE "C" NOT NULL,
  dimension  TEXT COLLATE "C" NOT NULL, -- whole, day, site, place, team …
  key        TEXT COLLATE "C" NOT NULL,
  value      BIGINT           NOT NULL,
  PRIMARY KEY (deployment, basis, figure, dimension, key)
);

-- How often each token is met, so that distinct persons can be counted: a person is there while the count is positive.
CREATE TABLE tokens (
  deployment BYTEA            NOT NULL,
  basis      TEXT COLLATE "C" NOT NULL,
  dimension  TEXT COLLATE "C" NOT NULL,
  key        TEXT COLLATE "C" NOT NULL,
  token      BYTEA            NOT NULL,
  count      BIGINT           NOT NULL,
  PRIMARY KEY (deployment, basis, dimension, key, token)
);

-- Tablets.
CREATE TABLE devices (
  deployment   BYTEA            NOT NULL,
  device       BYTEA            NOT NULL,
  worker       BYTEA            NOT NULL,
  public_key   BYTEA            NOT NULL, -- Ed25519
  name         TEXT COLLATE "C" NOT NULL,
  app          TEXT COLLATE "C" NOT NULL,
  enrolled_at  BIGINT           NOT NULL, -- milliseconds since 1970, as all instants
  last_contact BIGINT           NOT NULL,
  unsent       BIGINT           NOT NULL, -- changes that it said to hold still at its last contact
  revoked_at   BIGINT           NOT NULL, -- 0 while it is in use
  admitted_at  BIGINT           NOT NULL DEFAULT 0, -- when it came in by its certificate; 0 once confirmed, and for all others
  replaced_by  BYTEA, -- the device that took its place
  PRIMARY KEY (deployment, device)
);
CREATE UNIQUE INDEX devices_by_key ON devices (deployment, public_key);

-- Enrolment codes, by the SHA-256 of their secret.
CREATE TABLE enrolment_codes (
  deployment  BYTEA  NOT NULL,
  secret_hash BYTEA  NOT NULL,
  worker      BYTEA  NOT NULL,
  expires_at  BIGINT NOT NULL,
  used_by     BYTEA, -- the device
  replaces    BYTEA, -- the device whose place is taken
  PRIMARY KEY (deployment, secret_hash)
);

-- Which team and role each worker had from when on: what a change was allowed to do is judged by its stamp.
CREATE TABLE postings (
  deployment BYTEA  NOT NULL,
  worker     BYTEA  NOT NULL,
  since      BIGINT NOT NULL, -- hybrid logical time
  team       BYTEA  NOT NULL, -- zeros: none
  role       BIGINT NOT NULL,
  supervises BYTEA  NOT NULL DEFAULT '', -- teams besides the own one: ids of 16 bytes, one after the other
  external   BIGINT NOT NULL DEFAULT 0, -- 1: a supervisor who comes from outside
  PRIMARY KEY (deployment, worker, since)
);

-- Decisions on held changes: which HeldDecision records are about a change.
CREATE TABLE decisions (
  deployment BYTEA NOT NULL,
  change     BYTEA NOT NULL,
  record     BYTEA NOT NULL,
  PRIMARY KEY (deployment, change, record)
);

-- Records that left an audience: who pulls past the position is told to drop them.
CREATE TABLE departures (
  deployment BYTEA  NOT NULL,
  audience   BYTEA  NOT NULL, -- a team, or one worker
  position   BIGINT NOT NULL,
  record     BYTEA  NOT NULL,
  reset      BIGINT NOT NULL, -- 1: to be dropped by those too who may see it: what they have of it was discarded
  PRIMARY KEY (deployment, audience, position, record)
);

-- Who may sign in on the web. What belongs to the server as a whole has no deployment in its key.
CREATE TABLE accounts (
  account       BYTEA            NOT NULL,
  login         TEXT COLLATE "C" NOT NULL, -- lower case
  name          TEXT COLLATE "C" NOT NULL,
  language      TEXT COLLATE "C" NOT NULL, -- zh, en
  administrator BIGINT           NOT NULL,
  disabled      BIGINT           NOT NULL,
  standing_set  BIGINT           NOT NULL, -- when it was last disabled or enabled, milliseconds since 1970, as all instants
  password      TEXT COLLATE "C" NOT NULL, -- argon2id, as a PHC string
  password_set  BIGINT           NOT NULL,
  secret        BYTEA, -- of the time code, sealed; NULL without one
  pending       BYTEA, -- one that was not confirmed yet
  counter       BIGINT           NOT NULL, -- the newest time code that was used
  made          BIGINT           NOT NULL,
  PRIMARY KEY (account)
);
CREATE UNIQUE INDEX accounts_by_login ON accounts (login);

-- As whom an account acts in a deployment: one worker, who is nobody else.
CREATE TABLE memberships (
  account    BYTEA  NOT NULL,
  deployment BYTEA  NOT NULL,
  worker     BYTEA  NOT NULL,
  since      BIGINT NOT NULL,
  PRIMARY KEY (account, deployment)
);
CREATE UNIQUE INDEX memberships_by_worker ON memberships (deployment, worker);

-- One-time links, by the SHA-256 of their code.
CREATE TABLE links (
  hash          BYTEA            NOT NULL,
  sort          TEXT COLLATE "C" NOT NULL, -- set_up, invitation, reset
  administrator BIGINT           NOT NULL,
  deployment    BYTEA            NOT NULL, -- zeros: to none
  worker        BYTEA            NOT NULL,
  account       BYTEA            NOT NULL, -- whose password a reset sets
  made_by       BYTEA            NOT NULL,
  expires       BIGINT           NOT NULL,
  spent         BIGINT           NOT NULL, -- 0 until it was used
  PRIMARY KEY (hash)
);
CREATE INDEX links_by_expiry ON links (expires);

-- Sessions, by the SHA-256 of what their cookies carry.
CREATE TABLE sessions (
  hash       BYTEA  NOT NULL,
  session    BYTEA  NOT NULL, -- its id, as the audit log has it
  account    BYTEA  NOT NULL,
  generation BIGINT NOT NULL, -- of the newest cookie
  began      BIGINT NOT NULL,
  seen       BIGINT NOT NULL,
  rotated    BIGINT NOT NULL, -- when the newest cookie was made
  ended      BIGINT NOT NULL, -- 0 while it stands
  PRIMARY KEY (hash)
);
CREATE INDEX sessions_by_account ON sessions (account, session);
CREATE INDEX sessions_by_beginning ON sessions (began);

-- API tokens, by the SHA-256 of their text.
CREATE TABLE api_tokens (
  hash       BYTEA            NOT NULL,
  token      BYTEA            NOT NULL, -- its id
  account    BYTEA            NOT NULL, -- zeros: made at the command line
  deployment BYTEA            NOT NULL,
  worker     BYTEA            NOT NULL, -- as whom it acts
  name       TEXT COLLATE "C" NOT NULL,
  scopes     TEXT COLLATE "C" NOT NULL, -- with spaces between them
  made       BIGINT           NOT NULL,
  expires    BIGINT           NOT NULL,
  used       BIGINT           NOT NULL,
  revoked    BIGINT           NOT NULL, -- 0 while it is good
  PRIMARY KEY (hash)
);
CREATE INDEX api_tokens_by_account ON api_tokens (account, token);
CREATE INDEX api_tokens_by_deployment ON api_tokens (deployment, token);

-- Who did what to what, when, and from where: ids alone. The zero deployment is the server.
CREATE TABLE audit (
  deployment   BYTEA            NOT NULL,
  number       BIGINT           NOT NULL,
  at           BIGINT           NOT NULL,
  account      BYTEA            NOT NULL,
  worker       BYTEA            NOT NULL,
  device       BYTEA            NOT NULL,
  session      BYTEA            NOT NULL,
  token        BYTEA            NOT NULL,
  action       TEXT COLLATE "C" NOT NULL,
  subject_kind TEXT COLLATE "C" NOT NULL,
  subject      BYTEA            NOT NULL,
  chain        BYTEA            NOT NULL, -- SHA-256 over the chain before and this row
  format       TEXT COLLATE "C" NOT NULL DEFAULT '', -- empty for what is no export
  position     BIGINT           NOT NULL DEFAULT 0,
  PRIMARY KEY (deployment, number)
);

-- +goose StatementBegin
CREATE FUNCTION audit_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is never changed';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_never_changes BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_never_changes();
CREATE TRIGGER audit_never_shrinks BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_never_changes();

-- Which entries of the journal about erased personal data were carried out here. A database that was set back lacks some,
-- and carries them out before it serves.
CREATE TABLE erasures (
  deployment BYTEA            NOT NULL,
  sort       TEXT COLLATE "C" NOT NULL,
  subject    BYTEA            NOT NULL,
  purged     BIGINT           NOT NULL DEFAULT 0, -- 1: nothing of it is left in unused parts of the file either
  PRIMARY KEY (deployment, sort, subject)
);
CREATE INDEX erasures_unpurged ON erasures (deployment) WHERE purged = 0;

-- How far each deployment's log is in these tables.
CREATE TABLE indexed (
  deployment BYTEA  NOT NULL,
  number     BIGINT NOT NULL, -- the deployment's own, from 1
  version    BIGINT NOT NULL, -- of the rules by which the tables were made
  position   BIGINT NOT NULL,
  PRIMARY KEY (deployment)
);

-- Records that count, and where they stand with their reviews.
CREATE TABLE reviewing (
  deployment BYTEA  NOT NULL,
  record     BYTEA  NOT NULL,
  audience   BYTEA  NOT NULL, -- as in records
  kind       BIGINT NOT NULL,
  standing   BIGINT NOT NULL, -- 1 waiting, 2 returned, 3 approved
  day        BIGINT NOT NULL, -- on which it counts, YYYYMMDD
  author     BYTEA  NOT NULL,
  PRIMARY KEY (deployment, record)
);
CREATE INDEX reviewing_by_day ON reviewing (deployment, audience, standing, day, record);
CREATE INDEX reviewing_by_kind ON reviewing (deployment, audience, standing, kind, day, record);

-- How many there are.
CREATE TABLE review_counts (
  deployment BYTEA  NOT NULL,
  audience   BYTEA  NOT NULL,
  kind       BIGINT NOT NULL,
  standing   BIGINT NOT NULL,
  count      BIGINT NOT NULL,
  PRIMARY KEY (deployment, audience, kind, standing)
);

-- By what records are found that may be of one thing.
CREATE TABLE likenesses (
  deployment BYTEA NOT NULL,
  record     BYTEA NOT NULL,
  likeness   BYTEA NOT NULL,
  PRIMARY KEY (deployment, record)
);
CREATE INDEX likenesses_by_likeness ON likenesses (deployment, likeness, record);

-- What somebody said of two records: that they are of different things.
CREATE TABLE distinctions (
  deployment BYTEA NOT NULL,
  record     BYTEA NOT NULL, -- the Distinction
  earlier    BYTEA NOT NULL, -- the record that was made first
  later      BYTEA NOT NULL,
  PRIMARY KEY (deployment, record)
);
CREATE INDEX distinctions_by_records ON distinctions (deployment, earlier, later);

-- Pairs that are likely of one thing.
CREATE TABLE likely (
  deployment     BYTEA  NOT NULL,
  earlier        BYTEA  NOT NULL, -- the record that was made first
  later          BYTEA  NOT NULL,
  kind           BIGINT NOT NULL,
  day            BIGINT NOT NULL, -- of the later one, YYYYMMDD; 0 when unset
  audience       BYTEA  NOT NULL, -- of the earlier one
  later_audience BYTEA  NOT NULL,
  PRIMARY KEY (deployment, earlier, later)
);
CREATE INDEX likely_by_later ON likely (deployment, later);
CREATE INDEX likely_by_day ON likely (deployment, day, earlier, later);
CREATE INDEX likely_by_audience ON likely (deployment, audience, day, earlier, later);

-- Cases that count.
CREATE TABLE casework (
  deployment      BYTEA  NOT NULL,
  record          BYTEA  NOT NULL,
  audience        BYTEA  NOT NULL,
  lead            BYTEA  NOT NULL,
  stage           BIGINT NOT NULL,
  opened_on       BIGINT NOT NULL, -- all days YYYYMMDD; 0: none
  last_session_on BIGINT NOT NULL,
  next_due_on     BIGINT NOT NULL,
  closed          BIGINT NOT NULL, -- 1: it is
  closed_on       BIGINT NOT NULL,
  followup_due_on BIGINT NOT NULL, -- 0 also once it was met after the closure
  evaluated       BIGINT NOT NULL, -- 1: a session at that stage was held
  PRIMARY KEY (deployment, record)
);

-- The lists that a case is on, each with the day that matters there.
CREATE TABLE case_days (
  deployment BYTEA  NOT NULL,
  record     BYTEA  NOT NULL,
  list       BIGINT NOT NULL, -- 1 open, 2 quiet since, 3 next step due, 4 follow-up due, 5 closed without evaluation
  day        BIGINT NOT NULL,
  audience   BYTEA  NOT NULL,
  lead       BYTEA  NOT NULL,
  PRIMARY KEY (deployment, record, list)
);
CREATE INDEX case_days_by_day ON case_days (deployment, list, day, record);
CREATE INDEX case_days_by_audience ON case_days (deployment, list, audience, day, record);
CREATE INDEX case_days_by_lead ON case_days (deployment, list, lead, day, record);

-- The number under which words has a record: the deployment's, and then the position at which the record came.
CREATE TABLE documents (
  deployment BYTEA  NOT NULL,
  record     BYTEA  NOT NULL,
  number     BIGINT NOT NULL,
  digest     BIGINT NOT NULL, -- of its words
  PRIMARY KEY (deployment, record)
);

-- Who is told of a risk alert, step by step, and what came of it. A step is here before anything of it is sent.
CREATE TABLE alert_notices (
  deployment BYTEA            NOT NULL,
  alert      BYTEA            NOT NULL,
  step       BIGINT           NOT NULL, -- from 1
  worker     BYTEA            NOT NULL,
  channel    TEXT COLLATE "C" NOT NULL, -- mail, sms
  at         BIGINT           NOT NULL, -- when the step began, milliseconds since 1970
  outcome    TEXT COLLATE "C" NOT NULL, -- waiting, sent, failed, no_address, off
  attempts   BIGINT           NOT NULL,
  tried      BIGINT           NOT NULL, -- the last attempt; 0: none
  PRIMARY KEY (deployment, alert, step, worker, channel)
);

-- The Excel files of county bureaus into which reports are poured, and which of their cells gets what.
CREATE TABLE workbooks (
  deployment BYTEA            NOT NULL,
  workbook   BYTEA            NOT NULL,
  name       TEXT COLLATE "C" NOT NULL,
  file       BYTEA            NOT NULL,
  cells      TEXT COLLATE "C" NOT NULL, -- JSON
  PRIMARY KEY (deployment, workbook)
);

-- What each day gave, divided by all that reports divide by at once. The columns of numbers are sums of what counts; they move
-- with the totals, in the same transaction. Reports of any days add up these rows.
CREATE TABLE day_sums (
  deployment           BYTEA            NOT NULL,
  basis                TEXT COLLATE "C" NOT NULL, -- reported, verified
  day                  BIGINT           NOT NULL, -- YYYYMMDD
  team                 TEXT COLLATE "C" NOT NULL, -- keys as in totals; empty where the record does not say
  site                 TEXT COLLATE "C" NOT NULL,
  service_area         TEXT COLLATE "C" NOT NULL,
  town                 TEXT COLLATE "C" NOT NULL, -- 9 digits
  records              BIGINT           NOT NULL, -- how many count
  cases                BIGINT           NOT NULL,
  case_sessions        BIGINT           NOT NULL,
  group_sessions       BIGINT           NOT NULL,
  community_activities BIGINT           NOT NULL,
  outreach_rounds      BIGINT           NOT NULL,
  contacts             BIGINT           NOT NULL,
  persons_by_number    BIGINT           NOT NULL,
  persons_estimated    BIGINT           NOT NULL,
  PRIMARY KEY (deployment, basis, day, team, site, service_area, town)
);

-- What each worker held on each day, as author or co-worker, and how long that took.
CREATE TABLE work_days (
  deployment           BYTEA  NOT NULL,
  day                  BIGINT NOT NULL,
  worker               BYTEA  NOT NULL,
  records              BIGINT NOT NULL, -- how many say that the worker worked then
  minutes              BIGINT NOT NULL,
  case_sessions        BIGINT NOT NULL,
  group_sessions       BIGINT NOT NULL,
  community_activities BIGINT NOT NULL,
  outreach_rounds      BIGINT NOT NULL,
  PRIMARY KEY (deployment, day, worker)
);

-- On which days each token is met, and where: as often as records that count say so.
CREATE TABLE meetings (
  deployment   BYTEA            NOT NULL,
  token        BYTEA            NOT NULL,
  basis        TEXT COLLATE "C" NOT NULL,
  day          BIGINT           NOT NULL,
  team         TEXT COLLATE "C" NOT NULL,
  site         TEXT COLLATE "C" NOT NULL,
  service_area TEXT COLLATE "C" NOT NULL,
  town         TEXT COLLATE "C" NOT NULL,
  count        BIGINT           NOT NULL,
  PRIMARY KEY (deployment, token, basis, day, team, site, service_area, town)
);
CREATE INDEX meetings_by_team ON meetings (deployment, basis, team, day);

-- How many tokens are met within a cut on a day, by the day of the cut before on which they were met. So persons of any days
-- can be counted without looking at each: they are those who were not met between the first of these days and the one.
CREATE TABLE met_days (
  deployment BYTEA            NOT NULL,
  basis      TEXT COLLATE "C" NOT NULL,
  dimension  TEXT COLLATE "C" NOT NULL, -- whole, site, place (towns), team, service_area
  day        BIGINT           NOT NULL,
  before     BIGINT           NOT NULL, -- 0: never before within the cut
  first      BIGINT           NOT NULL, -- where before is 0: the first day on which they were met at all; else 0
  key        TEXT COLLATE "C" NOT NULL,
  tokens     BIGINT           NOT NULL,
  PRIMARY KEY (deployment, basis, dimension, day, before, first, key)
);

-- Goods that were asked for or delivered, by the day of that.
CREATE TABLE goods_days (
  deployment BYTEA            NOT NULL,
  day        BIGINT           NOT NULL,
  noted      BIGINT           NOT NULL, -- the day of the record, where that is later; else 0
  audience   BYTEA            NOT NULL, -- the team that receives the records
  what       BIGINT           NOT NULL, -- 1 asked for and waiting, 2 promised, 3 failed, 4 asked for and delivered by now; 5 delivered that day
  unit       TEXT COLLATE "C" NOT NULL,
  links      BIGINT           NOT NULL, -- how many records say so
  quantity   BIGINT           NOT NULL,
  yuan       BIGINT           NOT NULL,
  PRIMARY KEY (deployment, day, noted, audience, what, unit)
);

-- Risk alerts, by the day on which they say to have occurred.
CREATE TABLE alert_days (
  deployment BYTEA  NOT NULL,
  day        BIGINT NOT NULL, -- 0: they say none
  audience   BYTEA  NOT NULL,
  sent       BIGINT NOT NULL,
  open       BIGINT NOT NULL, -- of these, those that nobody has acknowledged
  PRIMARY KEY (deployment, day, audience)
);

-- How many cases are open, by team and stage.
CREATE TABLE open_cases (
  deployment BYTEA  NOT NULL,
  audience   BYTEA  NOT NULL,
  stage      BIGINT NOT NULL,
  count      BIGINT NOT NULL,
  PRIMARY KEY (deployment, audience, stage)
);

-- Which words stand in which record: numbers and words of its texts, pairs of Chinese characters, and by whom it may be seen. The
-- number is the record's in documents.
CREATE TABLE words (
  deployment BYTEA    NOT NULL,
  number     BIGINT   NOT NULL,
  text       TSVECTOR NOT NULL,
  PRIMARY KEY (deployment, number)
);
CREATE INDEX words_by_text ON words USING gin (text);

-- What the planner knows of a column are samples of what stands there. Of texts and tokens of people it has none: they would outlive
-- an erasure.
ALTER TABLE log ALTER COLUMN body SET STATISTICS 0;
ALTER TABLE records ALTER COLUMN state SET STATISTICS 0;
ALTER TABLE words ALTER COLUMN text SET STATISTICS 0;
ALTER TABLE tokens ALTER COLUMN token SET STATISTICS 0;
ALTER TABLE meetings ALTER COLUMN token SET STATISTICS 0;
ALTER TABLE likenesses ALTER COLUMN likeness SET STATISTICS 0;

-- +goose Down
DROP TABLE words;
DROP TABLE open_cases;
DROP TABLE alert_days;
DROP TABLE goods_days;
DROP TABLE met_days;
DROP TABLE meetings;
DROP TABLE work_days;
DROP TABLE day_sums;
DROP TABLE workbooks;
DROP TABLE alert_notices;
DROP TABLE documents;
DROP TABLE case_days;
DROP TABLE casework;
DROP TABLE likely;
DROP TABLE distinctions;
DROP TABLE likenesses;
DROP TABLE review_counts;
DROP TABLE reviewing;
DROP TABLE indexed;
DROP TABLE erasures;
DROP TABLE audit;
DROP TABLE api_tokens;
DROP TABLE sessions;
DROP TABLE links;
DROP TABLE memberships;
DROP TABLE accounts;
DROP TABLE departures;
DROP TABLE decisions;
DROP TABLE postings;
DROP TABLE enrolment_codes;
DROP TABLE devices;
DROP TABLE tokens;
DROP TABLE totals;
DROP TABLE records;
DROP TABLE replicas;
DROP TABLE log;
DROP TABLE deployments;
DROP FUNCTION audit_never_changes;
