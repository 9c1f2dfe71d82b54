use serde_json::{Value, json};
use signalbox_types::Place;

use super::*;
use crate::{Guard, conformance};

fn make(options: &Value) -> Result<Arc<dyn Scanner>, OptionProblem> {
    LengthMaker.make(options.as_object().unwrap())
}

#[test]
fn keeps_the_contract() {
    for most in [1, 10, 100] {
        conformance::run(&*make(&json!({ "max_bytes": most })).unwrap());
    }
}

#[test]
fn the_first_character_too_many_is_found_once() {
    let check = |options: Value, text: &str, expected: &[(usize, usize)]| {
        let mut hits = Vec::new();
        make(&options).unwrap().scan(Text::whole(text), &mut hits);
        assert_eq!(hits.iter().map(|hit| (hit.start, hit.end)).collect::<Vec<_>>(), expected, "{options} {text:?}");
    };
    check(json!({"max_bytes": 4}), "abcd", &[]);
    check(json!({"max_bytes": 4}), "abcdefgh", &[(4, 5)]);
    check(json!({"max_bytes": 4}), "abc🏴gh", &[(3, 7)]);
    check(json!({"max_tokens": 2, "max_bytes": 90}), "abcd efgh", &[(8, 9)]);
}

#[test]
fn a_stream_ends_where_it_is_too_long() {
    let policy = json!({"policies": [{"scanner": "length", "on": ["output"], "action": "block", "options": {"max_bytes": 20_000}}]});
    let guard = Guard::compile(&serde_json::from_value(policy).unwrap()).unwrap();
    let mut window = guard.window(Place::Output);
    let (mut passed, mut blocked) = (0, false);
    for _ in 0..4_000 {
        let released = window.push("seven b");
        passed += released.text.len();
        blocked |= released.blocked;
    }
    assert!(blocked && passed == 20_000, "{passed} bytes passed");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let problem = |options: Value| make(&options).err().map(|problem| (problem.path, problem.message)).unwrap();
    assert_eq!(problem(json!({"max_bytes": 0})).0, "max_bytes");
    assert!(problem(json!({})).1.contains("name `max_bytes` or `max_tokens`"));
    assert!(problem(json!({"max_byte": 1})).1.contains("did you mean `max_bytes`?"));
}

#[test]
fn finds_and_passes_its_samples() {
    let scanner = make(&json!({"max_bytes": 40})).unwrap();
    conformance::finds_and_passes(&*scanner, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}
