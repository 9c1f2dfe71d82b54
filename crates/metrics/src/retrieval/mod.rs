//! Ranked results, and the texts that a search found for an answer.

pub(crate) mod ranking;
