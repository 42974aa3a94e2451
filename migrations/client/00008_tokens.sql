-- +goose Up

-- By what a participant is found who is registered again, and an attendance: an HMAC of the token, for an attendance of its
-- activity too, under a key that the data key gives. To whoever has the file alone it tells at most that two participants are
-- one person. NULL while it is not filled in, and in other kinds; x'' where a record has no token.
ALTER TABLE records ADD COLUMN person BLOB;
CREATE INDEX records_by_person ON records (person) WHERE person > x'';
CREATE INDEX records_without_person ON records (id) WHERE person IS NULL AND kind IN (16, 17); -- Participant, Attendance

-- +goose Down
DROP INDEX records_without_person;
DROP INDEX records_by_person;
ALTER TABLE records DROP COLUMN person;
