use super::{Gibberish, RULES};
use crate::conformance::{self, samples};

#[test]
fn keeps_the_contract() {
    conformance::run(&Gibberish);
}

#[test]
fn finds_and_passes_its_samples() {
    conformance::finds_and_passes(&Gibberish, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
    conformance::finds_and_passes(&Gibberish, "", include_str!("../language/data/hit.jsonl"));
}

#[test]
fn every_rule_has_a_sample() {
    let samples = samples(include_str!("data/hit.jsonl"));
    for rule in RULES {
        assert!(samples.iter().any(|sample| sample.rule.as_deref() == Some(rule.name)), "{}", rule.name);
    }
}
