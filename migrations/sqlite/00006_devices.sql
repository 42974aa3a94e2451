-- +goose Up

-- The device whose place another takes: a code that says so revokes it when it is used.
ALTER TABLE enrolment_codes ADD COLUMN replaces    BLOB; -- NULL: none
ALTER TABLE devices         ADD COLUMN replaced_by BLOB; -- NULL: none, or it is in use

-- +goose Down
ALTER TABLE devices DROP COLUMN replaced_by;
ALTER TABLE enrolment_codes DROP COLUMN replaces;
