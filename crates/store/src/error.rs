use std::io;
use std::path::{Path, PathBuf};

use signalbox_journal::AppendError;
use signalbox_types::seam::StoreError;

/// Why a data folder can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error(
        "the data folder `{dir}` is in use by another Signalbox; stop that one first, or choose another folder with --data"
    )]
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// It can't be written to.
    #[error(
        "can't write to the data folder `{dir}`: {source}; make it writable for the user that runs Signalbox, or choose another folder with --data"
    )]
    NotWritable {
        /// The folder.
        dir: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The list of data files can't be used.
    #[error("the data folder's manifest `{path}` can't be used: {problem}; restore the folder from a backup")]
    Manifest {
        /// The manifest, or a file that it names.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The journal can't be opened.
    #[error(transparent)]
    Journal(#[from] signalbox_journal::OpenError),
    /// The query engine could not be started.
    #[error("can't start the query engine: {0}")]
    Engine(String),
}

impl OpenError {
    pub(crate) fn manifest(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::Manifest { path: path.to_owned(), problem: problem.to_string() }
    }
}

pub(crate) fn refused(error: AppendError) -> StoreError {
    match error {
        AppendError::Full => StoreError::Full { retry_after_s: 1 },
        AppendError::TooLarge { .. } => StoreError::Limit(format!("{error}; send fewer spans at once")),
        AppendError::DiskFull(text) => StoreError::Disk(format!(
            "the disk is full; free some space, and restart if writes are still refused a minute later ({text})"
        )),
        AppendError::Io(text) => StoreError::Disk(format!("the disk fails; mend it and restart ({text})")),
        AppendError::Closed => closed(),
    }
}

pub(crate) fn closed() -> StoreError {
    StoreError::Internal("it is closed".to_owned())
}

pub(crate) fn internal(error: impl std::fmt::Display) -> StoreError {
    StoreError::Internal(error.to_string())
}
