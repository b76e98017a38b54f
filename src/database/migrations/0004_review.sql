-- Drafts whose person asked others to look at them.
CREATE TABLE reviews (
    id TEXT NOT NULL PRIMARY KEY REFERENCES drafts (id) ON DELETE CASCADE,
    asked_at BIGINT NOT NULL,
    asked_by TEXT NOT NULL,
    note TEXT NOT NULL
);

-- What somebody said of a draft as a whole: approved, or not yet. The contents are the digest of the files that were looked at.
CREATE TABLE verdicts (
    id TEXT NOT NULL PRIMARY KEY,
    draft_id TEXT NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    person_name TEXT NOT NULL,
    at BIGINT NOT NULL,
    approved BIGINT NOT NULL,
    contents TEXT NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX verdicts_by_draft ON verdicts (draft_id);
CREATE INDEX verdicts_by_person ON verdicts (person_id);

-- What somebody said of a line, which is kept with its text: lines move.
CREATE TABLE remarks (
    id TEXT NOT NULL PRIMARY KEY,
    draft_id TEXT NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    line BIGINT NOT NULL,
    line_text TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    person_name TEXT NOT NULL,
    at BIGINT NOT NULL,
    body TEXT NOT NULL,
    settled_at BIGINT
);
CREATE INDEX remarks_by_draft ON remarks (draft_id);
CREATE INDEX remarks_by_person ON remarks (person_id);
