//! Traffic of an installation: by day and night, less at weekends, slowly growing, with noise that remembers and small mishaps that
//! are none of anybody's business; and what the planted faults make of it. Kept as sums by minute.

use serde_json::{Value, json};

use crate::dice::{Dice, Wander};
use crate::faults::{Fault, Signal};

/// Days before the first fault: baselines learn, and fixed thresholds are chosen.
pub(crate) const WARM_UP_DAYS: usize = 14;
/// Names of providers.
pub(crate) const PROVIDERS: [&str; 3] = ["alpha", "beta", "gamma"];
/// Names of scores, and which part of them passes.
pub(crate) const SCORES: [(&str, f64); 3] = [("faithfulness", 0.93), ("helpfulness", 0.86), ("format", 0.985)];
/// How many of a hundred calls have scores.
const SCORED: f64 = 0.15;
/// Classes of duration are so narrow, as those of `span_minutes` are.
pub(crate) const CLASS: f64 = 0.02;
/// Classes.
pub(crate) const CLASSES: usize = 800;

/// A model and how it behaves.
#[derive(Debug)]
pub(crate) struct ModelOf {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whose.
    pub(crate) provider: &'static str,
    /// Median duration and median time to the first token.
    pub(crate) median_ms: f64,
    ttft_ms: f64,
    /// Dollars for a thousand tokens.
    price: f64,
}

/// The models.
pub(crate) const MODELS: [ModelOf; 6] = [
    ModelOf { name: "alpha-large", provider: "alpha", median_ms: 3_800.0, ttft_ms: 650.0, price: 0.010 },
    ModelOf { name: "alpha-small", provider: "alpha", median_ms: 1_100.0, ttft_ms: 320.0, price: 0.000_6 },
    ModelOf { name: "beta-large", provider: "beta", median_ms: 4_600.0, ttft_ms: 800.0, price: 0.012 },
    ModelOf { name: "beta-small", provider: "beta", median_ms: 1_400.0, ttft_ms: 380.0, price: 0.000_8 },
    ModelOf { name: "gamma-large", provider: "gamma", median_ms: 2_900.0, ttft_ms: 500.0, price: 0.004 },
    ModelOf { name: "gamma-small", provider: "gamma", median_ms: 900.0, ttft_ms: 260.0, price: 0.000_3 },
];

/// A part of the application, with the model that it uses.
#[derive(Debug)]
pub(crate) struct Route {
    /// Its name.
    pub(crate) name: &'static str,
    /// Place in `MODELS`.
    pub(crate) model: usize,
    /// Calls in a minute in the middle of a working day.
    rate: f64,
    /// Mean tokens of a call.
    tokens: f64,
    /// Guardrails look at it.
    pub(crate) guarded: bool,
    streams: f64,
    /// A job of the night in place of people.
    nightly: bool,
}

/// The routes.
pub(crate) const ROUTES: [Route; 8] = [
    Route { name: "chat", model: 0, rate: 45.0, tokens: 1_800.0, guarded: true, streams: 0.9, nightly: false },
    Route { name: "search", model: 1, rate: 40.0, tokens: 2_600.0, guarded: true, streams: 0.7, nightly: false },
    Route { name: "support", model: 2, rate: 30.0, tokens: 2_100.0, guarded: true, streams: 0.9, nightly: false },
    Route { name: "classify", model: 3, rate: 35.0, tokens: 500.0, guarded: true, streams: 0.0, nightly: false },
    Route { name: "agent", model: 4, rate: 25.0, tokens: 3_500.0, guarded: true, streams: 0.5, nightly: false },
    Route { name: "suggest", model: 5, rate: 30.0, tokens: 400.0, guarded: false, streams: 0.8, nightly: false },
    Route { name: "beta-chat", model: 3, rate: 15.0, tokens: 1_500.0, guarded: true, streams: 0.9, nightly: false },
    Route { name: "digest", model: 4, rate: 20.0, tokens: 2_500.0, guarded: false, streams: 0.0, nightly: true },
];

/// Rows that have their texts in common: what filters and groups look at.
pub(crate) type Texts = Vec<(&'static str, Value)>;

/// Calls of a minute that have their texts in common.
#[derive(Debug)]
pub(crate) struct Cell {
    /// Place in `Table::texts`.
    pub(crate) kind: u8,
    /// How many.
    pub(crate) count: u32,
    /// What they cost.
    pub(crate) cost: f32,
    /// Their tokens.
    pub(crate) tokens: f32,
    /// Classes of their durations, and of the times to their first tokens.
    pub(crate) durations: (u32, u32),
    /// Likewise.
    pub(crate) ttfts: (u32, u32),
}

/// A table by minute.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The kinds of rows.
    pub(crate) texts: Vec<Texts>,
    /// Rows.
    pub(crate) cells: Vec<Cell>,
    /// Where each minute's cells begin.
    pub(crate) minutes: Vec<u32>,
    /// Classes of durations of all cells.
    pub(crate) pool: Vec<u16>,
}

/// What an installation did.
#[derive(Debug)]
pub(crate) struct History {
    /// Calls.
    pub(crate) calls: Table,
    /// Scores.
    pub(crate) scores: Table,
}

/// How the calls of a route ended.
const ENDS: [&str; 4] = ["whole", "stream", "blocked", "failed"];

fn texts_of_calls() -> Vec<Texts> {
    let of = |route: &Route, end: &str| {
        let model = &MODELS[route.model];
        let verdict = match (route.guarded, end) {
            (false, _) => Value::Null,
            (true, "blocked") => json!("block"),
            (true, _) => json!("allow"),
        };
        vec![
            ("kind", json!("llm")),
            ("provider", json!(model.provider)),
            ("model", json!(model.name)),
            ("route", json!(route.name)),
            ("status", json!(if end == "failed" { "error" } else { "ok" })),
            ("verdict", verdict),
            ("counted", json!(true)),
            ("ttft_ms", if end == "stream" { json!(true) } else { Value::Null }),
        ]
    };
    ROUTES.iter().flat_map(|route| ENDS.map(|end| of(route, end))).collect()
}

fn texts_of_scores() -> Vec<Texts> {
    let of = |(name, _): &(&'static str, f64), passed: bool| vec![("name", json!(name)), ("passed", json!(passed))];
    SCORES.iter().flat_map(|score| [of(score, true), of(score, false)]).collect()
}

/// The class of a duration.
fn class(ms: f64) -> u16 {
    (ms.max(1.0).ln() / CLASS).floor().clamp(0.0, (CLASSES - 1) as f64) as u16
}

/// Part of the daily peak at this minute of the week that begins on a Monday; a week has one holiday in the middle of the 90 days.
fn people(minute: usize) -> f64 {
    let (day, hour) = (minute / 1_440, (minute % 1_440) as f64 / 60.0);
    let wave = |middle: f64, width: f64| (-((hour - middle) / width).powi(2) / 2.0).exp();
    let free = day % 7 >= 5 || day == 38;
    let shape = 0.08 + 0.85 * wave(10.5, 2.2) + 0.95 * wave(15.0, 2.6) + 0.3 * wave(20.5, 1.6);
    shape / 1.2 * if free { 0.4 } else { 1.0 }
}

/// Part of its peak at which a nightly job is.
fn night_job(minute: usize) -> f64 {
    match minute % 1_440 {
        60..=179 => 1.0,
        _ => 0.02,
    }
}

/// Noise of everything there is.
struct Noise {
    rates: Vec<Wander>,
    errors: Vec<Wander>,
    latencies: Vec<Wander>,
    tokens: Vec<Wander>,
    blocks: Wander,
    scores: Vec<Wander>,
    /// A provider stumbles: for how many more minutes, and how much.
    stumbles: Vec<(u32, f64)>,
    day: f64,
}

impl Noise {
    fn new() -> Self {
        let several = |count: usize, deviation: f64, minutes: f64| {
            (0..count).map(|_| Wander::new(deviation, minutes)).collect::<Vec<_>>()
        };
        Self {
            rates: several(ROUTES.len(), 0.08, 40.0),
            errors: several(PROVIDERS.len(), 0.4, 90.0),
            latencies: several(MODELS.len(), 0.06, 60.0),
            tokens: several(ROUTES.len(), 0.05, 120.0),
            blocks: Wander::new(0.25, 120.0),
            scores: several(SCORES.len(), 0.01, 600.0),
            stumbles: vec![(0, 0.0); PROVIDERS.len()],
            day: 1.0,
        }
    }
}

/// Ninety days, or however many, with these faults.
pub(crate) fn happen(seed: u64, days: usize, faults: &[Fault]) -> History {
    let mut dice = Dice::of(seed, "traffic");
    let mut noise = Noise::new();
    let mut calls = Table { texts: texts_of_calls(), ..Table::default() };
    let mut scores = Table { texts: texts_of_scores(), ..Table::default() };
    for minute in 0..days * 1_440 {
        calls.minutes.push(calls.cells.len() as u32);
        scores.minutes.push(scores.cells.len() as u32);
        let now: Vec<(&Fault, f64)> =
            faults.iter().map(|fault| (fault, fault.part(minute))).filter(|(_, part)| *part > 0.0).collect();
        let answered = a_minute(minute, &now, &mut noise, &mut dice, &mut calls);
        score_a_minute(answered, &now, &mut noise, &mut dice, &mut scores);
    }
    calls.minutes.push(calls.cells.len() as u32);
    scores.minutes.push(scores.cells.len() as u32);
    History { calls, scores }
}

/// What the faults of a signal add up to at a place: differences, or factors.
fn added(now: &[(&Fault, f64)], signal: Signal, places: &[&str]) -> f64 {
    felt(now, signal, places).map(|(fault, part)| fault.size * part).sum()
}

fn times(now: &[(&Fault, f64)], signal: Signal, calls: bool, places: &[&str]) -> f64 {
    let felt = felt(now, signal, places).filter(|(fault, _)| fault.calls == calls);
    felt.map(|(fault, part)| 1.0 + (fault.size - 1.0) * part).product()
}

fn felt<'a>(
    now: &'a [(&'a Fault, f64)],
    signal: Signal,
    places: &'a [&'a str],
) -> impl Iterator<Item = (&'a Fault, f64)> + 'a {
    let here = move |fault: &Fault| fault.place.is_empty() || places.contains(&fault.place.as_str());
    now.iter().filter(move |(fault, _)| fault.signal == signal && here(fault)).copied()
}

/// The calls of a minute; says how many were answered.
fn a_minute(minute: usize, now: &[(&Fault, f64)], noise: &mut Noise, dice: &mut Dice, table: &mut Table) -> u32 {
    if minute.is_multiple_of(1_440) {
        noise.day = (0.05 * dice.normal()).exp();
    }
    let growth = 1.02_f64.powf(minute as f64 / 10_080.0);
    let load = people(minute);
    let errors: Vec<f64> = (0..PROVIDERS.len()).map(|provider| error_share(provider, noise, dice)).collect();
    let slow: Vec<f64> = noise.latencies.iter_mut().map(|one| (one.next(dice) + 0.15 * load).exp()).collect();
    let blocks = 0.008 * noise.blocks.next(dice).exp();
    let mut answered = 0;
    for (place, route) in ROUTES.iter().enumerate() {
        let model = &MODELS[route.model];
        let provider = PROVIDERS.iter().position(|name| *name == model.provider).unwrap_or_default();
        let places = [route.name, model.name, model.provider];
        let busy = if route.nightly { night_job(minute) } else { load };
        let wandering = (noise.rates[place].next(dice)).exp();
        let expected = route.rate * busy * growth * noise.day * wandering * times(now, Signal::Spend, true, &places);
        let all = dice.poisson(expected);
        let share = (errors[provider] + added(now, Signal::Errors, &places)).min(1.0);
        let blocked = match route.guarded {
            true => dice.binomial(all, (blocks + added(now, Signal::Blocks, &places)).min(1.0)),
            false => 0,
        };
        let failed = dice.binomial(all - blocked, share);
        let streams = dice.binomial(all - blocked - failed, route.streams);
        let whole = all - blocked - failed - streams;
        answered += whole + streams;
        let long = noise.tokens[place].next(dice).exp() * times(now, Signal::Spend, false, &places);
        let made = Made {
            slow: slow[route.model] * times(now, Signal::Latency, false, &places),
            first: slow[route.model] * times(now, Signal::FirstToken, false, &places),
            tokens: route.tokens * long,
            model,
        };
        for (end, count) in [whole, streams, blocked, failed].into_iter().enumerate() {
            if count > 0 {
                let kind = (place * ENDS.len() + end) as u8;
                let cell = made.cell(kind, ENDS[end], count, &mut table.pool, dice);
                table.cells.push(cell);
            }
        }
    }
    answered
}

/// Which part of a provider's calls fails by itself: little, and more for a minute or two every other day.
fn error_share(provider: usize, noise: &mut Noise, dice: &mut Dice) -> f64 {
    let usual = 0.006 * noise.errors[provider].next(dice).exp();
    let (left, much) = &mut noise.stumbles[provider];
    if *left > 0 {
        *left -= 1;
        return usual + *much;
    }
    if dice.unit() < 1.0 / (2.0 * 1_440.0) {
        (*left, *much) = (1 + u32::from(dice.unit() < 0.3), dice.between(0.03, 0.1));
    }
    usual
}

/// How the calls of a route are in a minute.
struct Made<'a> {
    slow: f64,
    first: f64,
    tokens: f64,
    model: &'a ModelOf,
}

impl Made<'_> {
    fn cell(&self, kind: u8, end: &str, count: u32, pool: &mut Vec<u16>, dice: &mut Dice) -> Cell {
        let at = pool.len() as u32;
        let mut times = |median: f64, spread: f64, pool: &mut Vec<u16>| {
            let from = pool.len() as u32;
            pool.extend((0..count).map(|_| class(median * (spread * dice.normal()).exp())));
            (from, pool.len() as u32)
        };
        let durations = match end {
            "blocked" => times(15.0, 0.3, pool),
            _ => times(self.model.median_ms * self.slow, 0.5, pool),
        };
        let ttfts = if end == "stream" { times(self.model.ttft_ms * self.first, 0.45, pool) } else { (at, at) };
        // The sum of lognormal numbers of tokens, whose spread is that of their mean.
        let paid = matches!(end, "whole" | "stream");
        let mean = f64::from(count) * self.tokens;
        let spread = f64::from(count).sqrt() * self.tokens * 0.9;
        let tokens = if paid { (mean + spread * dice.normal()).max(mean * 0.1) } else { 0.0 };
        let cost = tokens / 1_000.0 * self.model.price;
        Cell { kind, count, cost: cost as f32, tokens: tokens as f32, durations, ttfts }
    }
}

fn score_a_minute(answered: u32, now: &[(&Fault, f64)], noise: &mut Noise, dice: &mut Dice, table: &mut Table) {
    for (place, (name, usual)) in SCORES.iter().enumerate() {
        let scored = dice.binomial(answered, SCORED);
        let share = usual + noise.scores[place].next(dice) - added(now, Signal::Quality, &[name]);
        let passed = dice.binomial(scored, share.clamp(0.0, 1.0));
        for (kind, count) in [(0, passed), (1, scored - passed)] {
            if count > 0 {
                let kind = (place * 2 + kind) as u8;
                table.cells.push(Cell { kind, count, cost: 0.0, tokens: 0.0, durations: (0, 0), ttfts: (0, 0) });
            }
        }
    }
}
