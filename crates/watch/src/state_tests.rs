use serde_json::json;

use super::*;
use crate::kinds::Outcome;

fn monitor(more: serde_json::Value) -> MonitorConfig {
    let mut monitor = json!({"name": "m", "query": {"measures": [{"fn": "count"}]}, "condition": {"threshold": {"above": 1}}, "recover_for": 1});
    monitor.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(monitor).unwrap()
}

/// Evaluations, a minute each: `!` wrong, `.` right, `-` between, `?` no data, ` ` too little to tell. Phases: `o`k, `p`ending,
/// `F`iring, `r`ecovering; and a turn where there is one: `>` fired, `<` recovered.
fn check(more: serde_json::Value, script: &str, expected: &str) {
    let monitor = monitor(more);
    let mut state = SeriesState::new(Labels::new(), Timestamp::default());
    let mut found = String::new();
    for (minute, c) in script.chars().enumerate() {
        let outcome = match c {
            '!' => Outcome::Breach,
            '-' => Outcome::Between,
            '?' => Outcome::NoData,
            ' ' => Outcome::Hold,
            _ => Outcome::Clear,
        };
        let now = Timestamp::from_micros(60_000_000 * (minute as i64 + 1));
        let turn = state.step(&monitor, &Judgement::new(outcome, ""), now);
        found.push(match state.phase {
            Phase::Ok => 'o',
            Phase::Pending => 'p',
            Phase::Firing => 'F',
            Phase::Recovering => 'r',
        });
        found.extend(turn.map(|turn| if turn == Turn::Fired { '>' } else { '<' }));
        // A restart after every evaluation changes nothing.
        state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
    }
    assert_eq!(found, expected, "{script}");
}

#[test]
fn fires_and_recovers() {
    check(json!({}), "..!!..", "ooF>Fo<o");
    check(json!({"for": 3}), ".!.!!.!!!!", "opoppoppF>F");
    check(json!({"recover_for": 3}), "!..!....", "F>rrFrro<o");
}

#[test]
fn what_is_between_neither_begins_nor_ends_anything() {
    check(json!({}), "-!--.-", "oF>FFo<o");
    check(json!({"recover_for": 2}), "!.-..", "F>rrro<");
    check(json!({"for": 2}), "!-!!", "popF>");
}

#[test]
fn too_little_to_tell_changes_nothing() {
    check(json!({"for": 2}), "! !", "ppF>");
    check(json!({"recover_for": 2}), "!. .", "F>rro<");
}

#[test]
fn no_data_means_what_was_said() {
    check(json!({"no_data": "keep"}), "?!??.", "oF>FFo<");
    check(json!({"no_data": "ok"}), "?!?", "oF>o<");
    check(json!({"no_data": "alert", "for": 2}), "??.", "pF>o<");
}

#[test]
fn what_comes_and_goes_is_held() {
    let flapping = json!({"fires": 3, "within": "10m", "hold": "5m"});
    // The third time it is over only after five quiet minutes.
    check(json!({"flapping": flapping}), "!.!.!.!......!", "F>o<F>o<F>rFrrrro<oF>");
    check(json!({"flapping": {"fires": 0}}), "!.!.!.!.", "F>o<F>o<F>o<F>o<");
}

#[test]
fn worse_is_told_once() {
    let monitor = monitor(json!({}));
    let mut state = SeriesState::new(Labels::new(), Timestamp::default());
    let mut step = |severity, second: i64| {
        let judgement = Judgement { severity: Some(severity), ..Judgement::new(Outcome::Breach, "") };
        state.step(&monitor, &judgement, Timestamp::from_micros(second * 1_000_000))
    };
    assert_eq!(step(Severity::Warning, 1), Some(Turn::Fired));
    assert_eq!(step(Severity::Warning, 2), None);
    assert_eq!(step(Severity::Critical, 3), Some(Turn::Worsened));
    assert_eq!(step(Severity::Warning, 4), None);
    assert_eq!(step(Severity::Critical, 5), None);
}
