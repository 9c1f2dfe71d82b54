use serde_json::{Value, json};

use super::*;
use crate::conformance;

fn make(options: &Value) -> Result<Arc<dyn Scanner>, OptionProblem> {
    WordsMaker.make(options.as_object().unwrap())
}

fn found(options: &Value, text: &str) -> Vec<(&'static str, String)> {
    let mut hits = Vec::new();
    make(options).unwrap().scan(Text::whole(text), &mut hits);
    hits.iter().map(|hit| (hit.rule.name, text.get(hit.start..hit.end).unwrap().to_owned())).collect()
}

fn check(options: &Value, text: &str, expected: &[&str]) {
    let found = found(options, text);
    assert_eq!(found.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), expected, "{options} in {text:?}");
}

#[test]
fn keeps_the_contract() {
    let lists = [
        json!({"words": ["key", "a b", "а", "token:"], "patterns": [r"\d{2,9}", r"^s.{1,30}$", r"(?m)^p\w{1,5}"]}),
        json!({"words": ["e"], "inside_words": true, "patterns": [r"\bsk-.{0,900}\b"]}),
        json!({"patterns": [r"\B.{1,3}\B", r".\z"], "case_sensitive": true}),
    ];
    for list in lists {
        conformance::run(&*make(&list).unwrap());
    }
}

#[test]
fn words_are_whole_and_in_any_case() {
    let list = json!({"words": ["Initech", "project falcon", "C++", "Öl", "北京"]});
    check(&list, "INITECH and initechs, Project\n  Falcon; c++ or öl", &["INITECH", "Project\n  Falcon", "c++", "öl"]);
    check(&list, "我在北京工作", &["北京"]);
    check(&json!({"words": ["Init"], "inside_words": true}), "Initech", &["Init"]);
    check(&json!({"words": ["Init"], "case_sensitive": true}), "init Init", &["Init"]);
    check(&json!({"words": ["a.b"]}), "axb a.b", &["a.b"]);
}

#[test]
fn patterns_and_words_are_told_apart() {
    let list = json!({"words": ["falcon"], "patterns": [r"TICKET-\d{4,6}", r"[äö]{2}"]});
    let expected =
        [("pattern", "ticket-12345".to_owned()), ("word", "falcon".to_owned()), ("pattern", "ÄÖ".to_owned())];
    assert_eq!(found(&list, "ticket-12345 of falcon, ÄÖ"), expected);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let check = |options: Value, path: &str, needle: &str| {
        let Err(problem) = make(&options) else { panic!("{options} is taken") };
        assert_eq!(problem.path, path);
        assert!(problem.message.contains(needle), "{problem:?}");
    };
    check(json!({}), "", "name `words` or `patterns`");
    check(json!({"word": ["a"]}), "word", "did you mean `words`?");
    check(json!({"words": ["a", " "]}), "words[1]", "empty");
    check(json!({"words": vec!["a"; 5001]}), "words", "at most 5000, found 5001");
    check(json!({"patterns": ["a", "(a"]}), "patterns[1]", "unclosed group");
    check(json!({"patterns": [r"\d+"]}), "patterns[0]", "write `{0,100}` for `*`");
    check(json!({"patterns": ["a?"]}), "patterns[0]", "the empty text");
    check(json!({"patterns": ["a{5000}"]}), "patterns[0]", "up to 5000 bytes");
    check(json!({"patterns": vec![r"(\w{1,20}){1,10}\w{1,50}"; 100]}), "", "too large");
}

#[test]
fn finds_and_passes_its_samples() {
    let list = json!({"words": ["Initech", "project falcon", "北京"], "patterns": [r"TICKET-\d{4,6}"]});
    let scanner = make(&list).unwrap();
    conformance::finds_and_passes(&*scanner, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}
