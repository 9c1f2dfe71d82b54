//! Copies of a data folder: made, brought back, and read through for damage. A backup is laid out as a
//! data folder without a journal; its manifest is written last, so that it is whole or the one before.

mod copy;
mod restore;
mod verify;
mod write;

pub(crate) use restore::MARKER;
pub use restore::{RestoreError, Restored, restore};
pub use verify::{Damage, Verification, verify};
pub(crate) use write::{Backup, write};

/// Told how many bytes are done and how many there are.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);
