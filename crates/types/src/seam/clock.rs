use std::time::Duration;

use crate::Timestamp;

/// What time it is. Real code gets the system's, tests one that they move by hand.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Wall-clock time, for what people read. May jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, for measuring. Never goes back.
    fn elapsed(&self) -> Duration;
}
