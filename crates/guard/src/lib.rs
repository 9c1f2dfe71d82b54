#![doc = include_str!("../README.md")]

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
mod lane;
pub mod model;
pub mod normalise;
pub mod options;
pub mod policy;
pub mod registry;
pub mod report;
pub mod scanner;
pub mod scanners;
mod term;
pub mod vocabulary;
pub mod window;

pub use condition::Condition;
pub use context::{Context, Facts};
pub use exception::ExceptionConfig;
pub use guard::{Check, Guard, Lap};
pub use model::Notes;
pub use options::{Maker, OptionProblem, Options};
pub use policy::{GuardConfig, GuardError, PolicyConfig, PolicyProblem};
pub use scanner::{About, Hit, Replacement, Rule, Scanner, Text, ToolCall};
pub use vocabulary::{Restorer, Vocabulary};
pub use window::{Released, Window};
