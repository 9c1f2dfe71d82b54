-- Leases: which of several processes does what only one of them may do (evaluate monitors, tell people).

CREATE TABLE leases (
    name       TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,           -- the node that has it
    term       INTEGER NOT NULL,        -- goes up each time another process takes it, so that one that was paused can tell
    expires_at INTEGER NOT NULL
) STRICT;

PRAGMA user_version = 9;
