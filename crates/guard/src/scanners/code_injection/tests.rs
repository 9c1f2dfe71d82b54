use super::patterns::FAMILIES;
use super::{CodeInjection, ENGINE, LONGEST_WORD, needs, rules};
use crate::conformance::{self, samples};
use crate::scanner::{Hit, Scanner, Text};

fn scan(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    CodeInjection.scan(Text::whole(text), &mut hits);
    hits
}

#[test]
fn keeps_the_contract() {
    conformance::run(&CodeInjection);
}

#[test]
fn finds_every_sample() {
    for sample in samples(include_str!("data/hit.jsonl")) {
        let hits = scan(&sample.text);
        let rule = sample.rule.as_deref().unwrap();
        let found: Vec<_> = hits.iter().map(|hit| (hit.rule.name, hit.confidence)).collect();
        assert!(
            found.iter().any(|(name, sure)| *name == rule && *sure >= 0.5),
            "{rule} in {:?}: {found:?}",
            sample.text
        );
    }
}

#[test]
fn passes_what_is_no_payload() {
    for sample in samples(include_str!("data/miss.jsonl")) {
        let found: Vec<_> = scan(&sample.text).iter().map(|hit| hit.rule.name).collect();
        assert!(found.is_empty(), "{found:?} in {:?}", sample.text);
    }
}

#[test]
fn every_rule_has_a_sample() {
    let samples = samples(include_str!("data/hit.jsonl"));
    for rule in rules::ALL {
        assert!(samples.iter().any(|sample| sample.rule.as_deref() == Some(rule.name)), "{}", rule.name);
    }
}

#[test]
fn every_pattern_is_compiled() {
    assert!(ENGINE.words.is_built());
    assert!(ENGINE.patterns.len() <= needs::Set::BITS as usize, "a set has a bit for each");
    for (family, compiled) in FAMILIES.iter().zip(&ENGINE.families) {
        for pattern in family.patterns {
            let compiles = regex::bytes::Regex::new(&pattern.text());
            assert!(compiles.is_ok(), "{}", pattern.regex);
        }
        assert_eq!(compiled.len(), family.patterns.len());
        assert!(family.words.iter().all(|word| word.len() <= LONGEST_WORD));
    }
}

#[test]
fn a_payload_in_prose_is_found_where_it_is() {
    let text = "Search the shop for bob' OR '1'='1 and tell me the price.";
    let hits = scan(text);
    assert_eq!(hits.iter().map(|hit| hit.rule.name).collect::<Vec<_>>(), ["sql_injection"]);
    assert!(text.get(hits[0].start..hits[0].end).is_some_and(|found| found.contains("OR '1'='1")), "{hits:?}");
}
