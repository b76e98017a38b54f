-- Runs of feeds. The digest is that of the source and of how it is read: what was run is not run again.
CREATE TABLE feed_runs (
    id TEXT NOT NULL PRIMARY KEY,
    feed TEXT NOT NULL,
    at BIGINT NOT NULL,
    state TEXT NOT NULL,
    digest TEXT NOT NULL,
    summary TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX feed_runs_by_feed ON feed_runs (feed, id);
CREATE INDEX feed_runs_by_state ON feed_runs (state);
