-- What must not be lost and cannot be made again. Portable between SQLite and PostgreSQL: TEXT, BIGINT and no more.
-- Moments are microseconds since 1970 in UTC; ids are UUIDs of version 7, so that they sort by time.
CREATE TABLE changes (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    record TEXT NOT NULL
);

CREATE TABLE gap_reports (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    query TEXT NOT NULL,
    folded TEXT NOT NULL,
    note TEXT,
    region TEXT,
    lang TEXT
);

CREATE INDEX gap_reports_by_question ON gap_reports (folded);
