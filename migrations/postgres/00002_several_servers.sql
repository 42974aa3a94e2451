-- +goose Up

-- The log's chain at the newest change of the set-up: who has read the set-up knows by it whether another server has changed it
-- since. Empty as long as it is what it was when this column came.
ALTER TABLE deployments ADD COLUMN set_up BYTEA NOT NULL DEFAULT '';

-- What stands in the journal's file of each server, in the one order in which tablets are told. The zero deployment is the
-- server as a whole.
CREATE TABLE journal (
  deployment BYTEA            NOT NULL,
  number     BIGINT           NOT NULL, -- from 1
  sort       TEXT COLLATE "C" NOT NULL,
  subject    BYTEA            NOT NULL,
  detail     BYTEA            NOT NULL,
  at         BIGINT           NOT NULL, -- milliseconds since 1970
  signature  BYTEA            NOT NULL, -- by the server's key
  chain      BYTEA            NOT NULL, -- of the journal behind this entry
  PRIMARY KEY (deployment, number)
);

-- +goose Down
DROP TABLE journal;
ALTER TABLE deployments DROP COLUMN set_up;
