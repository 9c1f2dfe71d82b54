use serde_json::{Value, json};
use signalbox_types::Place;

use super::*;
use crate::{Guard, conformance};

fn make(options: &Value) -> Result<Arc<dyn Scanner>, OptionProblem> {
    TopicsMaker.make(options.as_object().unwrap())
}

fn found(options: &Value, text: &str) -> Vec<(String, f32)> {
    let mut hits = Vec::new();
    make(options).unwrap().scan(Text::whole(text), &mut hits);
    hits.iter().map(|hit| (text.get(hit.start..hit.end).unwrap().to_owned(), hit.confidence)).collect()
}

#[test]
fn keeps_the_contract() {
    conformance::run(
        &*make(&json!({"deny": {"a": ["key", "a b", "phone", "ключ"], "b": ["pass*", "the key", "1"]}})).unwrap(),
    );
    conformance::run(
        &*make(&json!({"deny": {"a": ["key", "a", "the", "и", "10"]}, "min_words": 2, "exact": true})).unwrap(),
    );
    conformance::run(&*make(&json!({"allow": {"a": ["key", "password"]}})).unwrap());
}

#[test]
fn forms_phrases_and_neighbours() {
    let list = json!({"deny": {"betting": ["gamble", "casino", "roulette wheel"], "politics": ["elect*"]}});
    assert_eq!(found(&list, "Gambling?"), [("Gambling".to_owned(), 0.6)]);
    assert_eq!(found(&list, "the roulette wheels"), [("roulette wheels".to_owned(), 0.8)]);
    assert_eq!(
        found(&list, "Casinos with a Roulette-Wheel"),
        [("Casinos".to_owned(), 0.95), ("Roulette-Wheel".to_owned(), 0.95)]
    );
    // Another topic doesn't make it surer, nor does the same word again, nor what is far away.
    let far = format!("casino {} gambled", "x ".repeat(300));
    assert_eq!(found(&list, &far), [("casino".to_owned(), 0.6), ("gambled".to_owned(), 0.6)]);
    assert_eq!(found(&list, "casino electorate casino").iter().map(|hit| hit.1).collect::<Vec<_>>(), [0.6; 3]);
    let two = json!({"deny": {"betting": ["gamble", "casino"]}, "min_words": 2});
    assert_eq!(found(&two, "a casino"), []);
    assert_eq!(found(&two, "gamble in a casino").len(), 2);
    let exact = json!({"deny": {"betting": ["gamble"]}, "exact": true});
    assert_eq!(found(&exact, "gambling, gamble"), [("gamble".to_owned(), 0.6)]);
}

#[test]
fn a_text_must_name_an_allowed_topic() {
    let list = json!({"allow": {"cooking": ["recipe", "oven"], "shopping": ["grocer*"]}});
    assert_eq!(found(&list, "Which recipes need no oven, and what do groceries cost there?"), []);
    assert_eq!(found(&list, "Thank you very much!"), []);
    let text = " Write me a poem about the fall of the Roman empire ";
    assert_eq!(found(&list, text), [(text.trim().to_owned(), 0.7)]);
    // Too late.
    assert_eq!(found(&list, &format!("{}oven", "no such word ".repeat(200))).len(), 1);
}

#[test]
fn the_finding_names_the_topic() {
    let policy = json!({"policies": [{"scanner": "topics", "on": ["input"], "action": "flag",
        "options": {"deny": {"betting": ["casino"]}}}]});
    let guard = Guard::compile(&serde_json::from_value(policy).unwrap()).unwrap();
    let check = guard.check(Place::Input, "Where is the casino?");
    assert!(check.findings[0].message.contains("(topic `betting`)"), "{check:?}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let check = |options: Value, path: &str, needle: &str| {
        let Err(problem) = make(&options) else { panic!("{options} is taken") };
        assert_eq!(problem.path, path);
        assert!(problem.message.contains(needle), "{problem:?}");
    };
    check(json!({}), "", "name `deny` or `allow`");
    check(json!({"deny": {"a": ["b"]}, "allow": {"a": ["b"]}}), "allow", "make two policies");
    check(json!({"deny": {"a": []}}), "deny.a", "no words");
    check(json!({"deny": {"a": ["x", "!"]}}), "deny.a[1]", "no letter");
    check(json!({"deny": {"a": ["x*"]}}), "deny.a[0]", "at least 3 letters");
    check(json!({"allow": {"a": ["x"]}, "min_words": 2}), "min_words", "only with `deny`");
}

#[test]
fn finds_and_passes_its_samples() {
    let list = json!({"deny": {"politics": ["election", "prime minister", "Wahl*", "选举"]}});
    let scanner = make(&list).unwrap();
    conformance::finds_and_passes(&*scanner, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}
