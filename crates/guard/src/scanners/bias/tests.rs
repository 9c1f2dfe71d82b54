use super::words::{GROUPS, LONGEST};
use super::{Bias, ENGINE, RULES};
use crate::conformance::{self, samples};

#[test]
fn keeps_the_contract() {
    conformance::run(&Bias);
}

#[test]
fn finds_and_passes_its_samples() {
    conformance::finds_and_passes(&Bias, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}

#[test]
fn every_category_has_a_sample_and_every_word_is_found() {
    assert!(ENGINE.groups.is_built() && ENGINE.judgements.is_built() && ENGINE.reports.is_built());
    assert!(GROUPS.iter().flat_map(|(_, words)| *words).all(|word| word.len() <= LONGEST));
    let samples = samples(include_str!("data/hit.jsonl"));
    for rule in RULES {
        assert!(samples.iter().any(|sample| sample.rule.as_deref() == Some(rule.name)), "{}", rule.name);
    }
}
