-- Policies that projects add to those of the configuration, a row a version, and what people say of findings.

CREATE TABLE policy_sets (
    project_id TEXT NOT NULL REFERENCES projects (id),
    version    INTEGER NOT NULL,        -- from 1
    made_at    INTEGER NOT NULL,
    made_by    TEXT NOT NULL,           -- id of the key
    rationale  TEXT NOT NULL,
    config     TEXT NOT NULL,           -- JSON, as it was typed
    PRIMARY KEY (project_id, version)
) STRICT;

CREATE TABLE guard_feedback (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id TEXT NOT NULL REFERENCES projects (id),
    time       INTEGER NOT NULL,
    actor      TEXT NOT NULL,           -- id of the key
    label      TEXT NOT NULL,           -- false_positive, missed
    scanner    TEXT NOT NULL,
    rule       TEXT,
    text       TEXT NOT NULL,           -- the scanned text: what a scanner learns from
    note       TEXT,
    trace_id   TEXT
) STRICT;

CREATE INDEX guard_feedback_by_project ON guard_feedback (project_id, id);

PRAGMA user_version = 2;
