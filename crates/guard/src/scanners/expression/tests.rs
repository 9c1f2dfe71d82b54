use serde_json::{Value, json};
use signalbox_types::Place;

use super::*;
use crate::{Guard, conformance};

fn make(condition: &str) -> Result<Arc<dyn Scanner>, OptionProblem> {
    ExpressionMaker.make(json!({ "condition": condition }).as_object().unwrap())
}

#[test]
fn keeps_the_contract() {
    conformance::run(&*make("text.contains('key') || size(text) > 40").unwrap());
}

fn guard(policies: Value) -> Guard {
    Guard::compile(&serde_json::from_value(json!({ "policies": policies })).unwrap()).unwrap()
}

#[test]
fn text_findings_and_call_count_together() {
    let condition = "findings.exists(f, f.scanner == 'words') && size(text) > 12 && !('staff' in tags)";
    // It is asked after the others, wherever it stands.
    let guard = guard(json!([
        {"scanner": "expression", "on": ["output"], "action": "block", "options": {"condition": condition}},
        {"scanner": "words", "on": ["output"], "action": "flag", "options": {"words": ["falcon"]}},
    ]));
    let within = |tags: &[&str]| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        guard.within(&Context { facts: Facts { tags, ..Facts::default() }, ..Context::default() })
    };
    for (tags, text, blocked) in [
        (&[][..], "the falcon flies", true),
        (&["staff"], "the falcon flies", false),
        (&[], "the eagle flies", false),
        (&[], "falcon", false),
    ] {
        let guard = within(tags);
        let check = guard.check(Place::Output, text);
        assert_eq!(check.findings.iter().any(|finding| finding.rule == "condition"), blocked, "{text} {tags:?}");
        let mut window = guard.window(Place::Output);
        for piece in text.chars() {
            window.push(&piece.to_string());
        }
        assert_eq!(window.finish().blocked, blocked, "{text} {tags:?}, streamed");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let problem = |condition: &str| make(condition).err().map(|problem| (problem.path, problem.message)).unwrap();
    assert!(problem("").1.contains("no expression"));
    assert!(problem("tier == 1").1.contains("it names `tier`"));
}

#[test]
fn finds_and_passes_its_samples() {
    let scanner = make("text.contains('money')").unwrap();
    conformance::finds_and_passes(&*scanner, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}
