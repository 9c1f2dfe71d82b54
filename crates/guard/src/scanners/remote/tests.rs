use serde_json::{Value, json};
use signalbox_types::{Action, Place, Verdict};

use super::answers::Judgement;
use super::*;
use crate::{Guard, Released, conformance};

fn make(options: &Value) -> Arc<dyn Scanner> {
    RemoteMaker.make(options.as_object().unwrap()).map_err(|problem| format!("{problem:?}")).unwrap()
}

/// Says what stands in a piece itself.
fn by_words(piece: &str) -> Reply {
    let start = piece.find("bad");
    let spans = start.map(|start| (start..start + 3, Some("bad_word".to_owned())));
    if piece.contains("key") {
        return Err("it is down".into());
    }
    Ok(Arc::new(Judgement { flagged: start.is_some(), score: 0.7, spans: spans.into_iter().collect() }))
}

#[test]
fn keeps_the_contract() {
    for on_failure in ["allow", "block"] {
        let scanner = make(&json!({"service": "s", "on_failure": on_failure}));
        conformance::run(&*scanner);
        let mut answers = Answers::of_running_texts();
        answers.by = Some(by_words);
        conformance::run(&*scanner.answered(&Arc::new(answers)).unwrap());
    }
}

#[test]
fn finds_what_the_service_says() {
    let mut answers = Answers::of_whole_texts();
    answers.by = Some(by_words);
    let scanner = make(&json!({"service": "s"})).answered(&Arc::new(answers)).unwrap();
    conformance::finds_and_passes(&*scanner, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}

fn guard(more: &Value) -> Guard {
    let mut policy = json!({"scanner": "remote", "on": ["output"], "action": "block",
        "options": {"service": "s", "on_failure": "block"}});
    policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let config = json!({"policies": [policy], "services": [{"name": "s", "url": "http://s.example"}]});
    Guard::compile(&serde_json::from_value(config).unwrap()).unwrap()
}

fn answered(guard: &Guard, running: bool) -> Guard {
    let mut answers = if running { Answers::of_running_texts() } else { Answers::of_whole_texts() };
    answers.by = Some(by_words);
    guard.answered(&Arc::new(answers))
}

#[test]
fn what_it_says_is_a_finding_like_any_other() {
    let blocking = guard(&json!({}));
    let check = answered(&blocking, false).check(Place::Output, "This is bad.");
    assert_eq!(check.verdict, Verdict::Block);
    assert_eq!((check.findings[0].start, check.findings[0].end), (8, 11));
    assert!(check.findings[0].message.ends_with("(service `s`: bad_word)."), "{check:?}");
    assert_eq!(answered(&blocking, false).check(Place::Output, "This is good.").verdict, Verdict::Allow);
    let redacting = guard(&json!({"action": "redact"}));
    let check = answered(&redacting, false).check(Place::Output, "This is bad.");
    assert_eq!(check.redacted.as_deref(), Some("This is [REDACTED:bad_word]."));
    let shadow = guard(&json!({"shadow": true}));
    assert_eq!(answered(&shadow, false).check(Place::Output, "This is bad.").verdict, Verdict::Flag);
    let strict = guard(&json!({"options": {"service": "s", "min_score": 0.6}}));
    assert_eq!(answered(&strict, false).check(Place::Output, "This is good.").verdict, Verdict::Block);
}

#[test]
fn what_cannot_be_asked_about_passes_or_not_as_its_policy_says() {
    let text = "A key that is secret.";
    let check = |more: Value, expected: Verdict| {
        let check = answered(&guard(&more), false).check(Place::Output, text);
        assert_eq!(check.verdict, expected, "{more}: {check:?}");
        check
    };
    let blocked = check(json!({}), Verdict::Block);
    assert_eq!((blocked.findings[0].rule.as_str(), blocked.findings[0].action), ("unchecked", Action::Block));
    check(json!({"options": {"service": "s"}}), Verdict::Allow);
    // It refuses, whatever it does about what is found; but what does nothing refuses nothing.
    check(json!({"action": "redact"}), Verdict::Block);
    check(json!({"action": "rewrite", "reply": "x", "min_confidence": 1.0, "rules": ["flagged"]}), Verdict::Block);
    check(json!({"action": "flag"}), Verdict::Flag);
    check(json!({"shadow": true}), Verdict::Flag);
    check(json!({"allow": ["A key*"]}), Verdict::Allow);
    // Nobody asked.
    let unasked = guard(&json!({})).check(Place::Output, text);
    assert_eq!(unasked.verdict, Verdict::Block);
    assert!(unasked.findings[0].message.contains("it was not asked"), "{unasked:?}");
}

#[test]
fn a_running_text_is_held_back_until_it_is_answered() {
    let question = guard(&json!({})).questions(Place::Output).remove(0);
    let answers = Arc::new(Answers::of_running_texts());
    let mut window = guard(&json!({})).answered(&answers).window(Place::Output);
    let sentence = format!("{} And so it ends.", "One two three four. ".repeat(8));
    let first = answers.piece(&sentence, 0, true).unwrap();
    let good = Ok(Arc::new(Judgement { flagged: false, score: 0.0, spans: Vec::new() }));
    assert_eq!(window.push(&sentence), Released::default());
    answers.put(&question, sentence.get(..first).unwrap().into(), good.clone());
    assert_eq!(window.push("").text, sentence.get(..first).unwrap());
    answers.put(&question, sentence.get(first..).unwrap().into(), good);
    let rest = window.finish();
    assert_eq!((rest.text.as_str(), rest.blocked), (sentence.get(first..).unwrap(), false));
    // What was never answered ends it.
    let mut window = guard(&json!({})).answered(&Arc::new(Answers::of_running_texts())).window(Place::Output);
    assert_eq!(window.push("Hello").text, "");
    let rest = window.finish();
    assert!(rest.blocked && rest.text.is_empty(), "{rest:?}");
}

#[test]
fn options_are_checked() {
    let check = |options: Value, path: &str, needle: &str| {
        let problem = RemoteMaker.make(options.as_object().unwrap()).map(|_| ()).unwrap_err();
        assert_eq!(problem.path, path);
        assert!(problem.message.contains(needle), "{problem:?}");
    };
    check(json!({}), "service", "it is missing");
    check(json!({"service": "s", "deadline_ms": 0}), "deadline_ms", "expected 1 to 10000, found 0");
    check(json!({"service": "s", "min_score": 2}), "min_score", "expected 0 to 1, found 2");
    check(json!({"service": "s", "on_failure": "pass"}), "on_failure", "unknown variant `pass`");
    check(json!({"service": "s", "url": "http://x"}), "url", "unknown option `url`");
}
