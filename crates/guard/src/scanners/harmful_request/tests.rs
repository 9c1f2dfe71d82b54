use super::HarmfulRequest;
use crate::conformance;

#[test]
fn keeps_the_contract() {
    conformance::run(&HarmfulRequest);
}

#[test]
fn finds_and_passes_its_samples() {
    conformance::finds_and_passes(&HarmfulRequest, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}
