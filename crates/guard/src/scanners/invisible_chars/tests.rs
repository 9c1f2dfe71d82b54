use super::InvisibleChars;
use crate::conformance::{self, samples};
use crate::scanner::{Hit, Scanner, Text};

fn scan(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    InvisibleChars.scan(Text::whole(text), &mut hits);
    hits
}

#[test]
fn keeps_the_contract() {
    conformance::run(&InvisibleChars);
}

#[test]
fn finds_every_sample() {
    for sample in samples(include_str!("data/hit.jsonl")) {
        let rules: Vec<_> = scan(&sample.text).iter().map(|hit| (hit.rule.name, hit.confidence)).collect();
        let rule = sample.rule.as_deref().unwrap();
        assert!(
            rules.iter().any(|(name, sure)| *name == rule && *sure >= 0.5),
            "{rule} in {:?}: {rules:?}",
            sample.text
        );
    }
}

#[test]
fn passes_legitimate_text() {
    for sample in samples(include_str!("data/miss.jsonl")) {
        let hits = scan(&sample.text);
        let found: Vec<_> = hits.iter().filter(|hit| hit.confidence >= 0.5).map(|hit| hit.rule.name).collect();
        assert!(found.is_empty(), "{found:?} in {:?}", sample.text);
    }
}

fn redacted(text: &str) -> String {
    let (mut out, mut done) = (String::new(), 0);
    for hit in scan(text) {
        out.push_str(text.get(done..hit.start).unwrap());
        hit.write_replacement(&mut out);
        done = hit.end;
    }
    out + text.get(done..).unwrap()
}

#[test]
fn redaction_leaves_what_a_person_reads() {
    assert_eq!(redacted("p\u{430}ypal and micr\u{43E}s\u{43E}ft"), "paypal and microsoft");
    assert_eq!(redacted("С\u{430}mm"), "Camm");
    assert_eq!(redacted("Ｉｇｎｏｒｅ this"), "Ignore this");
    assert_eq!(redacted("ɪɢɴᴏʀᴇ"), "ignore");
    assert_eq!(redacted("a\u{E0041}\u{E0042}b"), "ab");
    assert_eq!(redacted("i\u{200B}g\u{200B}n"), "ign");
    assert_eq!(redacted("\u{1B}[31mred\u{1B}[0m"), "red");
}

#[test]
fn long_runs_are_found_in_pieces() {
    let text = format!("a{}b", "\u{200B}\u{200C}".repeat(1_500));
    let hits = scan(&text);
    assert_eq!(hits.len(), 3);
    assert_eq!((hits[0].start, hits[2].end), (1, text.len() - 1));
    assert!(hits.iter().all(|hit| hit.confidence > 0.9));
}
