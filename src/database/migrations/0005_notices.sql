-- What people are told: on the desk, and by mail when it was not seen there.
CREATE TABLE notices (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    link TEXT NOT NULL,
    on_desk BIGINT NOT NULL,
    by_mail BIGINT NOT NULL,
    seen_at BIGINT,
    mailed_at BIGINT
);
CREATE INDEX notices_by_person ON notices (person_id, at);
CREATE INDEX notices_by_time ON notices (at);

-- Of what kind a person is told in which way; where there is none, in every way. The id is that of the person and the kind.
CREATE TABLE notice_choices (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    on_desk BIGINT NOT NULL,
    by_mail BIGINT NOT NULL
);
CREATE INDEX notice_choices_by_person ON notice_choices (person_id);

-- Programs that are told over HTTP. The kinds are JSON. The secret signs what is sent: it has to be known here.
CREATE TABLE hooks (
    id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    kinds TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    active BIGINT NOT NULL
);

-- What is sent to them. With a time of a next try, it is not done yet.
CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    hook_id TEXT NOT NULL REFERENCES hooks (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    tries BIGINT NOT NULL,
    next_at BIGINT,
    status BIGINT NOT NULL,
    fault TEXT NOT NULL
);
CREATE INDEX deliveries_by_hook ON deliveries (hook_id, id);
CREATE INDEX deliveries_by_time ON deliveries (next_at);
