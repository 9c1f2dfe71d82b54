use super::PromptInjection;
use crate::conformance;

#[test]
fn keeps_the_contract() {
    conformance::run(&PromptInjection);
}

#[test]
fn finds_and_passes_its_samples() {
    conformance::finds_and_passes(&PromptInjection, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}
