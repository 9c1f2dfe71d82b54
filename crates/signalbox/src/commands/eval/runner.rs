//! Asks targets and measures their answers, several at once; each row is in the result file before the next is looked at.

use std::collections::HashSet;
use std::io::{IsTerminal as _, Write};
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use signalbox_evals::suite::{Item, Made, Metric, Row, ScoreRow, Seen, Suite};
use signalbox_evals::{Scored, ScorerError};
use signalbox_metrics::case::INPUTS;
use signalbox_types::Money;

use super::cache::Cache;
use super::target::Target;

/// Everything that a run needs.
#[derive(Debug)]
pub(super) struct Runner<'a> {
    pub(super) suite: &'a Suite,
    /// What the files of each metric's program hold.
    pub(super) files: Vec<String>,
    pub(super) items: &'a [Item],
    pub(super) targets: &'a [Target],
    pub(super) metrics: Arc<Vec<Metric>>,
    pub(super) cache: Cache,
    pub(super) concurrency: usize,
    pub(super) quiet: bool,
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) rows: Vec<Row>,
    pub(super) interrupted: bool,
}

/// A score of another process or a model, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    score: ScoreRow,
    cost: Option<Money>,
}

impl Runner<'_> {
    /// Runs what isn't done, and writes a line for each answer as it comes.
    pub(super) async fn run(&self, done: &[Row], out: &mut impl Write) -> anyhow::Result<Ran> {
        let is_done: HashSet<(&str, &str)> = done.iter().map(|row| (row.target.as_str(), row.id.as_str())).collect();
        let all = self.targets.iter().flat_map(|target| self.items.iter().map(move |item| (target, item)));
        let work: Vec<_> = all.filter(|(target, item)| !is_done.contains(&(&*target.name, &*item.id))).collect();
        let bar = self.bar(work.len(), done.len());
        // Answers that are there already need no waiting: as many at once as there are cores, and some that are being written.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let only_recorded = self.targets.iter().all(Target::is_recorded);
        let at_once = if only_recorded { self.concurrency.max(2 * cores) } else { self.concurrency };
        let mut rows = Vec::with_capacity(work.len());
        let mut answers = stream::iter(work).map(|(target, item)| self.answer(target, item)).buffer_unordered(at_once);
        let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
        let (mut spent, mut failed) = (0.0, 0_usize);
        loop {
            let next = tokio::select! {
                biased;
                _ = &mut stop => None,
                next = answers.next() => Some(next),
            };
            let Some(next) = next else {
                bar.abandon();
                return Ok(Ran { rows, interrupted: true });
            };
            let Some((row, line)) = next else { break };
            out.write_all(line.as_bytes())?;
            failed += usize::from(row.failed());
            spent += row.cost_usd.filter(|_| !row.cached).unwrap_or(0.0);
            bar.set_message(format!("${spent:.4} spent, {failed} failed"));
            bar.inc(1);
            rows.push(row);
        }
        bar.finish_and_clear();
        Ok(Ran { rows, interrupted: false })
    }

    fn bar(&self, todo: usize, done: usize) -> ProgressBar {
        if self.quiet || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new((todo + done) as u64).with_position(done as u64);
        match ProgressStyle::with_template("{bar:32} {pos}/{len}  {msg}  {eta} left") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    async fn answer(&self, target: &Target, item: &Item) -> (Row, String) {
        let mut row =
            Row { target: target.name.clone(), id: item.id.clone(), item: item.fields.clone(), ..Row::default() };
        let answered = match &item.problem {
            Some(problem) => Err(problem.clone()),
            None => target.answer(item, &self.cache).await,
        };
        match answered {
            Ok(answer) => {
                row.output = answer.output;
                row.latency_ms = answer.latency_ms;
                row.cost_usd = answer.cost_usd;
                row.cached = answer.cached;
                self.ask_scorers(&mut row).await;
            }
            Err(problem) => row.error = Some(problem),
        }
        let (metrics, name, id) = (Arc::clone(&self.metrics), row.target.clone(), row.id.clone());
        let measured = tokio::task::spawn_blocking(move || {
            if row.error.is_none() {
                measure(&metrics, &mut row);
            }
            let line = line(&row);
            (row, line)
        });
        measured.await.unwrap_or_else(|_| {
            let error = Some("a metric broke down on this answer; please report it".to_owned());
            let row = Row { target: name, id, error, ..Row::default() };
            let line = line(&row);
            (row, line)
        })
    }

    /// Those who take their time: programs, models.
    async fn ask_scorers(&self, row: &mut Row) {
        let all = self.metrics.iter().zip(&self.suite.metrics).zip(&self.files);
        let asked = all.filter_map(|((metric, config), files)| match &metric.made {
            Made::Asked(scorer) => Some((metric, scorer, config, files)),
            _ => None,
        });
        let asked: Vec<_> = asked.collect();
        if asked.is_empty() {
            return;
        }
        let case = row.case();
        let parts = INPUTS.into_iter().filter_map(|input| Some(format!("{input}={}", case.find(input)?)));
        let content = parts.collect::<Vec<_>>().join("\n");
        let mut cost = row.cost_usd;
        for (metric, scorer, config, files) in asked {
            let key = Cache::key(&["score", &format!("{config:?}"), files, &content]);
            let kept = match self.cache.find::<Kept>(&key) {
                Some(kept) => kept,
                None => {
                    let kept = kept(scorer.score(&case).await);
                    if kept.score.error.is_none() {
                        self.cache.keep(&key, &kept);
                    }
                    kept
                }
            };
            if let Some(one) = kept.cost {
                cost = Some(cost.unwrap_or(0.0) + one.as_dollars());
            }
            row.scores.insert(metric.name.clone(), kept.score);
        }
        row.cost_usd = cost;
    }
}

fn kept(scored: Result<Scored, ScorerError>) -> Kept {
    match scored {
        Ok(scored) => Kept { cost: scored.cost, score: scored.into() },
        Err(error) => Kept { cost: None, score: ScoreRow::failed(error.to_string()) },
    }
}

/// In the suite's order: what looks at others' scores finds those above it.
fn measure(metrics: &[Metric], row: &mut Row) {
    let case = row.case();
    for metric in metrics {
        if let Some(score) = metric.measure(&Seen { case: &case, row }) {
            row.scores.insert(metric.name.clone(), score);
        }
    }
}

fn line(row: &Row) -> String {
    // A row is made of strings and numbers only.
    serde_json::to_string(row).unwrap_or_default() + "\n"
}
