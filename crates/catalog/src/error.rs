//! What can go wrong, and what the reader can do about it.

use std::path::{Path, PathBuf};

use signalbox_types::{ErrorClass, KeyId};

/// Why a key was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is none.
    #[error("no virtual key was sent; send `Authorization: Bearer <key>` or `x-api-key: <key>`")]
    Missing,
    /// Nobody made such a key.
    #[error("the virtual key is not known here; check it for typos, or make one on the Keys page")]
    Unknown,
    /// It was revoked.
    #[error("the virtual key was revoked; make another one on the Keys page")]
    Revoked,
}

impl AuthError {
    /// The class that callers and metrics see.
    #[must_use]
    pub fn class(self) -> ErrorClass {
        ErrorClass::Unauthenticated
    }
}

/// Why a credential can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialFault {
    /// Nobody has set it.
    #[error("the credential `{0}` isn't in the catalog; set it on the Providers page")]
    Unknown(String),
    /// Nobody gave a key to open it with.
    #[error(
        "the credential `{0}` can't be opened, because there is no key for it: start with SIGNALBOX_CREDENTIALS_KEY, or with SIGNALBOX_CREDENTIALS_KEY_FILE"
    )]
    NoKey(String),
    /// It was encrypted with another key.
    #[error(
        "the credential `{name}` was encrypted with another key (id {sealed_with}, the one given has id {given}): start with that one, or give it as SIGNALBOX_CREDENTIALS_KEY_BEFORE so that all is encrypted anew, or set the credential again"
    )]
    OtherKey {
        /// Which one.
        name: String,
        /// The id of the key that it was encrypted with.
        sealed_with: String,
        /// The id of the key that was given.
        given: String,
    },
    /// It was changed by somebody else.
    #[error("the credential `{0}` is damaged: its value was changed in the file; set it again")]
    Damaged(String),
}

/// What is the matter with the catalog's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFault {
    /// Another process holds it.
    Locked,
    /// It can't be opened or written.
    Unwritable,
    /// It is damaged, or no SQLite file.
    Corrupt,
    /// The disk is full.
    Full,
    /// A newer Signalbox wrote it.
    Newer,
    /// Anything else that SQLite reports.
    Other,
}

/// Why the catalog could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The caller sent something that can't be kept.
    #[error("`{field}`: {problem}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// There is no such key in the caller's project.
    #[error("there is no key `{0}`")]
    UnknownKey(KeyId),
    /// There is no such credential.
    #[error("there is no credential `{0}`")]
    UnknownCredential(String),
    /// There is no such rule in the caller's project.
    #[error("there is no online rule `{0}`")]
    UnknownRule(String),
    /// There is nothing to encrypt it with.
    #[error(
        "no credential can be kept without a key to encrypt it with: start Signalbox with SIGNALBOX_CREDENTIALS_KEY, at least 32 random characters (`openssl rand -base64 32`), or with the path of a file that holds them in SIGNALBOX_CREDENTIALS_KEY_FILE"
    )]
    NoCredentialsKey,
    /// Without it nobody could sign in any more.
    #[error("`{0}` is the last key that works; make another one before you revoke it")]
    LastKey(KeyId),
    /// Somebody else has changed it since it was read.
    #[error("version {base} was changed, and version {found} is in force; look at that one and try again")]
    Outdated {
        /// The version that was changed.
        base: u32,
        /// The version that is in force.
        found: u32,
    },
    /// There is no such experiment in the caller's project.
    #[error("there is no experiment `{0}`")]
    UnknownExperiment(String),
    /// There is no such run in the caller's project, or in the experiment that was named.
    #[error("there is no run `{0}`")]
    UnknownRun(String),
    /// What has ended stays as it is.
    #[error("the run `{id}` is {status}: nothing can be added to it; start another one")]
    RunEnded {
        /// Which one.
        id: String,
        /// How it ended.
        status: &'static str,
    },
    /// There is no such thing in the caller's project.
    #[error("{problem}")]
    Unknown {
        /// What isn't there.
        problem: String,
        /// Where to look.
        hint: String,
    },
    /// It can't be done to what there is by now.
    #[error("{problem}")]
    Conflict {
        /// What is in the way.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// The file is in trouble.
    #[error("{}: {problem}; {hint}", file.display())]
    File {
        /// The catalog's file.
        file: PathBuf,
        /// What kind of trouble.
        fault: FileFault,
        /// In words.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
    /// The process is stopping.
    #[error("the catalog is closing; try again after the restart")]
    Closing,
}

impl CatalogError {
    pub(crate) fn file(file: &Path, fault: FileFault, problem: impl Into<String>) -> Self {
        let hint = match fault {
            FileFault::Locked => {
                "another process uses it: stop the other Signalbox, or start this one with another `--data` folder"
            }
            FileFault::Unwritable => "make the data folder writable for this user, or choose another one with `--data`",
            FileFault::Corrupt => {
                "restore it from a backup, or move it (with its `-wal` and `-shm` files) away to start with new keys; recorded spans are kept elsewhere and stay"
            }
            FileFault::Full => "free some space on its disk; nothing was changed",
            FileFault::Newer => "start the newer Signalbox again, or restore the backup from before the upgrade",
            FileFault::Other => "nothing was changed; if it happens again, please report it with this message",
        };
        Self::File { file: file.to_owned(), fault, problem: problem.into(), hint }
    }

    pub(crate) fn sqlite(file: &Path, error: &sqlx::Error) -> Self {
        // The primary result code is the low byte of the extended one (sqlite.org/rescode.html).
        let code = match error {
            sqlx::Error::Database(database) => {
                database.code().and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff)
            }
            _ => None,
        };
        let (fault, problem) = match code {
            Some(5 | 6) => (FileFault::Locked, "is locked".to_owned()),
            Some(3 | 8 | 14) => (FileFault::Unwritable, "can't be opened for writing".to_owned()),
            Some(11 | 26) => (FileFault::Corrupt, "is damaged or no SQLite file".to_owned()),
            Some(13) => (FileFault::Full, "can't grow, the disk is full".to_owned()),
            _ => (FileFault::Other, error.to_string()),
        };
        Self::file(file, fault, problem)
    }
}

/// What a change inside a transaction ends with, before the file's name is known to it.
pub(crate) enum Fault {
    Sql(sqlx::Error),
    Refused(CatalogError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<CatalogError> for Fault {
    fn from(error: CatalogError) -> Self {
        Self::Refused(error)
    }
}

impl Fault {
    pub(crate) fn explain(self, file: &Path) -> CatalogError {
        match self {
            Self::Sql(error) => CatalogError::sqlite(file, &error),
            Self::Refused(error) => error,
        }
    }
}
