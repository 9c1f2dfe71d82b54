-- Rules that choose spans of the traffic to be scored, and how far each has come.

CREATE TABLE online_rules (
    project_id TEXT NOT NULL,
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL,        -- the latest; each change makes the next, also after a deletion
    made_at    INTEGER NOT NULL,
    made_by    TEXT NOT NULL,           -- id of the virtual key
    definition TEXT NOT NULL,           -- JSON, as it was typed
    deleted    INTEGER NOT NULL,        -- 1: gone, and kept for its number
    progress   TEXT NOT NULL,           -- JSON: watermark, what the day has used up, run over history
    PRIMARY KEY (project_id, name)
) STRICT;

PRAGMA user_version = 7;
