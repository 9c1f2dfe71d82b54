use super::Jailbreak;
use crate::conformance;

#[test]
fn keeps_the_contract() {
    conformance::run(&Jailbreak);
}

#[test]
fn finds_and_passes_its_samples() {
    conformance::finds_and_passes(&Jailbreak, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}
