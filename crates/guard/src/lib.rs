#![doc = include_str!("../README.md")]

// Built anew when the profile of calls is counted or left out (`.cargo/rustc`).
const _: Option<&str> = option_env!("SIGNALBOX_PROFILE");

mod class;
pub mod condition;
#[cfg(test)]
mod conformance;
pub mod context;
#[cfg(test)]
mod docs_tests;
#[cfg(test)]
mod evasion_tests;
pub mod exception;
pub mod guard;
mod kept;
mod lane;
mod literals;
mod memory;
pub mod model;
pub mod normalise;
pub mod options;
pub mod policy;
pub mod registry;
pub mod report;
pub mod scanner;
pub mod scanners;
pub mod service;
mod term;
mod together;
pub mod vocabulary;
pub mod window;

pub use condition::Condition;
pub use context::{Context, Facts};
pub use exception::ExceptionConfig;
pub use guard::{Check, Clock, Guard, Lap};
pub use model::Notes;
pub use options::{Maker, OptionProblem, Options};
pub use policy::{GuardConfig, GuardError, Hint, PolicyConfig, PolicyProblem};
pub use scanner::{About, Hit, Replacement, Rule, Scanner, Text, ToolCall};
pub use scanners::remote::answers::{Answers, Judgement, Question, Reply};
pub use scanners::remote::{format, is_unchecked};
pub use service::ServiceConfig;
pub use vocabulary::{Restorer, Vocabulary};
pub use window::{Released, Window};
