//! Two samples of a signal side by side: whether they differ, by how much, where to, and which traces show it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use signalbox_metrics::{Case, Input, Options, registry};

use super::result::{Direction, DriftBar, DriftExample, DriftFound};
use super::signal::{Datum, Values};
use super::space::Space;
use super::words::{self, dot, mean};
use crate::kinds::shown;

/// Examples of a side.
const EXAMPLES: usize = 4;
/// Intervals of a histogram.
const BINS: usize = 16;
/// Categories and words that are shown.
const BARS: usize = 12;
/// Vectors of a side at most: the test compares each with each.
const MOST_VECTORS: usize = 250;
/// Fewer expected in a category than this, and it is put together with others.
const FEWEST_EXPECTED: f64 = 5.0;
/// What rare categories are called together.
pub(crate) const RARE: &str = "(others)";

/// A value with where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Observation {
    pub(crate) trace: String,
    pub(crate) span: String,
    pub(crate) datum: Datum,
}

impl Observation {
    pub(crate) fn example(&self, value: impl Into<String>) -> DriftExample {
        DriftExample { trace_id: self.trace.clone(), span_id: self.span.clone(), value: value.into() }
    }
}

/// A metric of the registry, of lists.
pub(crate) fn measured(name: &str, options: &[(&str, Value)], now: Value, before: Value) -> Option<f64> {
    let options = options.iter().fold(Options::new(), |all, (name, value)| all.with(name, value.clone()));
    let metric = (registry::find(name)?.make)(&options).ok()?;
    let case = Case::new().with(Input::Output, now).with(Input::Reference, before);
    metric.measure(&case).ok().map(|outcome| outcome.value).filter(|value| !value.is_nan())
}

/// Compares two samples of one kind of values. `None`: it can't be done.
pub(crate) fn compare(
    values: Values,
    now: &[&Observation],
    before: &[&Observation],
    space: &Space,
) -> Option<DriftFound> {
    match values {
        Values::Numbers => numbers(now, before),
        Values::Rate => rate(now, before),
        Values::Categories => categories(now, before),
        Values::Topic => topic(now, before),
        Values::Embedding => embedding(now, before, space),
        Values::Concept => None,
    }
}

/// With nothing but the test's word.
pub(crate) fn plain(effect: f64, p: f64, text: String) -> DriftFound {
    DriftFound {
        effect,
        min_effect: 0.0,
        p,
        p_adjusted: p,
        direction: Direction::Other,
        now: None,
        before: None,
        text,
        distribution: Vec::new(),
        current_examples: Vec::new(),
        reference_examples: Vec::new(),
    }
}

pub(crate) fn percent(share: f64) -> String {
    let part = share * 100.0;
    if part > 0.0 && part < 10.0 { format!("{part:.1} %") } else { format!("{part:.0} %") }
}

fn numbers(now: &[&Observation], before: &[&Observation]) -> Option<DriftFound> {
    let read = |side: &[&Observation]| -> Vec<f64> {
        side.iter().filter_map(|one| if let Datum::Number(value) = one.datum { Some(value) } else { None }).collect()
    };
    let (ours, theirs) = (read(now), read(before));
    let list = |values: &[f64]| Value::from(values.to_vec());
    let effect = measured("ks", &[("statistic", true.into())], list(&ours), list(&theirs))?;
    let p = measured("ks", &[], list(&ours), list(&theirs))?;
    let (middle, other) = (quantile(&ours, 0.5)?, quantile(&theirs, 0.5)?);
    let average = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    // Where the middle hasn't moved, the edges have.
    let (level, base) = if middle == other { (average(&ours), average(&theirs)) } else { (middle, other) };
    let direction = match level.partial_cmp(&base) {
        Some(std::cmp::Ordering::Greater) => Direction::Up,
        Some(std::cmp::Ordering::Less) => Direction::Down,
        _ => Direction::Same,
    };
    let text = format!("median {} → {}, {} of the values have moved", shown(other), shown(middle), percent(effect));
    let farthest = |side: &[&Observation], from: f64| {
        let mut all: Vec<(f64, &Observation)> = side
            .iter()
            .filter_map(|one| if let Datum::Number(value) = one.datum { Some((value, *one)) } else { None })
            .collect();
        all.sort_by(|one, other| (other.0 - from).abs().total_cmp(&(one.0 - from).abs()));
        picked(all.into_iter().map(|(value, one)| one.example(shown(value))))
    };
    Some(DriftFound {
        direction,
        now: Some(middle),
        before: Some(other),
        distribution: histogram(&ours, &theirs),
        current_examples: farthest(now, other),
        reference_examples: farthest(before, middle),
        ..plain(effect, p, text)
    })
}

/// A few, of different traces.
fn picked(examples: impl Iterator<Item = DriftExample>) -> Vec<DriftExample> {
    let mut picked: Vec<DriftExample> = Vec::new();
    for example in examples {
        if picked.iter().all(|one| one.trace_id != example.trace_id) {
            picked.push(example);
        }
        if picked.len() == EXAMPLES {
            break;
        }
    }
    picked
}

fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (q * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(place).copied()
}

/// Shares by intervals over what lies between the first and the last hundredth of both; the rest is in the outermost ones. By logarithm
/// where the greatest are far from the middle.
fn histogram(now: &[f64], before: &[f64]) -> Vec<DriftBar> {
    let both: Vec<f64> = now.iter().chain(before).copied().collect();
    let at = |q: f64| quantile(&both, q).unwrap_or_default();
    let (low, middle, high) = (at(0.01), at(0.5), at(0.99));
    if low >= high {
        return vec![DriftBar { label: shown(low), current: 1.0, reference: 1.0 }];
    }
    let by_logarithm = low > 0.0 && high / middle > 8.0;
    let edge = |part: f64| if by_logarithm { low * (high / low).powf(part) } else { low + (high - low) * part };
    let edges: Vec<f64> = (1..BINS).map(|i| edge(i as f64 / BINS as f64)).collect();
    let shares = |values: &[f64]| {
        let mut counts = [0.0; BINS];
        for value in values {
            counts[edges.partition_point(|edge| edge <= value)] += 1.0 / values.len() as f64;
        }
        counts
    };
    let (ours, theirs) = (shares(now), shares(before));
    let bar = |i: usize| DriftBar {
        label: format!("{} – {}", shown(edge(i as f64 / BINS as f64)), shown(edge((i + 1) as f64 / BINS as f64))),
        current: ours[i],
        reference: theirs[i],
    };
    (0..BINS).map(bar).collect()
}

fn rate(now: &[&Observation], before: &[&Observation]) -> Option<DriftFound> {
    let is = |one: &Observation| one.datum == Datum::Is(true);
    let share = |side: &[&Observation]| side.iter().filter(|one| is(one)).count() as f64 / side.len().max(1) as f64;
    let (ours, theirs) = (share(now), share(before));
    let words =
        |side: &[&Observation]| -> Value { side.iter().map(|one| if is(one) { "yes" } else { "no" }).collect() };
    let numbers = |side: &[&Observation]| -> Value { side.iter().map(|one| f64::from(u8::from(is(one)))).collect() };
    let mut p = measured("chi_square", &[], words(now), words(before))?;
    let all = (now.len() + before.len()) as f64;
    let together = (ours * now.len() as f64 + theirs * before.len() as f64) / all;
    let rare = together.min(1.0 - together) * now.len().min(before.len()) as f64;
    if rare < FEWEST_EXPECTED {
        // χ² is too sure of few; Smirnov's exact test is not.
        p = p.max(measured("ks", &[], numbers(now), numbers(before))?);
    }
    let direction = match ours.partial_cmp(&theirs) {
        Some(std::cmp::Ordering::Greater) => Direction::Up,
        Some(std::cmp::Ordering::Less) => Direction::Down,
        _ => Direction::Same,
    };
    let grown = direction == Direction::Up;
    let some = |side: &[&Observation], wanted: bool| {
        let own = side.iter().filter(|one| is(one) == wanted);
        picked(own.map(|one| one.example(if wanted { "yes" } else { "no" })))
    };
    Some(DriftFound {
        direction,
        now: Some(ours),
        before: Some(theirs),
        distribution: vec![
            DriftBar { label: "yes".to_owned(), current: ours, reference: theirs },
            DriftBar { label: "no".to_owned(), current: 1.0 - ours, reference: 1.0 - theirs },
        ],
        current_examples: some(now, grown),
        reference_examples: some(before, !grown),
        ..plain((ours - theirs).abs(), p, format!("{} → {}", percent(theirs), percent(ours)))
    })
}

fn categories(now: &[&Observation], before: &[&Observation]) -> Option<DriftFound> {
    let name = |one: &Observation| if let Datum::Category(name) = &one.datum { name.clone() } else { String::new() };
    let mut counts: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    for (which, side) in [now, before].into_iter().enumerate() {
        for one in side {
            counts.entry(name(one)).or_default()[which] += 1.0;
        }
    }
    let smaller = now.len().min(before.len()) as f64 / (now.len() + before.len()) as f64;
    let is_rare = |name: &String| counts.get(name).is_none_or(|[a, b]| (a + b) * smaller < FEWEST_EXPECTED);
    let list = |side: &[&Observation]| -> Value {
        let names = side.iter().map(|one| name(one));
        names.map(|name| if is_rare(&name) { RARE.to_owned() } else { name }).collect()
    };
    let effect = measured("jensen_shannon", &[], list(now), list(before))?;
    let p = measured("chi_square", &[], list(now), list(before))?;
    let share = |[a, b]: [f64; 2]| [a / now.len() as f64, b / before.len() as f64];
    let mut shares: Vec<(String, [f64; 2])> = Vec::new();
    let mut rare = [0.0; 2];
    for (name, count) in &counts {
        let own = share(*count);
        if is_rare(name) {
            rare = [rare[0] + own[0], rare[1] + own[1]];
        } else {
            shares.push((name.clone(), own));
        }
    }
    let moved = |(_, [a, b]): &(String, [f64; 2])| a - b;
    let by_move = |one: &&(String, [f64; 2]), other: &&(String, [f64; 2])| moved(one).total_cmp(&moved(other));
    let grown = shares.iter().max_by(by_move).cloned();
    let shrunk = shares.iter().min_by(by_move).cloned();
    let told = |one: &(String, [f64; 2])| format!("`{}` {} → {}", one.0, percent(one.1[1]), percent(one.1[0]));
    let text = match (&grown, &shrunk) {
        (Some(grown), Some(shrunk)) if grown.0 != shrunk.0 => format!("{}, {}", told(grown), told(shrunk)),
        (Some(only), _) => told(only),
        _ => "all are rare".to_owned(),
    };
    let some = |side: &[&Observation], wanted: Option<&(String, [f64; 2])>| {
        let own = side.iter().filter(|one| wanted.is_some_and(|(wanted, _)| name(one) == *wanted));
        picked(own.map(|one| one.example(name(one))))
    };
    let (current_examples, reference_examples) = (some(now, grown.as_ref()), some(before, shrunk.as_ref()));
    let top = shares.iter().map(|(_, [_, b])| *b).fold(f64::NAN, f64::max);
    let now_of_top = shares.iter().find(|(_, [_, b])| *b == top).map(|(_, [a, _])| *a);
    shares.sort_by(|(_, one), (_, other)| (other[0] + other[1]).total_cmp(&(one[0] + one[1])));
    for (_, own) in shares.drain(BARS.min(shares.len())..) {
        rare = [rare[0] + own[0], rare[1] + own[1]];
    }
    if rare[0] + rare[1] > 0.0 {
        shares.push((RARE.to_owned(), rare));
    }
    let bar = |(label, [current, reference]): (String, [f64; 2])| DriftBar { label, current, reference };
    Some(DriftFound {
        // The share of what was most frequent.
        now: now_of_top,
        before: now_of_top.map(|_| top),
        distribution: shares.into_iter().map(bar).collect(),
        current_examples,
        reference_examples,
        ..plain(effect, p, text)
    })
}

pub(crate) fn text_of(one: &Observation) -> &str {
    if let Datum::Text(text) = &one.datum { text } else { "" }
}

/// A text as an example: its beginning, on one line.
pub(crate) fn beginning(text: &str) -> String {
    let line: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(80).collect();
    if text.chars().nth(80).is_some() { format!("{line}…") } else { line }
}

fn topic(now: &[&Observation], before: &[&Observation]) -> Option<DriftFound> {
    let list = |side: &[&Observation]| -> Value { side.iter().map(|one| text_of(one)).collect() };
    let area = measured("classifier_two_sample", &[("statistic", true.into())], list(now), list(before))?;
    let p = measured("classifier_two_sample", &[], list(now), list(before))?;
    let mut counts: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    for (which, side) in [now, before].into_iter().enumerate() {
        for one in side {
            for word in words::words(text_of(one)) {
                counts.entry(word).or_default()[which] += 1.0 / side.len() as f64;
            }
        }
    }
    let mut moved: Vec<(&String, [f64; 2])> = counts.iter().map(|(word, shares)| (word, *shares)).collect();
    moved.sort_by(|(_, one), (_, other)| (other[0] - other[1]).abs().total_cmp(&(one[0] - one[1]).abs()));
    moved.truncate(BARS);
    let grown: Vec<&str> = moved.iter().filter(|(_, [a, b])| a > b).map(|(word, _)| word.as_str()).take(4).collect();
    let gone: Vec<&str> = moved.iter().filter(|(_, [a, b])| a < b).map(|(word, _)| word.as_str()).take(4).collect();
    let weight = |one: &Observation| -> f64 {
        let words = words::words(text_of(one));
        let own = moved.iter().filter(|(word, _)| words.contains(*word));
        own.map(|(_, [a, b])| a - b).sum()
    };
    let extreme = |side: &[&Observation], sign: f64| {
        let mut all: Vec<(f64, &Observation)> = side.iter().map(|one| (sign * weight(one), *one)).collect();
        all.sort_by(|one, other| other.0.total_cmp(&one.0));
        picked(all.into_iter().map(|(_, one)| one.example(beginning(text_of(one)))))
    };
    let mut text = format!("{} of the texts can be told apart", percent((2.0 * area - 1.0).max(0.0)));
    for (what, words) in [("more", grown), ("less", gone)] {
        if !words.is_empty() {
            let _ = write!(text, "; {what}: {}", words.join(", "));
        }
    }
    Some(DriftFound {
        distribution: moved
            .iter()
            .map(|(word, [current, reference])| DriftBar {
                label: (*word).clone(),
                current: *current,
                reference: *reference,
            })
            .collect(),
        current_examples: extreme(now, 1.0),
        reference_examples: extreme(before, -1.0),
        ..plain((2.0 * area - 1.0).max(0.0), p, text)
    })
}

fn embedding(now: &[&Observation], before: &[&Observation], space: &Space) -> Option<DriftFound> {
    let points = |side: &[&Observation]| -> Option<Vec<Cow<'_, [f64]>>> {
        side.iter().map(|one| space.vector(text_of(one))).collect()
    };
    let (ours, theirs) = (points(now)?, points(before)?);
    let list = |side: &[Cow<'_, [f64]>]| -> Value {
        let step = side.len().div_ceil(MOST_VECTORS).max(1);
        side.iter().step_by(step).map(|one| Value::from(one.to_vec())).collect()
    };
    let (some, others) = (list(&ours), list(&theirs));
    let square = measured("mmd", &[("statistic", true.into())], some.clone(), others.clone())?;
    let count = |side: &Value| side.as_array().map_or(0, Vec::len);
    let (many, more) = (count(&some), count(&others));
    let p = measured("mmd", &[("tail", "gamma".into())], some, others)?;
    let (here, there) = (mean(ours.iter()), mean(theirs.iter()));
    // Along the line between the middles: what lies towards now, and what towards before.
    let along: Vec<f64> = here.iter().zip(&there).map(|(a, b)| a - b).collect();
    let places = |side: &[Cow<'_, [f64]>]| -> Vec<f64> { side.iter().map(|one| dot(one, &along)).collect() };
    let (ours, theirs) = (places(&ours), places(&theirs));
    let extreme = |side: &[&Observation], places: &[f64], sign: f64| {
        let mut all: Vec<(f64, &Observation)> =
            places.iter().map(|place| sign * place).zip(side.iter().copied()).collect();
        all.sort_by(|one, other| other.0.total_cmp(&one.0));
        picked(all.into_iter().map(|(_, one)| one.example(beginning(text_of(one)))))
    };
    let effect = square.max(0.0).sqrt();
    let text = format!("MMD {} of {many} against {more} inputs{}", shown(effect), space.by());
    Some(DriftFound {
        distribution: histogram(&ours, &theirs),
        current_examples: extreme(now, &ours, 1.0),
        reference_examples: extreme(before, &theirs, -1.0),
        ..plain(effect, p, text)
    })
}
