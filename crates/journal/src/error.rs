use std::io;
use std::path::PathBuf;

/// Why a record was not taken. Whatever the reason, it was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Too many records wait already. Another try may help.
    #[error("the journal's queue is full")]
    Full,
    /// The record is larger than the journal takes.
    #[error("a record of {bytes} bytes is larger than the {limit} that the journal takes")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        limit: usize,
    },
    /// No space is left. The journal is stopped.
    #[error("no space left on the disk: {0}")]
    DiskFull(String),
    /// The disk failed. The journal is stopped.
    #[error("the disk failed: {0}")]
    Io(String),
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
}

impl AppendError {
    pub(crate) fn of(doing: &str, error: &io::Error) -> Self {
        let text = format!("{doing}: {error}");
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull(text),
            _ => Self::Io(text),
        }
    }
}

/// Why a journal can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file system refused something.
    #[error("can't {doing} `{path}`: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A file is damaged where no crash can have damaged it.
    #[error(
        "`{path}` is damaged at byte {offset} ({problem}), although it was written completely; \
         restore it from a backup, or move it away to go on without the records in it"
    )]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What is wrong there.
        problem: String,
    },
    /// A segment is missing.
    #[error("the journal in `{dir}` has no record {missing}, but later ones; a segment file is missing")]
    Gap {
        /// The journal's folder.
        dir: PathBuf,
        /// The first missing record.
        missing: u64,
    },
    /// Whoever replays the records can't use one.
    #[error("record {seq} of the journal can't be used: {problem}")]
    Replay {
        /// Which record.
        seq: u64,
        /// What is wrong with it.
        problem: String,
    },
}

impl OpenError {
    pub(crate) fn io(doing: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}
