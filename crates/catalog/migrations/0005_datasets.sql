-- Datasets: items kept once a project, versions that never change, and names that point to versions.

CREATE TABLE datasets (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  TEXT NOT NULL REFERENCES projects (id),
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    schema      TEXT,                    -- JSON Schema of items
    created_at  INTEGER NOT NULL,
    created_by  TEXT NOT NULL,           -- id of the key
    UNIQUE (project_id, name)
) STRICT;

CREATE TABLE dataset_items (
    id         INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL,
    hash       BLOB NOT NULL,            -- BLAKE3 of the body
    body       TEXT,                     -- canonical JSON; NULL since it was erased
    trace_id   TEXT,                     -- what it was made from, so that erasures find it
    session_id TEXT,
    user_id    TEXT,
    UNIQUE (project_id, hash)
) STRICT;

CREATE INDEX dataset_items_by_trace ON dataset_items (project_id, trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX dataset_items_by_session ON dataset_items (project_id, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX dataset_items_by_user ON dataset_items (project_id, user_id) WHERE user_id IS NOT NULL;

-- Which datasets use an item in any version: what nobody uses goes.
CREATE TABLE dataset_uses (
    item_id    INTEGER NOT NULL REFERENCES dataset_items (id),
    dataset_id INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    stage      INTEGER NOT NULL,         -- 0, or the import under way that brought it
    PRIMARY KEY (item_id, dataset_id, stage)
) STRICT, WITHOUT ROWID;

CREATE INDEX dataset_uses_by_dataset ON dataset_uses (dataset_id);
CREATE INDEX dataset_uses_staged ON dataset_uses (stage) WHERE stage <> 0;

-- Runs of a version's list of items; versions that are alike share most of them.
CREATE TABLE dataset_chunks (
    dataset_id INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    hash       BLOB NOT NULL,            -- BLAKE3 of the body
    body       BLOB NOT NULL,
    PRIMARY KEY (dataset_id, hash)
) STRICT;

CREATE TABLE dataset_versions (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset_id  INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    id          TEXT NOT NULL,           -- BLAKE3 of all that follows up to `shares`
    parent      TEXT,
    content     TEXT NOT NULL,           -- BLAKE3 of items and shares: the same for the same items
    message     TEXT NOT NULL,
    author      TEXT NOT NULL,           -- id of the key
    author_name TEXT NOT NULL,
    made_at     INTEGER NOT NULL,
    shares      TEXT NOT NULL,           -- JSON: splits of items that don't name one
    items       INTEGER NOT NULL,
    splits      TEXT NOT NULL,           -- JSON: items a split
    added       INTEGER NOT NULL,        -- against the parent
    replaced    INTEGER NOT NULL,
    removed     INTEGER NOT NULL,
    chunks      BLOB NOT NULL,           -- hash and number of items of each chunk, 36 bytes
    UNIQUE (dataset_id, id)
) STRICT;

-- Branches and tags share their names, so that a reference means one version.
CREATE TABLE dataset_refs (
    dataset_id INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,            -- branch, tag
    version    TEXT,                     -- NULL: a branch without a version yet
    set_at     INTEGER NOT NULL,
    PRIMARY KEY (dataset_id, name)
) STRICT;

PRAGMA user_version = 5;
