//! Seams: small traits that state a contract, so that floors can meet without knowing each other.

mod clock;
mod completer;
mod embedder;
mod reindex;
mod sink;
mod store;
mod transfer;

pub use clock::{Clock, SystemClock};
pub use completer::{Completed, Completer, Completion, CompletionError};
pub use embedder::{Embedded, Embedder, MOST_EMBEDDED_TEXTS};
pub use reindex::{Reindexed, Reindexer};
pub use sink::{Full, SpanSink};
pub use store::{Arrival, BoxFuture, BoxStream, Erase, Erased, EventStore, StoreError, StoreStats};
pub use transfer::{BackupReport, Export, FileFormat, Imported, importable_table, known_table};
