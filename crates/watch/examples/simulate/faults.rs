//! What goes wrong, where, how much and when. Faults of one sort of signal never overlap; a slow drift may have others beside it.

use serde::Serialize;

use crate::dice::Dice;
use crate::traffic::{MODELS, PROVIDERS, ROUTES, SCORES, WARM_UP_DAYS};

/// How it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shape {
    /// At once, for a while.
    Step,
    /// More and more over an hour or so.
    Ramp,
    /// Much, and soon over.
    Spike,
    /// More and more over many hours.
    Drift,
    /// A provider fails.
    Outage,
    /// Answers get worse.
    Quality,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Signal {
    /// Calls that fail, of a provider or everywhere.
    Errors,
    /// How long calls take.
    Latency,
    /// How long the first token takes.
    FirstToken,
    /// Tokens, and with them money: longer prompts and answers, or more calls.
    Spend,
    /// Calls that guardrails block.
    Blocks,
    /// Scores that pass.
    Quality,
}

/// A planted fault.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fault {
    /// How.
    pub(crate) shape: Shape,
    /// What.
    pub(crate) signal: Signal,
    /// Where: a provider, a model, a route or a score; everywhere if it is empty.
    pub(crate) place: String,
    /// Seconds since the beginning.
    pub(crate) from: f64,
    /// When it is at its worst.
    pub(crate) full: f64,
    /// When it is over.
    pub(crate) until: f64,
    /// How much: a factor, or a difference of shares.
    pub(crate) size: f64,
    /// Of `Spend`: there are more calls, and not longer ones.
    pub(crate) calls: bool,
}

const HOUR: f64 = 3_600.0;

impl Fault {
    /// How much of it there is in this minute, from 0 to 1.
    pub(crate) fn part(&self, minute: usize) -> f64 {
        let (begin, end) = (minute as f64 * 60.0, minute as f64 * 60.0 + 60.0);
        let there = (end.min(self.until) - begin.max(self.from)).max(0.0) / 60.0;
        if there == 0.0 {
            return 0.0;
        }
        let grown = match self.full > self.from {
            true => ((begin + 30.0 - self.from) / (self.full - self.from)).clamp(0.0, 1.0),
            false => 1.0,
        };
        there * grown
    }
}

/// So many faults between the end of the warm-up and the last day.
pub(crate) fn plant(seed: u64, count: usize, days: usize) -> Vec<Fault> {
    let mut dice = Dice::of(seed, "faults");
    let drifts = count / 10;
    let (first, last) = (WARM_UP_DAYS as f64 * 24.0 * HOUR, days as f64 * 24.0 * HOUR);
    let mut faults = Vec::with_capacity(count);
    for (number, shape) in shapes(count - drifts, &mut dice).into_iter().enumerate() {
        let slot = (last - first) / (count - drifts) as f64;
        faults.push(fault(shape, first + slot * number as f64, slot, &mut dice));
    }
    for number in 0..drifts {
        let slot = (last - first) / drifts as f64;
        faults.push(fault(Shape::Drift, first + slot * number as f64, slot, &mut dice));
    }
    faults.sort_by(|one, other| one.from.total_cmp(&other.from));
    faults
}

/// The shapes that don't drift, in a random order.
fn shapes(count: usize, dice: &mut Dice) -> Vec<Shape> {
    let mix = [
        Shape::Step,
        Shape::Outage,
        Shape::Spike,
        Shape::Ramp,
        Shape::Quality,
        Shape::Step,
        Shape::Outage,
        Shape::Spike,
        Shape::Ramp,
    ];
    let mut all: Vec<(f64, Shape)> = (0..count).map(|number| (dice.unit(), mix[number % mix.len()])).collect();
    all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    all.into_iter().map(|(_, shape)| shape).collect()
}

fn fault(shape: Shape, slot_from: f64, slot: f64, dice: &mut Dice) -> Fault {
    use Signal::{Blocks, Errors, FirstToken, Latency, Quality, Spend};
    let (grows, lasts) = match shape {
        Shape::Step => (0.0, dice.between(0.6, 4.0)),
        Shape::Ramp => (dice.between(0.7, 2.5), dice.between(0.5, 2.0)),
        Shape::Spike => (0.0, dice.between(0.1, 0.35)),
        Shape::Drift => (dice.between(8.0, 20.0), dice.between(3.0, 8.0)),
        Shape::Outage => (0.0, dice.between(0.1, 1.0)),
        Shape::Quality => (0.0, dice.between(2.0, 6.0)),
    };
    let signal = match shape {
        Shape::Outage => Errors,
        Shape::Quality => Quality,
        Shape::Drift => *dice.pick(&[Errors, Latency, Spend, Quality]),
        Shape::Step | Shape::Ramp | Shape::Spike => *dice.pick(&[Errors, Latency, FirstToken, Spend, Blocks]),
    };
    let calls = signal == Spend && shape != Shape::Drift && dice.unit() < 0.5;
    let length = (grows + lasts) * HOUR;
    // What ends has time to be seen to have ended before the next begins.
    let from = slot_from + dice.unit() * (slot - length - 1.5 * HOUR).max(0.0);
    Fault {
        shape,
        signal,
        place: place(shape, signal, dice),
        from: from.floor(),
        full: from.floor() + grows * HOUR,
        until: from.floor() + length,
        size: size(shape, signal, calls, dice),
        calls,
    }
}

fn place(shape: Shape, signal: Signal, dice: &mut Dice) -> String {
    let everywhere = dice.unit() < 0.3;
    match signal {
        Signal::Errors if everywhere && shape != Shape::Outage => String::new(),
        Signal::Errors => (*dice.pick(&PROVIDERS)).to_owned(),
        Signal::Latency | Signal::FirstToken => dice.pick(&MODELS).name.to_owned(),
        Signal::Spend | Signal::Blocks if everywhere => String::new(),
        // A guard that blocks more does so where there is one.
        Signal::Blocks => dice.pick(&ROUTES.iter().filter(|route| route.guarded).collect::<Vec<_>>()).name.to_owned(),
        Signal::Spend => dice.pick(&ROUTES).name.to_owned(),
        Signal::Quality => dice.pick(&SCORES).0.to_owned(),
    }
}

fn size(shape: Shape, signal: Signal, calls: bool, dice: &mut Dice) -> f64 {
    let spikes = shape == Shape::Spike;
    match signal {
        Signal::Errors if shape == Shape::Outage => dice.between(0.6, 1.0),
        Signal::Errors if spikes => dice.between(0.2, 0.6),
        Signal::Errors => dice.between(0.05, 0.3),
        Signal::Latency | Signal::FirstToken if spikes => dice.between(3.0, 8.0),
        Signal::Latency | Signal::FirstToken => dice.between(1.7, 4.0),
        Signal::Spend if spikes => dice.between(8.0, 25.0),
        Signal::Spend if calls => dice.between(3.0, 10.0),
        Signal::Spend => dice.between(2.0, 6.0),
        Signal::Blocks if spikes => dice.between(0.2, 0.6),
        Signal::Blocks => dice.between(0.08, 0.3),
        Signal::Quality => dice.between(0.12, 0.4),
    }
}
