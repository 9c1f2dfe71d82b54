//! `signalbox eval`: one metric over lines, a suite over targets, two runs side by side.

mod asked;
mod cache;
mod compare;
pub(super) mod metric;
mod program;
mod run;
mod runner;
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
    Push(super::push::Push),
}

impl Eval {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::Metric(metric) => metric.run(),
            What::Run(run) => run.run(),
            What::Compare(compare) => compare.run(),
            What::Push(push) => push.run(),
        }
    }
}
