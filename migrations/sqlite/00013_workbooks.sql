-- +goose Up

-- The Excel files of county bureaus into which reports are poured, and which of their cells gets what.
CREATE TABLE workbooks (
  deployment BLOB NOT NULL,
  workbook BLOB NOT NULL,
  name TEXT NOT NULL,
  file BLOB NOT NULL,
  cells TEXT NOT NULL, -- JSON
  PRIMARY KEY (deployment, workbook)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE workbooks;
