-- People and what they prove themselves by. Lists are JSON. Secrets are kept as digests only, but for the second factor's, which is needed
-- to compute codes.
-- What changed before content had readers says nothing of who may be told.
DELETE FROM changes;

CREATE TABLE people (
    id TEXT NOT NULL PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    email TEXT,
    roles TEXT NOT NULL,
    audiences TEXT NOT NULL,
    region TEXT,
    source TEXT NOT NULL,
    -- What the company's directory calls the person (SCIM), and what its sign-on does (issuer and subject).
    external_id TEXT,
    subject TEXT,
    active BIGINT NOT NULL,
    password TEXT,
    totp_secret TEXT,
    totp_step BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    seen_at BIGINT
);
CREATE INDEX people_by_external_id ON people (external_id);
CREATE UNIQUE INDEX people_by_subject ON people (subject);

CREATE TABLE teams (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    roles TEXT NOT NULL,
    audiences TEXT NOT NULL,
    region TEXT,
    external_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE team_members (
    id TEXT NOT NULL PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE
);
CREATE INDEX team_members_by_person ON team_members (person_id);
CREATE INDEX team_members_by_team ON team_members (team_id);

-- The id is the digest of what the cookie holds.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    proved_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    provider_token TEXT
);
CREATE INDEX sessions_by_person ON sessions (person_id);

-- Invitations and resets of passwords. The id is the digest of what the link holds.
CREATE TABLE links (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX links_by_person ON links (person_id);

CREATE TABLE recovery_codes (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE
);
CREATE INDEX recovery_codes_by_person ON recovery_codes (person_id);

-- The digest is that of what a program sends.
CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX tokens_by_person ON tokens (person_id);

-- Tries that failed, by what was tried and from where.
CREATE TABLE failures (
    id TEXT NOT NULL PRIMARY KEY,
    times BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);

-- Sign-ins that are under way at a provider. The id is the digest of the state.
CREATE TABLE sign_ins (
    id TEXT NOT NULL PRIMARY KEY,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    back_to TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT,
    details TEXT NOT NULL,
    address TEXT NOT NULL
);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_actor ON audit (actor);

-- What people keep for themselves: favourites, pins, layout and the like, a row a kind.
CREATE TABLE belongings (
    id TEXT NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX belongings_by_person ON belongings (person_id);

-- How often it changed what people may do: several servers on one store notice it by this.
CREATE TABLE versions (
    id TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
);
