#![doc = include_str!("../README.md")]

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod evasion_tests;
pub mod model;
pub mod normalise;
pub mod policy;
pub mod registry;
pub mod report;
pub mod scanner;
pub mod scanners;
pub mod window;

pub use model::Notes;
pub use policy::{Check, Guard, GuardConfig, GuardError, PolicyConfig, PolicyProblem};
pub use scanner::{About, Hit, Replacement, Rule, Scanner, Text};
pub use window::{Released, Window};
