//! The same calls as a Prometheus would have scraped them: counters and histograms once a minute, a file for each day.

use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::path::Path;

use serde_json::Value;

use crate::store::Simulated;
use crate::traffic::{CLASS, MODELS, SCORES, Table};

/// Upper bounds of buckets, in seconds: each half as much again as the one before, which is finer than most exporters are.
const BOUNDS: usize = 16;

fn bound(place: usize) -> f64 {
    (0.1 * 1.5_f64.powi(place as i32) * 1_000.0).round() / 1_000.0
}

/// Everything counted since the beginning.
#[derive(Debug, Default)]
struct Counters {
    requests: Vec<u64>,
    tokens: Vec<f64>,
    costs: Vec<f64>,
    durations: Vec<[u64; BOUNDS + 1]>,
    ttfts: Vec<[u64; BOUNDS + 1]>,
    scores: Vec<u64>,
}

/// Writes `day-000.om` and so on.
///
/// # Errors
/// The disk.
pub(crate) fn write(simulated: &Simulated, dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let (calls, scores) = (&simulated.history.calls, &simulated.history.scores);
    let mut counters = Counters {
        requests: vec![0; calls.texts.len()],
        tokens: vec![0.0; MODELS.len()],
        costs: vec![0.0; MODELS.len()],
        durations: vec![[0; BOUNDS + 1]; MODELS.len()],
        ttfts: vec![[0; BOUNDS + 1]; MODELS.len()],
        scores: vec![0; SCORES.len() * 2],
    };
    let minutes = calls.minutes.len() - 1;
    let began = simulated.began.as_secs();
    for day in 0..minutes / 1_440 {
        // OpenMetrics wants all of a family together: a day's points are gathered first.
        let mut families: Vec<Vec<u8>> = vec![Vec::new(); FAMILIES.len()];
        for minute in day * 1_440..(day + 1) * 1_440 {
            counters.count(calls, scores, minute);
            counters.scrape(calls, began + (minute as i64 + 1) * 60, &mut families)?;
        }
        let mut file = BufWriter::new(File::create(dir.join(format!("day-{day:03}.om")))?);
        for ((name, kind), points) in FAMILIES.iter().zip(&families) {
            writeln!(file, "# TYPE {name} {kind}")?;
            file.write_all(points)?;
        }
        writeln!(file, "# EOF")?;
        file.flush()?;
    }
    Ok(())
}

/// A histogram that has lost its sum and count is `unknown`: rates and quantiles need its buckets only.
const FAMILIES: [(&str, &str); 6] = [
    ("llm_requests", "counter"),
    ("llm_tokens", "counter"),
    ("llm_cost_dollars", "counter"),
    ("llm_duration_seconds_bucket", "unknown"),
    ("llm_time_to_first_token_seconds_bucket", "unknown"),
    ("llm_scores", "counter"),
];

impl Counters {
    fn count(&mut self, calls: &Table, scores: &Table, minute: usize) {
        for cell in cells(calls, minute) {
            let kind = usize::from(cell.kind);
            let model = text(calls, kind, "model");
            let model = MODELS.iter().position(|one| one.name == model).unwrap_or_default();
            self.requests[kind] += u64::from(cell.count);
            self.tokens[model] += f64::from(cell.tokens);
            self.costs[model] += f64::from(cell.cost);
            let observe = |(from, to): (u32, u32), buckets: &mut [u64; BOUNDS + 1]| {
                for class in &calls.pool[from as usize..to as usize] {
                    let seconds = ((f64::from(*class) + 0.5) * CLASS).exp() / 1_000.0;
                    let first = (0..BOUNDS).find(|place| seconds <= bound(*place)).unwrap_or(BOUNDS);
                    buckets[first] += 1;
                }
            };
            if text(calls, kind, "status") == "ok" {
                observe(cell.durations, &mut self.durations[model]);
                observe(cell.ttfts, &mut self.ttfts[model]);
            }
        }
        for cell in cells(scores, minute) {
            self.scores[usize::from(cell.kind)] += u64::from(cell.count);
        }
    }

    fn scrape(&self, calls: &Table, at: i64, families: &mut [Vec<u8>]) -> Result<()> {
        for (kind, count) in self.requests.iter().enumerate() {
            let [provider, model, route, status, verdict] =
                ["provider", "model", "route", "status", "verdict"].map(|field| text(calls, kind, field));
            let stream = if text(calls, kind, "ttft_ms").is_empty() { "false" } else { "true" };
            writeln!(
                families[0],
                "llm_requests_total{{provider=\"{provider}\",model=\"{model}\",route=\"{route}\",status=\"{status}\",verdict=\"{verdict}\",stream=\"{stream}\"}} {count} {at}"
            )?;
        }
        for (place, model) in MODELS.iter().enumerate() {
            let name = model.name;
            writeln!(families[1], "llm_tokens_total{{model=\"{name}\"}} {:.0} {at}", self.tokens[place])?;
            writeln!(families[2], "llm_cost_dollars_total{{model=\"{name}\"}} {:.6} {at}", self.costs[place])?;
            for (family, buckets) in [(3, &self.durations[place]), (4, &self.ttfts[place])] {
                let (metric, _) = FAMILIES[family];
                let mut below = 0;
                for (bucket, count) in buckets.iter().enumerate() {
                    below += count;
                    let le = if bucket == BOUNDS { "+Inf".to_owned() } else { bound(bucket).to_string() };
                    writeln!(families[family], "{metric}{{model=\"{name}\",le=\"{le}\"}} {below} {at}")?;
                }
            }
        }
        for (place, (name, _)) in SCORES.iter().enumerate() {
            for (passed, count) in [("true", self.scores[place * 2]), ("false", self.scores[place * 2 + 1])] {
                writeln!(families[5], "llm_scores_total{{name=\"{name}\",passed=\"{passed}\"}} {count} {at}")?;
            }
        }
        Ok(())
    }
}

fn cells(table: &Table, minute: usize) -> &[crate::traffic::Cell] {
    &table.cells[table.minutes[minute] as usize..table.minutes[minute + 1] as usize]
}

fn text<'a>(table: &'a Table, kind: usize, field: &str) -> &'a str {
    match table.texts[kind].iter().find(|(name, _)| *name == field) {
        Some((_, Value::String(text))) => text,
        // Of a stream.
        Some((_, Value::Bool(true))) => "true",
        _ => "",
    }
}
