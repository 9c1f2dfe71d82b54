//! One folder per scanner: `mod.rs`, `patterns.rs`, `tests.rs`, `data/{hit,miss}.jsonl`.

pub mod harmful_request;
pub mod invisible_chars;
pub mod jailbreak;
pub mod prompt_injection;
pub mod secrets;
pub mod toxicity;
