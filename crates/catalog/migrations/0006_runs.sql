-- Experiments, their runs, and what came out for each item. What is large stands apart, so that numbers can be read without it.

CREATE TABLE experiments (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id TEXT NOT NULL REFERENCES projects (id),
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    baseline   TEXT,                    -- id of the run that others are compared with
    UNIQUE (project_id, name)
) STRICT;

CREATE TABLE runs (
    id            TEXT NOT NULL,
    project_id    TEXT NOT NULL REFERENCES projects (id),
    experiment_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    status        TEXT NOT NULL,        -- running, finished, failed, cancelled
    started_at    INTEGER NOT NULL,
    finished_at   INTEGER,
    actor         TEXT NOT NULL,        -- id of the key
    about         TEXT NOT NULL,        -- JSON: name, dataset, target, metrics, configuration, tags, commit, author
    items         INTEGER NOT NULL,
    failed_items  INTEGER NOT NULL,
    items_hash    TEXT,                 -- of the ids of its items, once it has ended
    problem       TEXT,                 -- why it failed
    summary       TEXT,                 -- JSON, once it has ended
    UNIQUE (project_id, id)
) STRICT;

CREATE INDEX runs_by_experiment ON runs (experiment_id, number);

CREATE TABLE run_items (
    run           INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    item_id       TEXT NOT NULL,
    failed        INTEGER NOT NULL,     -- an error, or a score that doesn't pass
    error         TEXT,
    latency_ms    REAL,
    input_tokens  INTEGER,
    output_tokens INTEGER,
    cost          INTEGER,              -- picodollars
    trace_id      TEXT,
    segments      TEXT,                 -- JSON, text by field
    PRIMARY KEY (run, item_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_contents (
    run      INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    item_id  TEXT NOT NULL,
    input    TEXT NOT NULL,
    expected TEXT,
    output   TEXT,
    PRIMARY KEY (run, item_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_scores (
    run      INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    item_id  TEXT NOT NULL,
    metric   TEXT NOT NULL,
    value    REAL,
    passed   INTEGER,
    label    TEXT,
    reason   TEXT,
    error    TEXT,
    evidence TEXT,                      -- JSON
    PRIMARY KEY (run, item_id, metric)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 6;
