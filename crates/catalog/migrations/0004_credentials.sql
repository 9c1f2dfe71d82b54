-- Credentials of providers, encrypted with a key that stands elsewhere.

CREATE TABLE credentials (
    name   TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,               -- AES-256-GCM: nonce, text, tag; bound to the name
    key_id TEXT NOT NULL,               -- which key it was encrypted with; says nothing about it
    last4  TEXT NOT NULL,               -- so that a person can tell values apart
    set_at INTEGER NOT NULL,
    set_by TEXT NOT NULL                -- id of the virtual key that set it
) STRICT;

PRAGMA user_version = 4;
