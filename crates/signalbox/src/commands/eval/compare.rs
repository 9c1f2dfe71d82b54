use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde_json::json;
use signalbox_evals::suite::Run;
use signalbox_evals::suite::report::changes;

/// Compare two result files, item by item
///
/// For each metric that both runs have: the mean of the pairs before and after, the difference with its 95 % interval, how many items got
/// better and worse, the p-value (two-sided; McNemar's exact test of what is 0 or 1, sign flips otherwise; Holm's correction over all lines),
/// and the least difference that four of five such comparisons would find.
///
/// Example:
///   signalbox eval compare main.results.jsonl branch.results.jsonl
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Compare {
    /// The result file of the run before
    before: PathBuf,
    /// The result file of the run after
    after: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (before, after) = (read(&self.before)?, read(&self.after)?);
        let all = changes(&before, &after);
        if all.is_empty() {
            bail!("the two runs have no target, metric and item in common");
        }
        let unpaired: usize = all.iter().map(|change| change.comparison.unpaired).max().unwrap_or(0);
        if self.json {
            let text = json!({"before": before.header, "after": after.header, "changes": all});
            crate::commands::say(&serde_json::to_string_pretty(&text)?);
            return Ok(());
        }
        crate::commands::say(&super::table::changes(&all));
        if unpaired > 0 {
            crate::commands::say(&format!("{unpaired} items were measured in one run only and don't count."));
        }
        Ok(())
    }
}

pub(super) fn read(path: &Path) -> anyhow::Result<Run> {
    let bytes = std::fs::read(path).with_context(|| format!("can't read `{}`", path.display()))?;
    Run::parse(&bytes).map_err(|problem| anyhow!("`{}`: {problem}", path.display()))
}
