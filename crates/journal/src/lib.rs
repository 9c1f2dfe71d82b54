#![doc = include_str!("../README.md")]

mod error;
mod frame;
pub mod fs;
mod journal;
mod reader;
mod recover;
mod segment;
mod writer;

pub use error::{AppendError, OpenError};
pub use frame::Record;
pub use journal::{Journal, JournalConfig, JournalStats};
pub use reader::{Damage, read_segment};
