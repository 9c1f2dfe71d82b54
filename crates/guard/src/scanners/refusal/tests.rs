use super::patterns::{ALONE, LONGEST, OPENINGS};
use super::{ENGINE, Refusal};
use crate::conformance;

#[test]
fn keeps_the_contract() {
    conformance::run(&Refusal);
}

#[test]
fn finds_and_passes_its_samples() {
    conformance::finds_and_passes(&Refusal, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}

#[test]
fn every_opening_is_found() {
    assert!(ENGINE.openings.is_built() && ENGINE.things.is_some());
    assert!(OPENINGS.iter().all(|(words, _)| words.len() <= LONGEST));
    assert!(ALONE.iter().all(|(words, _)| words.len() <= LONGEST));
}
