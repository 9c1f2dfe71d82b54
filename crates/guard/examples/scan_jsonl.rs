//! Scans JSON lines with one scanner and prints predictions for `score_scanners.py`:
//! `cargo run --release --example scan_jsonl -- secrets < dev.jsonl > pred.jsonl`
//!
//! A line is `{"id", "text"}`; where there is no `text`, `context`, `input` and `output` are taken. With
//! `--show` as second argument, hits are named too (never their text).
#![expect(clippy::print_stdout, reason = "the output of a command line tool")]

use std::io::BufRead;
use std::time::Instant;

use signalbox_guard::{Text, registry};

/// Findings below this are for strict policies only.
const FLAGGED: f32 = 0.5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("name a scanner")?;
    let show = arguments.next().is_some();
    let scanner = registry::find(&name).ok_or("no such scanner")?;
    let mut hits = Vec::new();
    scanner.scan(Text::whole("warm up"), &mut hits);
    for line in std::io::stdin().lock().lines() {
        let row: serde_json::Value = serde_json::from_str(&line?)?;
        let field = |name: &str| row.get(name).and_then(serde_json::Value::as_str);
        let text = field("text").map(str::to_owned).unwrap_or_else(|| {
            let parts: Vec<_> = ["context", "input", "output", "reference"].into_iter().filter_map(field).collect();
            parts.join("\n")
        });
        hits.clear();
        let start = Instant::now();
        let notes = signalbox_guard::Notes::default();
        let whole = Text::whole(&text).noted(&notes);
        scanner.scan(whole, &mut hits);
        let us = start.elapsed().as_secs_f64() * 1e6;
        let score = scanner.score(whole, &hits);
        let mut answer = serde_json::json!({"id": row["id"], "score": score, "flagged": score >= FLAGGED, "us": us});
        if name == "pii" {
            let place = |offset: usize| text.get(..offset).map_or(0, |before| before.chars().count());
            let spans = hits.iter().filter(|hit| hit.confidence >= FLAGGED).map(|hit| {
                serde_json::json!({"start": place(hit.start), "end": place(hit.end), "type": scanner.kind(hit.rule)})
            });
            answer["spans"] = spans.collect();
        }
        if show {
            let found = hits.iter().map(|hit| serde_json::json!([hit.rule.name, hit.start, hit.end, hit.confidence]));
            answer["hits"] = found.collect();
        }
        println!("{answer}");
    }
    Ok(())
}
