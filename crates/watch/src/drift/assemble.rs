//! From what was drawn to a result: every signal of all rows and of each segment, put right for how many there are.

use std::collections::{BTreeMap, BTreeSet};

use signalbox_metrics::multiple::{Correction, adjusted};
use signalbox_types::{ErrorClass, Timestamp};

use super::compare::{Observation, compare, text_of};
use super::concept::concept;
use super::config::{DriftConfig, MinEffect};
use super::result::{DriftCell, DriftResult, DriftWindow};
use super::sample::{Drawn, Side};
use super::signal::{Cells, Datum, Place, Signal, Values};
use super::space::{MOST_TEXTS, Space};

/// Values of a side, each with its segment.
type Observations = Vec<(Option<String>, Observation)>;

/// Values of a signal on both sides.
struct Series {
    signal: String,
    values: Values,
    unit: Option<&'static str>,
    sides: [Observations; 2],
}

/// Compares two sides. Takes a second or so of a core: not for where others wait.
pub(crate) fn assemble(check: &DriftConfig, at: Timestamp, now: &Side, before: &Side, space: &Space) -> DriftResult {
    let segments = segments(check, [&now.calls, &before.calls]);
    let mut cells = Vec::new();
    let all = series(check, now, before);
    let wanted: Vec<Option<&String>> = std::iter::once(None).chain(segments.iter().map(Some)).collect();
    for segment in wanted {
        for one in &all {
            cells.push(cell(check, one, segment, space));
        }
    }
    let judged = [now, before].map(|side| side.scores.get(&check.concept.as_ref()?.score));
    let concept = concept(check, judged);
    let mut result =
        DriftResult { at, current: window(now), reference: window(before), drifted: 0, compared: 0, cells, concept };
    let p_values: Vec<f64> = result.all().filter_map(|cell| cell.found.as_ref().map(|found| found.p)).collect();
    let mut put_right = adjusted(&p_values, Correction::BenjaminiHochberg).into_iter();
    for cell in result.all_mut() {
        let Some(found) = &mut cell.found else { continue };
        found.min_effect = least(&check.min_effect, cell.values);
        found.p_adjusted = put_right.next().unwrap_or(1.0);
        cell.drifted = found.p_adjusted <= check.false_discovery_rate && found.effect >= found.min_effect;
    }
    result.compared = p_values.len();
    result.drifted = result.all().filter(|cell| cell.drifted).count();
    result
}

fn least(min: &MinEffect, values: Values) -> f64 {
    match values {
        Values::Numbers => min.numbers,
        Values::Rate => min.rate,
        Values::Categories => min.categories,
        Values::Topic => min.topic,
        Values::Embedding => min.embedding,
        Values::Concept => min.concept,
    }
}

fn window(side: &Side) -> DriftWindow {
    DriftWindow {
        from: side.parts.iter().map(|part| part.0).min(),
        to: side.parts.iter().map(|part| part.1).max(),
        parts: side.parts.len(),
        rows: side.calls.total,
        drawn: side.calls.rows.len(),
    }
}

/// The segments with the most rows.
fn segments(check: &DriftConfig, sides: [&Drawn; 2]) -> Vec<String> {
    let Some(column) = &check.segment_by else { return Vec::new() };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for cells in sides.into_iter().flat_map(Drawn::cells) {
        if let Some(name) = cells.category(column) {
            *counts.entry(name).or_default() += 1;
        }
    }
    let mut by_count: Vec<(String, usize)> = counts.into_iter().collect();
    by_count.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    by_count.into_iter().take(check.max_segments as usize).map(|(name, _)| name).collect()
}

/// Every signal that is wanted, or of which there is something.
fn series(check: &DriftConfig, now: &Side, before: &Side) -> Vec<Series> {
    let all = check.signals.is_empty();
    let signals: Vec<Signal> = if all { Signal::ALL.to_vec() } else { check.signals.clone() };
    let mut found = Vec::new();
    for signal in signals {
        let sides = [now, before].map(|side| read(check, signal, side));
        if !all || sides.iter().any(|side| !side.is_empty()) {
            let (name, values, unit) = (signal.as_str().to_owned(), signal.values(), signal.unit());
            found.push(Series { signal: name, values, unit, sides });
        }
    }
    for name in &check.scores {
        let nothing = Drawn::default();
        let drawn = [now, before].map(|side| side.scores.get(name).unwrap_or(&nothing));
        let values = values_of_score(drawn);
        let sides = drawn.map(|drawn| observations(check, drawn, false, |cells| score(values, cells)));
        found.push(Series { signal: format!("score:{name}"), values, unit: None, sides });
    }
    found
}

/// The values of a signal.
fn read(check: &DriftConfig, signal: Signal, side: &Side) -> Observations {
    let drawn = match signal.place() {
        Place::Calls => &side.calls,
        Place::Tools => &side.tools,
        Place::Retrievals => &side.retrievals,
    };
    let once = matches!(signal.values(), Values::Topic | Values::Embedding);
    let is_asked = signal == Signal::Embedding && check.embedding_model.is_some();
    // What a policy has blocked once it would block again.
    let is_left_out =
        |cells: Cells<'_>| is_asked && cells.text("error_type") == Some(ErrorClass::GuardrailBlocked.as_str());
    let found = observations(check, drawn, once, |cells| signal.read(cells).filter(|_| !is_left_out(cells)));
    // A model is asked for some of them, from all over the window.
    if is_asked { spread(found, MOST_TEXTS) } else { found }
}

/// At most so many, evenly spread.
fn spread<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let count = all.len();
    // One is taken wherever the share that is wanted of those before it grows by one.
    let is_taken = |at: usize| count <= most || (at + 1) * most / count > at * most / count;
    all.into_iter().enumerate().filter(|(at, _)| is_taken(*at)).map(|(_, one)| one).collect()
}

/// The texts that an embedding model is to be asked for: none if there are too few on a side to compare them.
pub(crate) fn texts(check: &DriftConfig, sides: [&Side; 2]) -> Vec<String> {
    let sides = sides.map(|side| read(check, Signal::Embedding, side));
    if sides.iter().any(|side| side.len() < check.min_samples as usize) {
        return Vec::new();
    }
    let text = |datum| if let Datum::Text(text) = datum { Some(text) } else { None };
    sides.into_iter().flatten().filter_map(|(_, one)| text(one.datum)).collect()
}

/// The values of rows, with their segments; if `once`, only the first of each session: words of one conversation are no news twice.
fn observations(
    check: &DriftConfig,
    drawn: &Drawn,
    once: bool,
    read: impl Fn(Cells<'_>) -> Option<Datum>,
) -> Observations {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for cells in drawn.cells() {
        let (Some(trace), Some(span)) = (cells.text("trace_id"), cells.text("span_id")) else { continue };
        if once && !seen.insert(cells.text("session_id").unwrap_or(trace)) {
            continue;
        }
        let Some(datum) = read(cells) else { continue };
        let segment = check.segment_by.as_ref().and_then(|column| cells.category(column));
        found.push((segment, Observation { trace: trace.to_owned(), span: span.to_owned(), datum }));
    }
    found
}

/// What a score's values are: numbers; or only 0 and 1, or only passed or not; or labels.
fn values_of_score(sides: [&Drawn; 2]) -> Values {
    let cells = || sides.into_iter().flat_map(Drawn::cells);
    let numbers: Vec<f64> = cells().filter_map(|cells| cells.get("score.value")?.as_f64()).collect();
    if !numbers.is_empty() {
        let is_share = numbers.iter().all(|value| *value == 0.0 || *value == 1.0);
        return if is_share { Values::Rate } else { Values::Numbers };
    }
    if cells().any(|cells| cells.get("score.label").is_some()) { Values::Categories } else { Values::Rate }
}

fn score(values: Values, cells: Cells<'_>) -> Option<Datum> {
    let value = || cells.get("score.value")?.as_f64().filter(|value| value.is_finite());
    match values {
        Values::Numbers => value().map(Datum::Number),
        Values::Categories => cells.category("score.label").map(Datum::Category),
        _ => {
            let passed = || cells.get("score.passed")?.as_bool();
            value().map(|value| value == 1.0).or_else(passed).map(Datum::Is)
        }
    }
}

fn cell(check: &DriftConfig, series: &Series, segment: Option<&String>, space: &Space) -> DriftCell {
    let [now, before] = series.sides.each_ref().map(|side| -> Vec<&Observation> {
        let of_segment = side.iter().filter(|(own, _)| segment.is_none() || own.as_ref() == segment);
        let of_segment = of_segment.map(|(_, one)| one);
        of_segment.filter(|one| series.values != Values::Embedding || space.has(text_of(one))).collect()
    });
    let enough = now.len().min(before.len()) >= check.min_samples as usize;
    let problem = space.problem().filter(|_| enough && series.values == Values::Embedding);
    DriftCell {
        signal: series.signal.clone(),
        segment: segment.cloned(),
        values: series.values,
        unit: series.unit.map(str::to_owned),
        current_samples: now.len(),
        reference_samples: before.len(),
        drifted: false,
        found: if enough { compare(series.values, &now, &before, space) } else { None },
        problem: problem.map(str::to_owned),
    }
}
