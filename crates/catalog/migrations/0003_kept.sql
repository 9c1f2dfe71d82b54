-- Which project made what a provider keeps (responses, files, batches), and which provider that is.

CREATE TABLE kept (
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,           -- the provider's
    project_id TEXT NOT NULL,
    provider   TEXT NOT NULL,
    used_at    INTEGER NOT NULL,        -- to the day; what wasn't used for long is forgotten
    PRIMARY KEY (kind, id, project_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX kept_by_use ON kept (used_at);

PRAGMA user_version = 3;
