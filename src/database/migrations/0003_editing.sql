-- Texts of content files by their digests, each once.
CREATE TABLE texts (
    id TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
);

-- Changes that went live at one moment. The files are JSON: each with the digests before and after. While the state is 'writing', a process is
-- about to write the files, or died in between.
CREATE TABLE publications (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    author TEXT,
    author_name TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    files TEXT NOT NULL,
    undoes TEXT
);
CREATE INDEX publications_by_state ON publications (state, id);

-- What a file held from a moment on; without a text, it was taken away.
CREATE TABLE revisions (
    id TEXT NOT NULL PRIMARY KEY,
    path TEXT NOT NULL,
    at BIGINT NOT NULL,
    text_id TEXT REFERENCES texts (id),
    author TEXT,
    author_name TEXT NOT NULL,
    reason TEXT NOT NULL,
    origin TEXT NOT NULL,
    publication_id TEXT REFERENCES publications (id)
);
CREATE INDEX revisions_by_path ON revisions (path, id);
CREATE INDEX revisions_by_author ON revisions (author);

-- With a time, it is published by itself then; the fault says why that failed.
CREATE TABLE drafts (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    publish_at BIGINT,
    reason TEXT NOT NULL,
    author_name TEXT NOT NULL,
    fault TEXT NOT NULL
);
CREATE INDEX drafts_by_person ON drafts (person_id);
CREATE INDEX drafts_by_time ON drafts (publish_at);

-- The id is that of the draft and the path; the base is a digest of texts.
CREATE TABLE draft_files (
    id TEXT NOT NULL PRIMARY KEY,
    draft_id TEXT NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    base TEXT,
    body TEXT,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX draft_files_by_draft ON draft_files (draft_id);
