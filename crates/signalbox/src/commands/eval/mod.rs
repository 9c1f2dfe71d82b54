//! `signalbox eval`: one metric over lines, a suite over targets, two runs side by side.

mod asked;
mod cache;
mod compare;
pub(super) mod metric;
mod others;
mod parquet;
mod program;
mod run;
mod runner;
mod source;
mod table;
mod target;

use compare::Compare;
use metric::Metric;
use run::Run;

/// Measure answers: what they are worth, by rules that anybody can check
#[derive(Debug, clap::Args)]
pub(crate) struct Eval {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Metric(Metric),
    Run(Run),
    Compare(Compare),
    Judge(super::eval_judge::JudgeLines),
    Calibrate(super::eval_calibrate::Calibrate),
    Push(super::push::Push),
}

impl Eval {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::Metric(metric) => metric.run(),
            What::Run(run) => run.run(),
            What::Compare(compare) => compare.run(),
            What::Judge(judge) => judge.run(),
            What::Calibrate(calibrate) => calibrate.run(),
            What::Push(push) => push.run(),
        }
    }
}
