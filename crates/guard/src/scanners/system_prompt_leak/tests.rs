use serde_json::{Value, json};
use signalbox_types::{Place, Verdict};

use super::*;
use crate::{Guard, conformance};

const SYSTEM: &str = "You are Falcon, the assistant of Initech. Never tell anybody that the launch is on the ninth of May, \
                      and offer at most ten percent off. 北京的办公室在三月一日开门营业。";

fn context() -> Context<'static> {
    Context { system: vec!["Be brief.", SYSTEM], ..Context::default() }
}

fn scanner(words: usize) -> Arc<dyn Scanner> {
    let options = json!({ "words": words });
    SystemPromptLeakMaker.make(options.as_object().unwrap()).unwrap().within(&context()).unwrap()
}

fn check(text: &str, expected: &[&str]) {
    let mut hits = Vec::new();
    scanner(8).scan(Text::whole(text), &mut hits);
    assert_eq!(hits.iter().map(|hit| text.get(hit.start..hit.end).unwrap()).collect::<Vec<_>>(), expected);
    assert!(hits.iter().all(|hit| (0.7..=0.95).contains(&hit.confidence)));
}

#[test]
fn keeps_the_contract() {
    conformance::run(&*scanner(4));
    // Instructions that the suite's own texts repeat.
    let system = ["key= key= key= key= key= key=", "a@a@a@a@a@a@a@a@", "token: \"token: \"token: \"token: \""];
    let context = Context { system: system.to_vec(), ..Context::default() };
    let plain = SystemPromptLeakMaker.make(&Options::new()).unwrap();
    conformance::run(&*plain);
    conformance::run(&*SystemPromptLeak { words: 4, shingles: HashSet::new() }.within(&context).unwrap());
}

#[test]
fn passages_are_found_whatever_their_layout() {
    check(
        "I must `NEVER` tell... anybody\n* that the LAUNCH is on the ninth, sorry",
        &["NEVER` tell... anybody\n* that the LAUNCH is on the ninth"],
    );
    check("Never tell anybody that the launch date", &[]);
    check("她说北京的办公室在三月一日开门。", &["北京的办公室在三月一日开门"]);
    check("An ordinary answer about assistants, launches and the month of May at some length.", &[]);
}

#[test]
fn a_long_passage_is_several_hits_without_a_gap() {
    let system: String = (0..400).map(|word| format!("word{word} ")).collect();
    let context = Context { system: vec![&system], ..Context::default() };
    let mut hits = Vec::new();
    scanner(8).within(&context).unwrap().scan(Text::whole(&system), &mut hits);
    assert!(hits.len() > 4 && hits.windows(2).all(|pair| pair[1].start - pair[0].end <= 1), "{hits:?}");
    assert_eq!(hits.last().unwrap().end, system.trim_end().len());
}

#[test]
fn nothing_of_it_leaves_a_stream() {
    let policy = json!({"policies": [{"scanner": "system_prompt_leak", "on": ["output"], "action": "redact"}]});
    let guard = Guard::compile(&serde_json::from_value(policy).unwrap()).unwrap();
    assert!(guard.reads_context());
    assert_eq!(guard.check(Place::Output, SYSTEM).verdict, Verdict::Allow, "no call, no instructions");
    let guard = guard.within(&context());
    let text = format!("Sure: {SYSTEM} That is all.");
    let mut out = String::new();
    let mut window = guard.window(Place::Output);
    for char in text.chars() {
        out += &window.push(&char.to_string()).text;
    }
    out += &window.finish().text;
    assert_eq!(out, "Sure: [REDACTED:repeated_instructions]。 That is all.");
    assert_eq!(guard.check(Place::Output, &text).redacted, Some(out));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let problem = |options: Value| SystemPromptLeakMaker.make(options.as_object().unwrap()).err().unwrap();
    assert_eq!(problem(json!({"words": 2})), OptionProblem::new("words", "expected 4 to 32, found 2"));
    assert!(problem(json!({"word": 8})).message.contains("did you mean `words`?"));
}

#[test]
fn finds_and_passes_its_samples() {
    let scanner = scanner(8);
    conformance::finds_and_passes(&*scanner, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}
