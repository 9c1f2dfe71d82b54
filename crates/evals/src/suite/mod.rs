//! Suites: a file says which items are answered by which targets, what the answers are measured by, and what must hold of the
//! figures. Pure: whoever runs a suite reads files, asks targets and hands the rows back.

mod config;
mod dataset;
mod derived;
mod document;
mod gate;
mod metric;
pub mod report;
mod result;
mod said;
mod summary;
mod template;
#[cfg(test)]
mod tests;
mod wasm;

pub use config::{
    CommandTarget, DatasetConfig, Format, GateConfig, HttpTarget, JudgeConfig, MetricConfig, ModelTarget, On,
    ProgramConfig, Proof, Regression, Scored as Better, Suite, SuiteProblem, TargetConfig, TracesConfig,
};
pub use dataset::{Item, read_items};
pub use derived::{Derived, Seen};
pub use gate::{GateOutcome, Judged, compare_runs, judge};
pub use metric::{Made, Metric, Others, make_all};
pub use result::{Header, Mark, MetricHeader, ResultProblem, Row, Run, ScoreRow, content_hash};
pub use said::{case_json, said_score};
pub use summary::{Figures, Summary, summarise};
pub use template::{render, render_value};
pub use wasm::Module;
