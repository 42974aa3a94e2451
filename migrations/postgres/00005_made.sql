-- +goose Up

-- Nearly every record is made by one change and never touched again. Its entry need not be looked up in an index, which each record that
-- comes in has to be written into: the record says where it is.
ALTER TABLE records ADD COLUMN made BIGINT NOT NULL DEFAULT 0; -- position of the entry with which it came to be; 0: it is in the index
ALTER TABLE log ADD COLUMN made BIGINT NOT NULL DEFAULT 0; -- 1: the record came to be with it, and says where it is
DROP INDEX log_by_record;
CREATE INDEX log_by_record ON log (deployment, record, position) WHERE made = 0;

-- +goose Down
DROP INDEX log_by_record;
CREATE INDEX log_by_record ON log (deployment, record, position);
ALTER TABLE log DROP COLUMN made;
ALTER TABLE records DROP COLUMN made;
