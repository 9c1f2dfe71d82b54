use super::Language;
use crate::conformance::{self, samples};
use crate::scanner::{Hit, Scanner, Text};

fn scan(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    Language.scan(Text::whole(text), &mut hits);
    hits
}

#[test]
fn keeps_the_contract() {
    conformance::run(&Language);
}

#[test]
fn tells_the_language_of_every_sample() {
    for sample in samples(include_str!("data/hit.jsonl")) {
        let hits = scan(&sample.text);
        assert_eq!(Language.prediction(&hits).as_deref(), sample.rule.as_deref(), "{:?}: {hits:?}", sample.text);
    }
}

#[test]
fn says_nothing_of_what_has_no_language() {
    for sample in samples(include_str!("data/miss.jsonl")) {
        let hits = scan(&sample.text);
        assert!(hits.is_empty(), "{:?}: {hits:?}", sample.text);
    }
}

#[test]
fn two_languages_are_told_by_stretch() {
    let english = "The signal box routes the trains of the line and keeps a register of them. ".repeat(16);
    let russian = "Диспетчер составляет маршруты поездов и ведёт журнал их движения. ".repeat(16);
    let hits = scan(&format!("{english}\n\n{russian}"));
    let names: Vec<_> = hits.iter().map(|hit| hit.rule.name).collect();
    assert!(names.first() == Some(&"en") && names.last() == Some(&"ru"), "{names:?}");
}
