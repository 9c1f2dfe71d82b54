//! How well models do on sources that they have not seen.
#![expect(clippy::cast_precision_loss, reason = "counts of a few thousand")]

use std::collections::BTreeMap;

use signalbox_guard::model::HEADS;

use crate::learn::{Example, train};
use crate::rows::Row;

pub(crate) const NAMES: [&str; HEADS] = ["prompt_injection", "jailbreak", "harmful_request", "toxicity"];
/// The share of harmless texts of unseen sources that may be flagged, all sources alike.
const FALSE_POSITIVES: [f64; HEADS] = [0.007, 0.035, 0.003, 0.006];
const FOLDS: usize = 5;

/// The scores of every row by models that have seen nothing of its source.
pub(crate) fn hold_out(rows: &[Row], examples: &[Example], sources: &[String], weight: &[f32]) -> Vec<[f32; HEADS]> {
    // What templates make is held out by template, and the only sources of code and of speech by row.
    let fold = |example: &Example| {
        let source = sources[example.source].as_str();
        let made = source.starts_with("templates/") || matches!(source, "FastChat" | "SummEdits");
        (if made { example.group } else { example.source }) % FOLDS
    };
    let mut scores = vec![[f32::NEG_INFINITY; HEADS]; rows.len()];
    for held in 0..FOLDS {
        let model = train(examples, weight, &|example| fold(example) != held);
        for example in examples.iter().filter(|example| fold(example) == held) {
            for (head, best) in scores[example.row].iter_mut().enumerate() {
                *best = best.max(model[head].score(example));
            }
        }
    }
    scores
}

/// Prints how many rows of each source are above the threshold, and the area under the curve of each source of
/// attacks against all harmless rows, all sources alike.
pub(crate) fn print(rows: &[Row], scores: &[[f32; HEADS]], head: usize, threshold: f32) {
    println!("{}: sources held out, at the threshold {threshold:.3}", NAMES[head]);
    let mut of_source: BTreeMap<(bool, &str), Vec<f32>> = BTreeMap::new();
    for (row, score) in rows.iter().zip(scores) {
        if let Some(label) = row.labels.0[head] {
            of_source.entry((!label, &row.source)).or_default().push(score[head]);
        }
    }
    let harmless: Vec<&Vec<f32>> = of_source.iter().filter(|((calm, _), _)| *calm).map(|(_, scores)| scores).collect();
    for ((calm, source), scores) in &of_source {
        let flagged = scores.iter().filter(|score| **score >= threshold).count() as f32 / scores.len() as f32;
        if *calm {
            println!("  - {source:30} {:5} texts, {flagged:.3} flagged", scores.len());
        } else {
            let areas: f64 = harmless.iter().map(|others| area(scores, others)).sum();
            let area = areas / harmless.len().max(1) as f64;
            println!("  + {source:30} {:5} texts, {flagged:.3} flagged, AUROC {area:.3}", scores.len());
        }
    }
}

/// How often a score of `scores` is above one of `others`.
fn area(scores: &[f32], others: &[f32]) -> f64 {
    let mut sorted = others.to_vec();
    sorted.sort_by(f32::total_cmp);
    let below = |score: &f32| {
        (sorted.partition_point(|other| other < score) + sorted.partition_point(|other| other <= score)) as f64 / 2.0
    };
    scores.iter().map(below).sum::<f64>() / (scores.len() * others.len()).max(1) as f64
}

/// From which score on the share of flagged harmless rows is small enough.
pub(crate) fn threshold(scores: &[[f32; HEADS]], rows: &[Row], head: usize) -> f32 {
    let negative = || rows.iter().zip(scores).filter(|(row, _)| row.labels.0[head] == Some(false));
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
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
