-- +goose Up

-- The last sequence number of the replica that a verified backup holds.
ALTER TABLE replicas ADD COLUMN durable INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE replicas DROP COLUMN durable;
