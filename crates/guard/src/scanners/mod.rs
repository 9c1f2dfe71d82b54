//! One folder per scanner: `mod.rs`, `patterns.rs`, `tests.rs`, `data/{hit,miss}.jsonl`.

pub mod invisible_chars;
pub mod secrets;
