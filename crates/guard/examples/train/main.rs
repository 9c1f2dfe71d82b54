//! Trains the model of the guard: `make train DATA=path/to/data`.
//!
//! Reads only sources whose licence permits a shipped model (`rows.rs` lists them) and what `templates.txt` makes.
//! With one machine and one compiler it gives the same bytes each time.
#![expect(clippy::print_stdout, reason = "the output of a command line tool")]

mod learn;
mod random;
mod rows;
mod templates;

use std::error::Error;
use std::path::Path;

use signalbox_guard::model::{HEADS, Weights};

use crate::learn::{Example, Plain, examples, train};
use crate::random::Random;

const NAMES: [&str; HEADS] = ["prompt_injection", "jailbreak", "harmful_request", "toxicity"];
/// The share of harmless texts of unseen sources that may be flagged.
const FALSE_POSITIVES: [f64; HEADS] = [0.025, 0.06, 0.012, 0.01];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let data = arguments
        .next()
        .filter(|data| !data.is_empty())
        .ok_or("name the folder of the labelled data: make train DATA=…")?;
    let out =
        arguments.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/src/model/data/weights.bin").into());
    let mut rows = rows::read(Path::new(&data))?;
    rows.extend(templates::rows(&mut Random::new(1)));
    let mut sources = Vec::new();
    let examples = examples(&rows, &mut sources);
    println!("{} texts of {} sources, {} units", rows.len(), sources.len(), examples.len());
    let weight: Vec<f32> =
        sources.iter().map(|source| if source == "prompt_injection/deepset" { 0.6 } else { 1.0 }).collect();

    let model = train(&examples, &weight, &|_| true);
    let held_out = hold_out(&rows, &examples, &sources, &weight);
    let threshold = std::array::from_fn(|head| threshold(&held_out, &rows, head));
    let rows_of = |part: &dyn Fn(&Plain) -> &Vec<f32>| -> Vec<[f32; HEADS]> {
        (0..part(&model[0]).len()).map(|i| std::array::from_fn(|head| part(&model[head])[i])).collect()
    };
    let bias = std::array::from_fn(|head| model[head].bias);
    println!("thresholds {threshold:?}, biases {bias:?}");
    let file = Weights::write(bias, threshold, &rows_of(&|head| &head.hashed), &rows_of(&|head| &head.dense));
    std::fs::write(&out, &file)?;
    println!("{} bytes written", file.len());
    Ok(())
}

/// Scores every row by a model that has seen nothing of its source, and prints how well that went.
fn hold_out(rows: &[rows::Row], examples: &[Example], sources: &[String], weight: &[f32]) -> Vec<[f32; HEADS]> {
    const FOLDS: usize = 4;
    let mut scores = vec![[f32::NEG_INFINITY; HEADS]; rows.len()];
    // What templates make is held out by template.
    let fold = |example: &Example| {
        let made = sources[example.source].starts_with("templates/");
        (if made { example.group } else { example.source }) % FOLDS
    };
    for held in 0..FOLDS {
        let model = train(examples, weight, &|example| fold(example) != held);
        for example in examples.iter().filter(|example| fold(example) == held) {
            for (head, best) in scores[example.row].iter_mut().enumerate() {
                *best = best.max(model[head].score(example));
            }
        }
    }
    for (head, name) in NAMES.iter().enumerate() {
        let threshold = threshold(&scores, rows, head);
        println!("{name}: sources held out, at the threshold {threshold:.3}");
        for source in sources {
            let of_source = rows.iter().zip(&scores).filter(|(row, _)| row.source == *source);
            for wanted in [true, false] {
                let scored: Vec<f32> = of_source
                    .clone()
                    .filter(|(row, _)| row.labels.0[head] == Some(wanted))
                    .map(|(_, score)| score[head])
                    .collect();
                if scored.is_empty() {
                    continue;
                }
                let flagged = scored.iter().filter(|score| **score >= threshold).count();
                println!("  {source:32} {} {flagged} of {} flagged", if wanted { "+" } else { "-" }, scored.len());
            }
        }
    }
    scores
}

/// From which score on the share of flagged harmless rows is small enough. All sources count the same.
fn threshold(scores: &[[f32; HEADS]], rows: &[rows::Row], head: usize) -> f32 {
    let negative = || rows.iter().zip(scores).filter(|(row, _)| row.labels.0[head] == Some(false));
    let mut counts: std::collections::HashMap<&str, f64> = std::collections::HashMap::new();
    for (row, _) in negative() {
        *counts.entry(&row.source).or_default() += 1.0;
    }
    let mut weighted: Vec<(f32, f64)> =
        negative().map(|(row, score)| (score[head], counts[row.source.as_str()].sqrt().recip())).collect();
    weighted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut budget = FALSE_POSITIVES[head] * weighted.iter().map(|(_, weight)| weight).sum::<f64>();
    for (score, weight) in weighted {
        budget -= weight;
        if budget < 0.0 {
            return score + 1e-3;
        }
    }
    0.0
}
