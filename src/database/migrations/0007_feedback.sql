-- What readers say of an article, and discussions of it. With a moment of being resolved, it is closed.
CREATE TABLE threads (
    id TEXT NOT NULL PRIMARY KEY,
    article TEXT NOT NULL,
    title TEXT NOT NULL,
    anchor TEXT NOT NULL,
    quote TEXT NOT NULL,
    kind TEXT NOT NULL,
    person_id TEXT,
    person_name TEXT NOT NULL,
    at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    resolved_at BIGINT
);
CREATE INDEX threads_by_article ON threads (article);
CREATE INDEX threads_by_person ON threads (person_id);
CREATE INDEX threads_by_time ON threads (updated_at);

-- What was said, first what the thread begins with.
CREATE TABLE posts (
    id TEXT NOT NULL PRIMARY KEY,
    thread_id TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    person_id TEXT,
    person_name TEXT NOT NULL,
    at BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX posts_by_thread ON posts (thread_id, id);
CREATE INDEX posts_by_person ON posts (person_id);
