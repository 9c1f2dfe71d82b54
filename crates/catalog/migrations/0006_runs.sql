-- Taken: see the migration of runs.

PRAGMA user_version = 6;
