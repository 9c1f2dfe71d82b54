use super::brands::BRANDS;
use super::{RULES, Urls};
use crate::conformance::{self, samples};
use crate::scanner::{Hit, Scanner, Text};

fn scan(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    Urls.scan(Text::whole(text), &mut hits);
    hits.retain(|hit| hit.confidence >= 0.5);
    hits
}

#[test]
fn keeps_the_contract() {
    conformance::run(&Urls);
}

#[test]
fn finds_and_passes_its_samples() {
    conformance::finds_and_passes(&Urls, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}

#[test]
fn every_rule_has_a_sample() {
    let samples = samples(include_str!("data/hit.jsonl"));
    for rule in RULES.iter().filter(|rule| rule.name != "punycode_host") {
        assert!(samples.iter().any(|sample| sample.rule.as_deref() == Some(rule.name)), "{}", rule.name);
    }
}

#[test]
fn a_scheme_in_the_end_of_another_is_not_looked_at_again() {
    let mut hits = Vec::new();
    Urls.scan(Text::whole("javascript://login.paypa1.example/%0aalert(1)"), &mut hits);
    let rules: Vec<_> = hits.iter().map(|hit| hit.rule.name).collect();
    assert_eq!(rules, ["script_url"]);
}

#[test]
fn no_well_known_name_is_taken_for_another() {
    for brand in BRANDS {
        for text in
            [format!("https://{brand}.com/login"), format!("https://www.{brand}.co.uk"), format!("see www.{brand}.org")]
        {
            assert!(scan(&text).is_empty(), "{text}: {:?}", scan(&text));
        }
    }
}

#[test]
fn covers_the_address_and_nothing_else() {
    let check = |text: &str, address: &str| {
        let found: Vec<_> = scan(text).iter().filter_map(|hit| text.get(hit.start..hit.end)).collect();
        assert_eq!(found, [address], "{text}");
    };
    check("Go to https://paypa1.com/a?b=c, quickly.", "https://paypa1.com/a?b=c");
    check("(see http://0x7f.1/)", "http://0x7f.1/");
    check("[click](https://google.com@evil.example/x) here", "https://google.com@evil.example/x");
    check("<https://xn--80ak6aa92e.com>", "https://xn--80ak6aa92e.com");
}
