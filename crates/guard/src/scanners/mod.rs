//! One folder per scanner: `mod.rs`, `patterns.rs`, `tests.rs`, `data/{hit,miss}.jsonl`; `nearby` is for those that look at
//! bounded text around anchors.

pub mod bias;
pub mod code_injection;
pub mod expression;
pub mod gibberish;
pub mod groundedness;
pub mod harmful_request;
pub mod invisible_chars;
pub mod jailbreak;
pub mod json_schema;
pub mod language;
pub mod length;
mod nearby;
pub mod pii;
pub mod prompt_injection;
pub mod refusal;
pub mod remote;
pub mod secrets;
pub mod system_prompt_leak;
pub mod tool_policy;
pub mod topics;
pub mod toxicity;
pub mod urls;
pub mod words;
