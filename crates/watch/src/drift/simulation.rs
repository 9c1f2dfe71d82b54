//! False alarms and what is found, on simulated traffic: by day and night, less and other at weekends, no two days alike.

use serde_json::{Value, json};
use signalbox_types::Timestamp;

use super::assemble::assemble;
use super::config::DriftConfig;
use super::result::DriftResult;
use super::sample::{Drawn, Side};
use super::space::Space;

const ENGLISH: [&str; 10] = [
    "where is my order and when will the parcel arrive",
    "please reset the password of my account, the link has expired",
    "how do I return the shoes that I bought last week",
    "the invoice shows a wrong address, can you correct it",
    "which plan includes more storage and what does it cost",
    "write a friendly mail to a customer about a delayed delivery",
    "summarise the meeting notes about the budget of next year",
    "translate this paragraph about our new office into French",
    "why does the app crash when I open the settings page",
    "cancel the subscription and refund the last payment",
];
const GERMAN: [&str; 4] = [
    "wo ist meine Bestellung und wann kommt das Paket bei mir an",
    "bitte setzen Sie das Passwort meines Kontos zurück, der Link ist abgelaufen",
    "auf der Rechnung steht eine falsche Adresse, bitte ändern Sie das",
    "warum stürzt die App ab, wenn ich die Einstellungen öffne",
];
const NAMES: [&str; 12] =
    ["Anna", "Ben", "Carla", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Klara", "Leo"];

/// What is planted.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    LongerInputs,
    OtherLanguage,
    OtherTopics,
    Refusals,
    OtherModel,
    WorseScores,
}

struct Traffic {
    random: fastrand::Rng,
    number: u64,
}

impl Traffic {
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.random.f64()).sum::<f64>() - 6.0
    }

    fn chance(&mut self, share: f64) -> bool {
        self.random.f64() < share
    }

    /// So many calls of a day. Days differ by a few hundredths in everything, by chance.
    fn day(&mut self, day: usize, calls: usize, fault: Fault) -> Side {
        let weekend = day % 7 >= 5;
        let (size, mix, pace) = (0.06 * self.normal(), 0.02 * self.normal(), 0.05 * self.normal());
        let columns = "trace_id span_id session_id status input_tokens output_tokens input_preview output_preview \
                       finish_reasons cost duration_ms model";
        let mut calls_drawn = drawn(columns);
        let mut tools = drawn("trace_id span_id session_id status tool_name");
        let mut scores = drawn("trace_id span_id session_id input_preview score.value score.label score.passed");
        for _ in 0..calls {
            self.number += 1;
            let ids = [format!("t{}", self.number), format!("s{}", self.number), format!("c{}", self.number / 3)];
            // Batches at night: longer inputs, another model.
            let night = self.chance(if weekend { 0.4 } else { 0.2 });
            let german = self.chance(if weekend { 0.35 } else { 0.15 } + mix)
                || fault_now(fault, Fault::OtherLanguage, self, 0.25);
            let mut text = if german {
                GERMAN[self.random.usize(..GERMAN.len())].to_owned()
            } else {
                ENGLISH[self.random.usize(..if weekend { 6 } else { 10 })].to_owned()
            };
            if fault_now(fault, Fault::OtherTopics, self, 0.5) {
                text = "explain the lyrics of this song and compose another verse about the ocean".to_owned();
            }
            let text = format!("{}: {text} {}", NAMES[self.random.usize(..12)], self.random.u16(..));
            let longer = if fault == Fault::LongerInputs { 0.7 } else { 0.0 };
            let tokens = (5.0 + f64::from(u8::from(night)) * 1.5 + size + longer + 0.8 * self.normal()).exp();
            let model = if night { "batch" } else { "chat" };
            let model = if fault_now(fault, Fault::OtherModel, self, 0.4) { "new" } else { model };
            let refuses = self.chance(0.02) || fault_now(fault, Fault::Refusals, self, 0.15);
            let answer =
                if refuses { "I'm sorry, but I can't help with that request." } else { "It will arrive soon." };
            let failed = self.chance(0.01);
            let duration = (7.0 + pace + 0.6 * self.normal()).exp();
            let output = (4.5 + size / 2.0 + 0.5 * self.normal()).exp().round();
            calls_drawn.rows.push(vec![
                json!(ids[0]),
                json!(ids[1]),
                json!(ids[2]),
                json!(if failed { "error" } else { "ok" }),
                json!(tokens.round()),
                json!(output),
                json!(text),
                json!(answer),
                json!(["stop"]),
                json!(tokens * 1e-6 + output * 4e-6),
                json!(duration),
                json!(model),
            ]);
            if self.chance(0.3) {
                let tool = ["search", "orders", "refund"][self.random.usize(..3)];
                tools.rows.push(vec![json!(ids[0]), json!(ids[1]), json!(ids[2]), json!("ok"), json!(tool)]);
            }
            if self.chance(0.5) {
                // One sort of input only is judged worse.
                let worse = fault == Fault::WorseScores && text.contains("invoice");
                let score = (0.8 + 0.1 * self.normal() - if worse { 0.35 } else { 0.0 }).clamp(0.0, 1.0);
                let row = [json!(ids[0]), json!(ids[1]), json!(ids[2]), json!(text), json!(score)];
                scores.rows.push(row.into_iter().chain([Value::Null, Value::Null]).collect());
            }
        }
        Side {
            calls: calls_drawn,
            tools,
            scores: [("quality".to_owned(), scores)].into_iter().collect(),
            ..Side::default()
        }
    }

    /// A day against the same day of four weeks.
    fn compared(&mut self, check: &DriftConfig, day: usize, calls: usize, fault: Fault) -> DriftResult {
        let now = self.day(day, calls, fault);
        let weeks = (1..=4).map(|_| self.day(day, calls / 4, Fault::None));
        let before = together(weeks);
        assemble(check, Timestamp::from_micros(0), &now, &before, &Space::default())
    }
}

fn fault_now(fault: Fault, wanted: Fault, traffic: &mut Traffic, share: f64) -> bool {
    fault == wanted && traffic.chance(share)
}

fn drawn(columns: &str) -> Drawn {
    Drawn { columns: columns.split_whitespace().map(str::to_owned).collect(), ..Drawn::default() }
}

fn together(sides: impl Iterator<Item = Side>) -> Side {
    sides
        .reduce(|mut all, one| {
            all.calls.rows.extend(one.calls.rows);
            all.tools.rows.extend(one.tools.rows);
            for (name, drawn) in one.scores {
                all.scores.entry(name).or_default().rows.extend(drawn.rows);
            }
            all
        })
        .unwrap_or_default()
}

fn starter(more: Value) -> DriftConfig {
    let starter: Value = serde_json::from_str(include_str!("starter.json")).unwrap();
    let mut check = starter[0].clone();
    check.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    DriftConfig::read(&check).unwrap()
}

fn told(result: &DriftResult) -> Vec<String> {
    let drifted = result.all().filter(|cell| cell.drifted);
    drifted.map(|cell| format!("{} {}", cell.signal, cell.found.as_ref().unwrap().text)).collect()
}

fn watched() -> DriftConfig {
    starter(json!({"scores": ["quality"], "concept": {"score": "quality"}}))
}

/// Two weeks of healthy days, three times over, of little and of much traffic.
#[test]
fn healthy_weeks_make_no_alarm() {
    let check = watched();
    for (seed, calls) in [(1, 300), (2, 400), (3, 700)] {
        let mut traffic = Traffic { random: fastrand::Rng::with_seed(seed), number: 0 };
        for day in 0..14 {
            let result = traffic.compared(&check, day, calls, Fault::None);
            assert!(result.compared >= 12, "{}", result.compared);
            assert_eq!(told(&result), [] as [String; 0], "day {day} of {calls} calls");
        }
    }
}

/// What a comparison of all days alike would say: a Sunday is no Monday.
#[test]
fn a_weekend_against_working_days_would_be_one() {
    let mut traffic = Traffic { random: fastrand::Rng::with_seed(4), number: 0 };
    let (now, before) =
        (traffic.day(6, 600, Fault::None), together((0..5).map(|day| traffic.day(day, 120, Fault::None))));
    let result = assemble(&watched(), Timestamp::from_micros(0), &now, &before, &Space::default());
    assert!(result.drifted > 0);
}

#[test]
fn what_is_planted_is_found_and_nothing_else() {
    for (fault, expected, also) in [
        (Fault::LongerInputs, "input_tokens", "cost"),
        (Fault::OtherLanguage, "language", "topic embedding input_length"),
        (Fault::OtherTopics, "topic", "embedding input_length language concept:quality"),
        (Fault::Refusals, "refusals", "output_length"),
        (Fault::OtherModel, "model", ""),
        (Fault::WorseScores, "concept:quality", ""),
    ] {
        let mut traffic = Traffic { random: fastrand::Rng::with_seed(5), number: 0 };
        // What is true of one sort of inputs alone needs more of them.
        let calls = if fault == Fault::WorseScores { 3_200 } else { 800 };
        let result = traffic.compared(&watched(), 2, calls, fault);
        let drifted: Vec<&str> = result.all().filter(|cell| cell.drifted).map(|cell| cell.signal.as_str()).collect();
        assert!(drifted.contains(&expected), "{expected}: {drifted:?} {:?}", cells(&result));
        let others = drifted.iter().filter(|name| **name != expected && !also.split(' ').any(|one| one == **name));
        assert_eq!(others.count(), 0, "{expected}: {:?}", told(&result));
    }
}

fn cells(result: &DriftResult) -> Vec<String> {
    let found = result.all().filter_map(|cell| Some((cell, cell.found.as_ref()?)));
    found.map(|(cell, found)| format!("{} {:.3} p={:.1e}", cell.signal, found.effect, found.p_adjusted)).collect()
}
