use std::time::Instant;

use anyhow::Context;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use signalbox_types::seam::Reindexed;
use signalbox_types::time::TimeBound;

use crate::remote::{At, Remote};

/// Normalise old spans again, after an update that understands more of what SDKs send
///
/// Spans of the key's project that came by OTLP and that an earlier version read are read again from what was
/// sent, and priced anew; what guardrails found stays. It may be stopped at any time: the next run goes on with
/// what is left, and one after that finds nothing to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Reindex {
    /// The first moment: RFC 3339, or relative to now such as `now-7d` [default: the beginning]
    #[arg(long, value_name = "TIME")]
    from: Option<TimeBound>,
    /// The first moment after it
    #[arg(long, value_name = "TIME")]
    to: Option<TimeBound>,
    #[command(flatten)]
    at: At,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Reindex {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let began = Instant::now();
        let remote = self.at.remote()?;
        let mut range = json!({});
        for (name, bound) in [("from", self.from), ("to", self.to)] {
            if let Some(bound) = bound {
                range[name] = json!(bound.to_string());
            }
        }
        let Reindexed { spans, changed, failed, .. } = super::block_on(follow(&remote, &range))?;
        let seconds = began.elapsed().as_secs_f64();
        let took_ms = (seconds * 1_000.0) as u64;
        super::say(&match self.json {
            true => json!({"spans": spans, "changed": changed, "failed": failed, "took_ms": took_ms}).to_string(),
            false => format!("Read {spans} spans again in {seconds:.1} s: {changed} changed, {failed} failed."),
        });
        Ok(())
    }
}

/// Shows how far it is, until it is done.
async fn follow(remote: &Remote, range: &Value) -> anyhow::Result<Reindexed> {
    let mut parts = remote.post_for_body("/api/v1/reindex", range).await?.into_body().into_data_stream();
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {per_sec}");
    let bar = ProgressBar::new(0).with_message("reading again");
    let bar = style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style));
    let mut read = Vec::new();
    let mut last = None;
    while let Some(part) = parts.next().await {
        read.extend_from_slice(&part.context("Signalbox broke the answer off; its log says why")?);
        while let Some(end) = read.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = read.drain(..=end).collect();
            let step = step(&line)?;
            bar.set_length(step.total);
            bar.set_position(step.spans);
            last = Some(step);
        }
    }
    bar.finish_and_clear();
    let done = last.filter(|step: &Reindexed| step.done);
    done.context("Signalbox stopped before the end; run it again, and it goes on with what is left")
}

fn step(line: &[u8]) -> anyhow::Result<Reindexed> {
    let line: Value = serde_json::from_slice(line).context("Signalbox answered something else than lines of JSON")?;
    if let Some(problem) = line["error"]["message"].as_str() {
        anyhow::bail!("{problem}");
    }
    Ok(serde_json::from_value(line)?)
}
