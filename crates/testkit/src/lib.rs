#![doc = include_str!("../README.md")]

pub mod builders;
mod clock;
mod completer;
pub mod conformance;
mod embedder;
mod reindexer;
mod sink;
mod store;

pub use clock::ManualClock;
pub use completer::ScriptedCompleter;
pub use embedder::ScriptedEmbedder;
pub use reindexer::ScriptedReindexer;
pub use sink::VecSink;
pub use store::MemoryStore;
