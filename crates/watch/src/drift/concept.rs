//! Concept drift: whether the same sort of input is judged as it was.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::compare::{Observation, RARE, beginning, measured, percent, plain};
use super::config::DriftConfig;
use super::result::{Direction, DriftCell, DriftConcept, DriftGroup};
use super::sample::Drawn;
use super::signal::{Cells, Datum, Values};
use super::words::{dot, mean, vector, words};
use crate::kinds::shown;

/// What sorts the input where no column does.
pub(crate) const CLUSTERS: &str = "input";
/// Sorts of input at most; rarer ones are put together.
const MOST_GROUPS: usize = 12;
/// Clusters of input.
const MOST_CLUSTERS: usize = 8;
/// Rounds of finding them.
const ROUNDS: usize = 12;

/// A judged span.
struct Judged {
    group: String,
    score: f64,
    observation: Observation,
}

/// The scores of a sort of input on both sides.
#[derive(Default)]
struct Group<'a> {
    sides: [Vec<&'a Judged>; 2],
}

/// Compares how sorts of input are judged now with how they were. `None`: that isn't wanted.
pub(crate) fn concept(check: &DriftConfig, sides: [Option<&Drawn>; 2]) -> Option<DriftConcept> {
    let wanted = check.concept.as_ref()?;
    let sides = sides.map(|side| side.map(|drawn| judged(drawn, &wanted.by)).unwrap_or_default());
    let [now, before] = if wanted.by == CLUSTERS { clustered(sides) } else { rare_together(sides) };
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    for (which, side) in [&now, &before].into_iter().enumerate() {
        for one in side {
            groups.entry(&one.group).or_default().sides[which].push(one);
        }
    }
    let mut cell = DriftCell {
        signal: format!("concept:{}", wanted.score),
        segment: None,
        values: Values::Concept,
        unit: None,
        current_samples: now.len(),
        reference_samples: before.len(),
        drifted: false,
        found: None,
        problem: None,
    };
    if now.len().min(before.len()) >= check.min_samples as usize {
        let pairs = |side: &[Judged]| -> Value { side.iter().map(|one| json!([one.group, one.score])).collect() };
        let p = measured("concept_drift", &[], pairs(&now), pairs(&before));
        cell.found = p.map(|p| found(&groups, p));
    }
    let mut groups: Vec<DriftGroup> = groups.into_iter().map(|(name, group)| shown_group(name, &group)).collect();
    groups.sort_by_key(|one| std::cmp::Reverse(one.current_samples + one.reference_samples));
    Some(DriftConcept { score: wanted.score.clone(), by: wanted.by.clone(), cell, groups })
}

fn judged(drawn: &Drawn, by: &str) -> Vec<Judged> {
    let read = |cells: Cells<'_>| {
        let score = cells.get("score.value")?.as_f64().filter(|score| score.is_finite())?;
        let text = cells.text("input_preview").unwrap_or_default().to_owned();
        let group = if by == CLUSTERS { String::new() } else { cells.category(by)? };
        let (trace, span) = (cells.text("trace_id")?.to_owned(), cells.text("span_id")?.to_owned());
        Some(Judged { group, score, observation: Observation { trace, span, datum: Datum::Text(text) } })
    };
    drawn.cells().filter_map(read).collect()
}

/// Sorts that are not among the most frequent become one.
fn rare_together(mut sides: [Vec<Judged>; 2]) -> [Vec<Judged>; 2] {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for one in sides.iter().flatten() {
        *counts.entry(one.group.clone()).or_default() += 1;
    }
    let mut by_count: Vec<(String, usize)> = counts.into_iter().collect();
    by_count.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let kept: BTreeSet<String> = by_count.into_iter().take(MOST_GROUPS).map(|(name, _)| name).collect();
    for one in sides.iter_mut().flatten().filter(|one| !kept.contains(&one.group)) {
        RARE.clone_into(&mut one.group);
    }
    sides
}

fn text_of(one: &Judged) -> &str {
    if let Datum::Text(text) = &one.observation.datum { text } else { "" }
}

/// Sorts the inputs of both sides by themselves: k-means on the sphere, begun with points far from each other. It is the same each time.
fn clustered(mut sides: [Vec<Judged>; 2]) -> [Vec<Judged>; 2] {
    let vectors: Vec<Vec<f64>> = sides.iter().flatten().map(|one| vector(text_of(one))).collect();
    let middle = mean(vectors.iter());
    let mut centres: Vec<Vec<f64>> = Vec::new();
    let first = vectors.iter().max_by(|one, other| dot(one, &middle).total_cmp(&dot(other, &middle)));
    centres.extend(first.cloned());
    while centres.len() < MOST_CLUSTERS.min(vectors.len()) {
        let nearest = |one: &Vec<f64>| centres.iter().map(|centre| dot(one, centre)).fold(f64::NEG_INFINITY, f64::max);
        match vectors.iter().min_by(|one, other| nearest(one).total_cmp(&nearest(other))) {
            // What is left is next to a centre already.
            Some(farthest) if nearest(farthest) < 0.9 => centres.push(farthest.clone()),
            _ => break,
        }
    }
    let nearest = |one: &Vec<f64>, centres: &[Vec<f64>]| {
        let places = centres.iter().enumerate().map(|(at, centre)| (at, dot(one, centre)));
        places.max_by(|one, other| one.1.total_cmp(&other.1)).map_or(0, |(at, _)| at)
    };
    let mut places: Vec<usize> = Vec::new();
    for _ in 0..ROUNDS {
        let next: Vec<usize> = vectors.iter().map(|one| nearest(one, &centres)).collect();
        if next == places {
            break;
        }
        places = next;
        for (at, centre) in centres.iter_mut().enumerate() {
            let own = mean(vectors.iter().zip(&places).filter(|(_, place)| **place == at).map(|(one, _)| one));
            let length = dot(&own, &own).sqrt();
            if length > 0.0 {
                *centre = own.iter().map(|value| value / length).collect();
            }
        }
    }
    let texts: Vec<&str> = sides.iter().flatten().map(text_of).collect();
    let names = names(&texts, &places, centres.len());
    for (one, place) in sides.iter_mut().flatten().zip(places) {
        one.group = names.get(place).cloned().unwrap_or_default();
    }
    sides
}

/// A cluster is called by the words that are more frequent in it than elsewhere.
fn names(texts: &[&str], places: &[usize], clusters: usize) -> Vec<String> {
    let mut counts: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut sizes = vec![0.0_f64; clusters];
    for (text, place) in texts.iter().zip(places) {
        if let Some(size) = sizes.get_mut(*place) {
            *size += 1.0;
        }
        for word in words(text) {
            if let Some(count) = counts.entry(word).or_insert_with(|| vec![0.0; clusters]).get_mut(*place) {
                *count += 1.0;
            }
        }
    }
    let all: f64 = sizes.iter().sum();
    let name = |at: usize| {
        let size = sizes[at].max(1.0);
        let mut by_lift: Vec<(&str, f64)> = counts
            .iter()
            .map(|(word, own)| (word.as_str(), own[at] / size - own.iter().sum::<f64>() / all.max(1.0)))
            .filter(|(_, lift)| *lift > 0.0)
            .collect();
        by_lift.sort_by(|one, other| other.1.total_cmp(&one.1));
        let words: Vec<&str> = by_lift.into_iter().take(3).map(|(word, _)| word).collect();
        if words.is_empty() { format!("{}", at + 1) } else { format!("{}: {}", at + 1, words.join(", ")) }
    };
    (0..clusters).map(name).collect()
}

fn mean_of(side: &[&Judged]) -> Option<f64> {
    (!side.is_empty()).then(|| side.iter().map(|one| one.score).sum::<f64>() / side.len() as f64)
}

fn found(groups: &BTreeMap<&str, Group<'_>>, p: f64) -> super::result::DriftFound {
    let (mut squares, mut freedom, mut moved, mut weight) = (0.0, 0.0, 0.0, 0.0);
    let (mut worst, mut most): (Option<(&str, f64, f64)>, f64) = (None, 0.0);
    for (name, group) in groups {
        for side in &group.sides {
            let Some(middle) = mean_of(side) else { continue };
            squares += side.iter().map(|one| (one.score - middle).powi(2)).sum::<f64>();
            freedom += side.len() as f64 - 1.0;
        }
        let [now, before] = &group.sides;
        if let (Some(now), Some(before), count) = (mean_of(now), mean_of(before), (now.len() + before.len()) as f64) {
            moved += count * (now - before).powi(2);
            weight += count;
            if count.sqrt() * (now - before).abs() > most {
                most = count.sqrt() * (now - before).abs();
                worst = Some((name, before, now));
            }
        }
    }
    let deviation = (squares / f64::max(freedom, 1.0)).sqrt();
    let root = (moved / f64::max(weight, 1.0)).sqrt();
    // Scores that never vary within a sort: any move is as large as can be.
    let effect =
        if deviation > 1e-12 { (root / deviation).min(100.0) } else { f64::from(u8::from(root > 0.0)) * 100.0 };
    let (direction, text) = match worst {
        None => (Direction::Same, "every sort of input is judged as it was".to_owned()),
        Some((name, before, now)) => {
            let direction = if now > before { Direction::Up } else { Direction::Down };
            let share = percent(groups.get(name).map_or(0.0, |group| {
                let own: usize = group.sides.iter().map(Vec::len).sum();
                let all: usize = groups.values().flat_map(|group| group.sides.iter().map(Vec::len)).sum();
                own as f64 / all.max(1) as f64
            }));
            (direction, format!("`{name}` ({share} of the inputs): mean {} → {}", shown(before), shown(now)))
        }
    };
    super::result::DriftFound { direction, ..plain(effect, p, text) }
}

fn shown_group(name: &str, group: &Group<'_>) -> DriftGroup {
    let [now, before] = &group.sides;
    let (ours, theirs) = (mean_of(now), mean_of(before));
    let fell = ours.zip(theirs).is_none_or(|(ours, theirs)| ours <= theirs);
    let by_score = |one: &&&Judged, other: &&&Judged| one.score.total_cmp(&other.score);
    let example = if fell { now.iter().min_by(by_score) } else { now.iter().max_by(by_score) };
    let told = |one: &&Judged| one.observation.example(format!("{} · {}", shown(one.score), beginning(text_of(one))));
    DriftGroup {
        name: name.to_owned(),
        current_samples: now.len(),
        reference_samples: before.len(),
        now: ours,
        before: theirs,
        example: example.map(told),
    }
}
