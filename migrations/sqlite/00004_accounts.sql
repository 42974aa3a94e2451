-- +goose Up

-- Who may sign in on the web. What belongs to the server as a whole has no deployment in its key.
CREATE TABLE accounts (
  account       BLOB    NOT NULL PRIMARY KEY,
  login         TEXT    NOT NULL, -- lower case
  name          TEXT    NOT NULL,
  language      TEXT    NOT NULL, -- zh, en
  administrator INTEGER NOT NULL,
  disabled      INTEGER NOT NULL,
  standing_set  INTEGER NOT NULL, -- when it was last disabled or enabled, milliseconds since 1970, as all instants
  password      TEXT    NOT NULL, -- argon2id, as a PHC string
  password_set  INTEGER NOT NULL,
  secret        BLOB,             -- of the time code, sealed; NULL without one
  pending       BLOB,             -- one that was not confirmed yet
  counter       INTEGER NOT NULL, -- the newest time code that was used
  made          INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX accounts_by_login ON accounts (login);

-- As whom an account acts in a deployment: one worker, who is nobody else.
CREATE TABLE memberships (
  account    BLOB    NOT NULL,
  deployment BLOB    NOT NULL,
  worker     BLOB    NOT NULL,
  since      INTEGER NOT NULL,
  PRIMARY KEY (account, deployment)
) WITHOUT ROWID;
CREATE UNIQUE INDEX memberships_by_worker ON memberships (deployment, worker);

-- One-time links, by the SHA-256 of their code.
CREATE TABLE links (
  hash          BLOB    NOT NULL PRIMARY KEY,
  sort          TEXT    NOT NULL, -- set_up, invitation, reset
  administrator INTEGER NOT NULL,
  deployment    BLOB    NOT NULL, -- zeros: to none
  worker        BLOB    NOT NULL,
  account       BLOB    NOT NULL, -- whose password a reset sets
  made_by       BLOB    NOT NULL,
  expires       INTEGER NOT NULL,
  spent         INTEGER NOT NULL  -- 0 until it was used
) WITHOUT ROWID;
CREATE INDEX links_by_expiry ON links (expires);

-- Sessions, by the SHA-256 of what their cookies carry.
CREATE TABLE sessions (
  hash       BLOB    NOT NULL PRIMARY KEY,
  session    BLOB    NOT NULL, -- its id, as the audit log has it
  account    BLOB    NOT NULL,
  generation INTEGER NOT NULL, -- of the newest cookie
  began      INTEGER NOT NULL,
  seen       INTEGER NOT NULL,
  rotated    INTEGER NOT NULL, -- when the newest cookie was made
  ended      INTEGER NOT NULL  -- 0 while it stands
) WITHOUT ROWID;
CREATE INDEX sessions_by_account ON sessions (account, session);
CREATE INDEX sessions_by_beginning ON sessions (began);

-- API tokens, by the SHA-256 of their text.
CREATE TABLE api_tokens (
  hash       BLOB    NOT NULL PRIMARY KEY,
  token      BLOB    NOT NULL, -- its id
  account    BLOB    NOT NULL, -- zeros: made at the command line
  deployment BLOB    NOT NULL,
  worker     BLOB    NOT NULL, -- as whom it acts
  name       TEXT    NOT NULL,
  scopes     TEXT    NOT NULL, -- with spaces between them
  made       INTEGER NOT NULL,
  expires    INTEGER NOT NULL,
  used       INTEGER NOT NULL,
  revoked    INTEGER NOT NULL  -- 0 while it is good
) WITHOUT ROWID;
CREATE INDEX api_tokens_by_account ON api_tokens (account, token);
CREATE INDEX api_tokens_by_deployment ON api_tokens (deployment, token);

-- Who did what to what, when, and from where: ids alone. The zero deployment is the server.
CREATE TABLE audit (
  deployment   BLOB    NOT NULL,
  number       INTEGER NOT NULL,
  at           INTEGER NOT NULL,
  account      BLOB    NOT NULL,
  worker       BLOB    NOT NULL,
  device       BLOB    NOT NULL,
  session      BLOB    NOT NULL,
  token        BLOB    NOT NULL,
  action       TEXT    NOT NULL,
  subject_kind TEXT    NOT NULL,
  subject      BLOB    NOT NULL,
  chain        BLOB    NOT NULL, -- SHA-256 over the chain before and this row
  PRIMARY KEY (deployment, number)
) WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit log is never changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit log is never changed');
END;
-- +goose StatementEnd

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('accounts', 'accounts', '1000 1'),
  ('accounts', 'accounts_by_login', '1000 1'),
  ('memberships', 'memberships', '1000 2 1'),
  ('memberships', 'memberships_by_worker', '1000 100 1'),
  ('links', 'links', '1000 1'),
  ('links', 'links_by_expiry', '1000 1'),
  ('sessions', 'sessions', '10000 1'),
  ('sessions', 'sessions_by_account', '10000 10 1'),
  ('sessions', 'sessions_by_beginning', '10000 1'),
  ('api_tokens', 'api_tokens', '1000 1'),
  ('api_tokens', 'api_tokens_by_account', '1000 10 1'),
  ('api_tokens', 'api_tokens_by_deployment', '1000 100 1'),
  ('audit', 'audit', '1000000 100000 1');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
DROP TABLE audit;
DROP TABLE api_tokens;
DROP TABLE sessions;
DROP TABLE links;
DROP TABLE memberships;
DROP TABLE accounts;
