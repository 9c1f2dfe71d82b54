-- Taken: see the migration of data sets.

PRAGMA user_version = 5;
