//! How well models do on sources that they have not seen.
#![expect(clippy::cast_precision_loss, reason = "counts of a few thousand")]

use std::collections::BTreeMap;

use signalbox_guard::model::HEADS;

use crate::learn::{Example, train};
use crate::rows::Row;

pub(crate) const NAMES: [&str; HEADS] = ["prompt_injection", "jailbreak", "harmful_request", "toxicity"];
/// The share of harmless texts of unseen sources that may be flagged, all sources alike.
const FALSE_POSITIVES: [f64; HEADS] = [0.080, 0.046, 0.0068, 0.0104];
/// What is held out at once, by the beginning of its name: sources of attacks with the look-alikes that were written
/// beside them, so that no model has seen words of one author on both sides. Those that aren't named are the only ones of
/// code and of speech; they are held out by row.
const FOLDS: &[&[&str]] = &[
    &["deepset", "StrongREJECT", "templates/plain"],
    &["garak", "Giskard", "OASST1", "BFCL", "templates/long"],
    &["verazuo", "self-instruct", "lingua-py", "templates/field"],
    &["HarmBench", "Davidson", "presidio-research", "libinjection false", "templates/everyday"],
    &["WildGuard", "GPTeacher", "BLNS"],
    &["templates/basic", "templates/extraction"],
    &["templates/direct", "templates/languages", "templates/tongues", "templates/toxic", "templates/world"],
    &["templates/planted", "templates/jailbreak", "templates/harm"],
    &["templates/lookalikes"],
    &["templates/hijack", "templates/guess"],
    &["templates/agents", "templates/natural", "templates/amidst", "templates/manner"],
    &["templates/mention", "templates/roles"],
    &["templates/technical", "rebuff"],
    &["house", "gitleaks", "detect-secrets", "FastChat"],
];

/// The shares of harmless texts that may be flagged, by head: as they were typed, or those of the shipped model.
pub(crate) fn shares(typed: Option<&str>) -> Result<[f64; HEADS], String> {
    let Some(typed) = typed else { return Ok(FALSE_POSITIVES) };
    let shares: Vec<f64> = typed.split(',').filter_map(|share| share.trim().parse().ok()).collect();
    shares.try_into().map_err(|_| format!("`{typed}` is not {HEADS} numbers with commas, one for each head"))
}

/// The scores of every row by models that have seen nothing of its source.
pub(crate) fn hold_out(rows: &[Row], examples: &[Example], sources: &[String], weight: &[f32]) -> Vec<[f32; HEADS]> {
    let held_in = |source: &String| FOLDS.iter().position(|held| held.iter().any(|name| source.starts_with(name)));
    let folds: Vec<Option<usize>> = sources.iter().map(held_in).collect();
    let fold = |example: &Example| folds[example.source].unwrap_or(example.group % FOLDS.len());
    let mut scores = vec![[f32::NEG_INFINITY; HEADS]; rows.len()];
    for held in 0..FOLDS.len() {
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
/// attacks against all harmless rows, all sources alike; then the means, and how much of the attacks is found where 1 %
/// of the harmless rows are flagged.
pub(crate) fn print(rows: &[Row], scores: &[[f32; HEADS]], head: usize, limit: f32) {
    println!("{}: sources held out, at the threshold {limit:.3}", NAMES[head]);
    let mut of_source: BTreeMap<(bool, &str), Vec<f32>> = BTreeMap::new();
    for (row, score) in rows.iter().zip(scores) {
        if let Some(label) = row.labels.0[head] {
            of_source.entry((!label, &row.source)).or_default().push(score[head]);
        }
    }
    let harmless: Vec<&Vec<f32>> = of_source.iter().filter(|((calm, _), _)| *calm).map(|(_, scores)| scores).collect();
    let strict = threshold(0.01, scores, rows, head);
    let above = |scores: &[f32], least: f32| mean(scores.iter().map(|score| f64::from(u8::from(*score >= least))));
    let (mut areas, mut found, mut real, mut made) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((calm, source), scores) in &of_source {
        let flagged = above(scores, limit);
        if *calm {
            println!("  - {source:30} {:5} texts, {flagged:.3} flagged", scores.len());
            if source.starts_with("templates/") { made.push(flagged) } else { real.push(flagged) }
        } else {
            let area = mean(harmless.iter().map(|others| area(scores, others)));
            println!("  + {source:30} {:5} texts, {flagged:.3} flagged, AUROC {area:.3}", scores.len());
            areas.push(area);
            found.push(above(scores, strict));
        }
    }
    println!(
        "  means by source: AUROC {:.4}, found at 1 % flagged {:.3}; flagged of harmless data {:.4}, of templates {:.4}",
        mean(areas.into_iter()),
        mean(found.into_iter()),
        mean(real.into_iter()),
        mean(made.into_iter())
    );
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count.max(1))
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
pub(crate) fn threshold(share: f64, scores: &[[f32; HEADS]], rows: &[Row], head: usize) -> f32 {
    let negative = || rows.iter().zip(scores).filter(|(row, _)| row.labels.0[head] == Some(false));
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    for (row, _) in negative() {
        *counts.entry(&row.source).or_default() += 1.0;
    }
    let mut weighted: Vec<(f32, f64)> =
        negative().map(|(row, score)| (score[head], counts[row.source.as_str()].sqrt().recip())).collect();
    weighted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut budget = share * weighted.iter().map(|(_, weight)| weight).sum::<f64>();
    for (score, weight) in weighted {
        budget -= weight;
        if budget < 0.0 {
            return score + 1e-3;
        }
    }
    0.0
}
