-- Projects, virtual keys, browser sessions and who changed what.
-- Times are microseconds since the Unix epoch, UTC.

CREATE TABLE projects (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
    id           TEXT PRIMARY KEY,
    project_id   TEXT NOT NULL REFERENCES projects (id),
    name         TEXT NOT NULL,
    hash         BLOB NOT NULL UNIQUE,  -- BLAKE3 of the key; the key itself is nowhere
    last4        TEXT NOT NULL,         -- so that a person can tell keys apart
    created_at   INTEGER NOT NULL,
    created_by   TEXT,                  -- id of the key that made it; absent on the first
    revoked_at   INTEGER,
    last_used_at INTEGER                -- written now and then, never by a call
) STRICT;

CREATE TABLE sessions (
    hash       BLOB PRIMARY KEY,        -- BLAKE3 of the cookie's token
    key_id     TEXT NOT NULL REFERENCES keys (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_by_key ON sessions (key_id);

CREATE TABLE history (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  TEXT NOT NULL,
    time        INTEGER NOT NULL,
    actor       TEXT,                   -- id of the key that did it; absent when the house did
    resource    TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    action      TEXT NOT NULL,
    before      TEXT,                   -- JSON, never with a secret in it
    after       TEXT
) STRICT;

PRAGMA user_version = 1;
