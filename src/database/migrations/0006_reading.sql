-- What must be read: an article as it became, by whom, with what has to be answered or proved. Audience, regions and choices are JSON.
CREATE TABLE must_reads (
    id TEXT NOT NULL PRIMARY KEY,
    article TEXT NOT NULL,
    title TEXT NOT NULL,
    note TEXT NOT NULL,
    audience TEXT NOT NULL,
    regions TEXT NOT NULL,
    before TEXT,
    after TEXT NOT NULL,
    at BIGINT NOT NULL,
    author TEXT,
    author_name TEXT NOT NULL,
    due TEXT,
    question TEXT NOT NULL,
    choices TEXT NOT NULL,
    answer BIGINT NOT NULL,
    with_code BIGINT NOT NULL,
    withdrawn_at BIGINT
);
CREATE INDEX must_reads_by_article ON must_reads (article);

-- Who has read it, and what the article held then. The id is that of the two.
CREATE TABLE acknowledgements (
    id TEXT NOT NULL PRIMARY KEY,
    must_read_id TEXT NOT NULL REFERENCES must_reads (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    article TEXT NOT NULL,
    text_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    proof TEXT NOT NULL
);
CREATE INDEX acknowledgements_by_person ON acknowledgements (person_id, article);
CREATE INDEX acknowledgements_by_must_read ON acknowledgements (must_read_id);

-- Codes that were mailed to prove that somebody has read. The id is that of the must-read and the person.
CREATE TABLE reading_codes (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX reading_codes_by_person ON reading_codes (person_id);
