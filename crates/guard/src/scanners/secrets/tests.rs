use super::Secrets;
use super::assign::names_a_secret;
use crate::conformance::{self, samples};
use crate::scanner::{Hit, Scanner, Text};

fn scan(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    Secrets.scan(Text::whole(text), &mut hits);
    hits
}

#[test]
fn keeps_the_contract() {
    conformance::run(&Secrets);
}

#[test]
fn finds_every_sample() {
    for sample in samples(include_str!("data/hit.jsonl")) {
        let hits = scan(&sample.text);
        let rules: Vec<_> = hits.iter().map(|hit| (hit.rule.name, hit.confidence)).collect();
        let rule = sample.rule.as_deref().unwrap();
        assert!(
            rules.iter().any(|(name, sure)| *name == rule && *sure >= 0.5),
            "{rule} in {:?}: {rules:?}",
            sample.text
        );
        assert_eq!(rules.len(), 1, "{:?}: {rules:?}", sample.text);
    }
}

#[test]
fn passes_what_is_no_secret() {
    for sample in samples(include_str!("data/miss.jsonl")) {
        let found: Vec<_> = scan(&sample.text).iter().map(|hit| hit.rule.name).collect();
        assert!(found.is_empty(), "{found:?} in {:?}", sample.text);
    }
}

#[test]
fn every_literal_is_in_the_automaton() {
    assert!(super::ENGINE.literals.is_built());
    assert!(super::STARTS.iter().all(|literal| literal.len() <= 32), "half of a longer one would not be held back");
}

#[test]
fn covers_the_secret_and_nothing_else() {
    let check = |text: &str, start: usize, end: usize| {
        let hits = scan(text);
        assert_eq!(hits.iter().map(|hit| (hit.start, hit.end)).collect::<Vec<_>>(), [(start, end)], "{text}");
    };
    check("see postgres://app:Zx9kLm2Qw8@db/x", 19, 29);
    check("password = \"Tr0ub4dor&3\";", 12, 23);
    check("curl --user 'ada:Qw7xK2mN9' https://a.b", 17, 26);
    check("my password is Kw8#mXq2p.", 15, 24);
}

#[test]
fn names() {
    for name in [
        "api_key",
        "apiKey",
        "API-KEY",
        "apikey",
        "x-api-key",
        "ACME_TOKEN",
        "acmeToken",
        "client_secret",
        "dbPassword",
        "DB_PASS",
        "userpwd",
        "auth",
        "AWS_CREDENTIALS",
        "github_pat",
        "secret_key_base64",
        "token2",
        "PASSWORD_PROD",
    ] {
        assert!(names_a_secret(name), "{name}");
    }
    for name in [
        "key",
        "monkey",
        "keyboard",
        "public_key",
        "primaryKey",
        "csrf_token",
        "max_tokens",
        "nextPageToken",
        "author",
        "compass",
        "token_url",
        "key_name",
        "passed",
        "authority",
        "secretary",
        "tokenizer",
        "bypass",
        "sort-key",
    ] {
        assert!(!names_a_secret(name), "{name}");
    }
}
