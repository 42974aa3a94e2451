-- +goose Up

-- Who is told of a risk alert, step by step, and what came of it. A step is here before anything of it is sent.
CREATE TABLE alert_notices (
  deployment BLOB    NOT NULL,
  alert      BLOB    NOT NULL,
  step       INTEGER NOT NULL, -- from 1
  worker     BLOB    NOT NULL,
  channel    TEXT    NOT NULL, -- mail, sms
  at         INTEGER NOT NULL, -- when the step began, milliseconds since 1970
  outcome    TEXT    NOT NULL, -- waiting, sent, failed, no_address, off
  attempts   INTEGER NOT NULL,
  tried      INTEGER NOT NULL, -- the last attempt; 0: none
  PRIMARY KEY (deployment, alert, step, worker, channel)
) WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('alert_notices', 'alert_notices', '10000 10000 8 2 2 1');
ANALYZE sqlite_schema; -- reads them

-- +goose Down
DROP TABLE alert_notices;
