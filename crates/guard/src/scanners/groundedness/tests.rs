use serde_json::{Value, json};

use super::*;
use crate::conformance;

const REPORT: &str = "The bridge over the river Aare was built in 1912 by the engineers of the railway company. It is 1,234.50 metres long and \
    carries two tracks. In March 2024 the company replaced 37 bearings, repainted every girder and closed the northern footpath. Trains pass at \
    sixty kilometres an hour since then, and visitors cross by the southern footpath during summer months.";

fn make(options: &Value) -> Arc<dyn Scanner> {
    let context = Context { documents: vec![REPORT], ..Context::default() };
    GroundednessMaker.make(options.as_object().unwrap()).unwrap().within(&context).unwrap()
}

fn check(options: &Value, text: &str, expected: &[(&str, &str)]) {
    let mut hits = Vec::new();
    make(options).scan(Text::whole(text), &mut hits);
    let found: Vec<_> = hits.iter().map(|hit| (hit.rule.name, text.get(hit.start..hit.end).unwrap())).collect();
    assert_eq!(found, expected);
}

#[test]
fn keeps_the_contract() {
    conformance::run(&*make(&json!({})));
    conformance::run(&*make(&json!({"min_overlap": 1.0})));
}

#[test]
fn what_the_texts_say_passes() {
    let answer = "The bridge was built in 1912 by railway engineers.\n1. It is 1.234,5 metres long.\n2. The company replaced 37 bearings in March 2024.";
    check(&json!({}), answer, &[]);
    check(&json!({}), "I don't know.", &[]);
}

#[test]
fn numbers_and_sentences_from_elsewhere_are_found() {
    let strange = "Napoleon personally designed several famous aqueducts around Paris!";
    let answer = format!("It was built in 1913 by the railway engineers. {strange} The company replaced 37 bearings.");
    check(&json!({}), &answer, &[("unsupported_number", "1913"), ("unsupported_sentence", strange)]);
    check(&json!({"numbers": false}), &answer, &[("unsupported_sentence", strange)]);
    check(&json!({"min_overlap": 0}), &answer, &[("unsupported_number", "1913")]);
}

#[test]
fn without_texts_nothing_is_found() {
    let plain = GroundednessMaker.make(&Options::new()).unwrap();
    let little = Context { documents: vec!["How long is the bridge?"], ..Context::default() };
    let mut hits = Vec::new();
    for scanner in [&plain, &plain.within(&little).unwrap()] {
        scanner.scan(Text::whole("Completely unsupported sentence about strange numbers like 4711."), &mut hits);
    }
    assert_eq!(hits, []);
}

#[test]
fn numbers_are_compared_by_value() {
    let check = |text: &str, expected: &[&str]| {
        let found = claims(text).filter_map(|(_, claim)| match claim {
            Claim::Number(number) => Some(number),
            Claim::Word(_) => None,
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{text}");
    };
    check("1,234.50 1.234,5 1'234.5 1234.5", &["1234.5"; 4]);
    check("12,345 12.345 12345", &["12345"; 3]);
    check("1,234,567 and 3.14, 7, 2.0 or 10.", &["1234567", "3.14"]);
    check("0.25 % 2024-03-01", &["0.25", "2024"]);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let problem = |options: Value| GroundednessMaker.make(options.as_object().unwrap()).err().unwrap();
    assert_eq!(problem(json!({"min_overlap": 7})).path, "min_overlap");
    assert_eq!(problem(json!({"min_overlap": 0, "numbers": false})).path, "numbers");
}

#[test]
fn finds_and_passes_its_samples() {
    let scanner = make(&json!({}));
    conformance::finds_and_passes(&*scanner, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}
