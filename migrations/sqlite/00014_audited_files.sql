-- +goose Up

-- Of an export, the audit log says in which format it was, and at which position of the change log.
ALTER TABLE audit ADD COLUMN format TEXT NOT NULL DEFAULT ''; -- empty for what is no export
ALTER TABLE audit ADD COLUMN position INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE audit DROP COLUMN position;
ALTER TABLE audit DROP COLUMN format;
