-- +goose Up

-- The SHA-256 of the public key in the server's certificate, whole or its first 16 bytes, by which alone the server is known;
-- empty where an authority signed the certificate.
ALTER TABLE tablet ADD COLUMN pin     BLOB    NOT NULL DEFAULT x'';
-- 1: the server said that this tablet is out of use. What it wrote is still sent, and nothing else is done.
ALTER TABLE tablet ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE tablet DROP COLUMN revoked;
ALTER TABLE tablet DROP COLUMN pin;
