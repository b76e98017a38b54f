-- Publications that became commits of the git work tree, by their ids; one of before there was a work tree has no hash.
CREATE TABLE commits (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    hash TEXT NOT NULL
);

-- When each article was opened last, as days since 1970, and how often it was. Who opened it is not kept.
CREATE TABLE openings (
    id TEXT NOT NULL PRIMARY KEY,
    day BIGINT NOT NULL,
    times BIGINT NOT NULL
);
