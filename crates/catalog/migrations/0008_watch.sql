-- What is watched: monitors that people make, and what outlives the process of evaluating them (states of series, incidents,
-- silences, messages that wait). Who reads the documents knows what they mean.

CREATE TABLE watched (
    project_id TEXT NOT NULL,
    kind       TEXT NOT NULL,           -- monitor, state, incident, silence, message
    id         TEXT NOT NULL,
    body       TEXT NOT NULL,           -- JSON
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, kind, id)
) STRICT;

PRAGMA user_version = 8;
