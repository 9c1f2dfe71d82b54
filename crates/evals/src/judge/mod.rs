//! Judges: a model says by a rubric what an answer is worth. Nothing is made up: an answer of the judge that can't be
//! read is an error and never a 0, and a quotation counts if the judged texts have it.

mod answer;
mod ask;
mod family;
mod file;
mod opinion;
mod pair;
mod panel;
mod prompt;
mod quote;
mod registry;
mod rubric;
mod tally;
#[cfg(test)]
mod tests;

pub use answer::verdict_word;
pub use family::family;
pub use file::{FileProblem, read_rubric};
pub use opinion::{Flag, FlagKind, Judgement, Opinion, Tally};
pub use panel::{Aggregate, Judge, JudgePlan};
pub use registry::{all, find, near};
pub use rubric::{Category, Level, Rubric, RubricProblem, Scale};
