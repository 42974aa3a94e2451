-- +goose Up

-- What records wait for, as bits from here on: 1, somebody has something to do with it, as before; 2, an open case that this
-- tablet's worker leads; 4, a referral that was sent, and not declined. The latter two are found out when the file is opened.
UPDATE records SET waits = NULL WHERE kind IN (5, 19); -- Case, Referral

-- 1: the server once held it as written after the deployment was closed, whatever has become of it since.
ALTER TABLE changes ADD COLUMN late INTEGER NOT NULL DEFAULT 0;
UPDATE changes SET late = 1 WHERE held = 'deployment_closed';
CREATE INDEX changes_late ON changes (held) WHERE late = 1;

-- +goose Down
DROP INDEX changes_late;
ALTER TABLE changes DROP COLUMN late;
UPDATE records SET waits = NULL WHERE kind IN (5, 19);
