#![doc = include_str!("../README.md")]

#[cfg(test)]
mod conformance;
pub mod context;
#[cfg(test)]
mod evasion_tests;
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
pub mod window;

pub use context::Context;
pub use guard::{Check, Guard, Lap};
pub use model::Notes;
pub use options::{Maker, OptionProblem, Options};
pub use policy::{GuardConfig, GuardError, PolicyConfig, PolicyProblem};
pub use scanner::{About, Hit, Replacement, Rule, Scanner, Text};
pub use window::{Released, Window};
