//! Which of the threads that serve callers this is.
//!
//! Each of them has a runtime of its own, so that a call, from the caller's socket to the provider's and back, wakes no
//! other thread. What waits for a socket is woken by the runtime that the socket was opened in; so a connection to a
//! provider is best used again by the lane that opened it.

use std::cell::Cell;
use std::num::NonZero;

thread_local! {
    static LANE: Cell<usize> = const { Cell::new(0) };
}

/// How many there are: one a processor.
#[must_use]
pub fn count() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Makes the calling thread one of them, from 1 up to [`count`]. All other threads share number 0.
pub fn enter(number: usize) {
    LANE.set(number.min(count()));
}

/// The calling thread's number.
pub(crate) fn current() -> usize {
    LANE.get()
}
