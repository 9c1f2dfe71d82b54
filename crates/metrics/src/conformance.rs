//! What every metric must keep: its range, its direction, nothing but its inputs, the same again, empty texts.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::about::{About, Direction, Family};
use crate::case::{Case, Input};
use crate::options::Options;
use crate::registry;
use crate::score::Measure;

/// The value of a metric with options.
pub(crate) fn value_with(about: &'static About, options: &Options, case: &Case) -> f64 {
    let score = Measure::new(about, options, None).unwrap().score(case);
    score.unwrap_or_else(|problem| panic!("{}: {problem}", about.name)).value
}

/// Equal as far as published figures are.
pub(crate) fn near(value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-9, "{value} instead of {expected}");
}

/// A part of a case, made of a text: what a metric of the registry takes there.
fn part(about: &About, input: Input, text: &str) -> Value {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    // Rankings are the metrics of retrieval that look at no text.
    let is_ranking = about.family == Family::Retrieval && about.options.iter().any(|option| option.name == "k");
    match (about.family, input) {
        (_, Input::Logprobs) => words.iter().map(|word| -(word.len() as f64) / 7.0).collect(),
        (_, Input::Schema) => json!({"type": "object", "required": ["a"]}),
        (_, Input::Tools) => json!([]),
        (Family::Agent, Input::Output) => {
            words.iter().map(|word| json!({"name": word, "arguments": {"a": word.len()}})).collect()
        }
        (Family::Agent, Input::Reference) => {
            words.iter().map(|word| json!({"name": word, "arguments": {"a": 3}})).collect()
        }
        (Family::Drift, _) => match about.name {
            "concept_drift" => words.iter().map(|word| json!([word.len(), word.bytes().last()])).collect(),
            "mmd" => words.iter().map(|word| json!([word.len(), 1.5])).chain([json!([0.5, 1])]).collect(),
            "segment_drift" => json!({"a": [words.len(), 1], "b": ["x", words.first().unwrap_or(&"y")]}),
            _ => words.iter().map(|word| word.len() as f64).chain([0.5]).collect(),
        },
        _ if about.name == "embedding_similarity" => json!([words.len(), text.len(), 1]),
        (Family::Retrieval, Input::Reference) if is_ranking => json!([words.first().copied().unwrap_or("a"), "b"]),
        (Family::Retrieval, Input::Output) if is_ranking => json!(words),
        (_, Input::Reference) => match about.name {
            "regex" => json!("a+"),
            "sql_equal" => json!("SELECT 1"),
            "json_match" | "field_completeness" => json!({"a": text}),
            _ => json!(text),
        },
        _ => json!(text),
    }
}

fn case(about: &About, texts: [&str; 2]) -> Case {
    let inputs = about.inputs.iter().chain(about.also);
    inputs.fold(Case::new(), |case, input| {
        case.with(*input, part(about, *input, texts[usize::from(*input == Input::Output)]))
    })
}

fn keeps_the_contract(about: &'static About, texts: [&str; 2]) {
    let measure = Measure::new(about, &Options::new(), None).unwrap();
    let case = case(about, texts);
    let score = measure.score(&case).unwrap_or_else(|problem| panic!("{} of {case:?}: {problem}", about.name));
    assert!(score.value.is_finite(), "{}: {} of {case:?}", about.name, score.value);
    assert!(about.range.holds(score.value), "{}: {} of {case:?} is not in its range", about.name, score.value);
    assert_eq!(measure.score(&case).as_ref(), Ok(&score), "{}: the same again", about.name);
    let good = match about.direction {
        Direction::Higher => score.value >= about.threshold,
        Direction::Lower => score.value <= about.threshold,
    };
    assert_eq!(score.passed, good, "{}: passes by its direction", about.name);
    assert!(!score.reason.is_empty() && !score.reason.contains('\n'), "{}: says why, in a line", about.name);
    for place in &score.evidence {
        let text = case.text(place.input).unwrap_or_default();
        assert!(text.get(place.start..place.end).is_some(), "{}: {place:?} lies in its text", about.name);
    }
}

#[test]
fn every_metric_keeps_the_contract() {
    let texts = prop_oneof![
        2 => "[a-zA-Z ,.!?'0-9-]{0,80}",
        1 => any::<String>(),
        2 => prop::collection::vec(prop::sample::select(vec!["the", "cat", "sat", "on", "mat", "not", "7", "7.5", "ü", "猫"]), 0..30)
            .prop_map(|words| words.join(" ")),
    ];
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(texts.clone(), texts), |(left, right)| {
        for about in registry::ALL {
            keeps_the_contract(about, [&left, &right]);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn empty_texts_are_measured() {
    for about in registry::ALL {
        for texts in [["", ""], ["a cat", ""], ["", "a cat"], [" \n", "\t"]] {
            keeps_the_contract(about, texts);
        }
    }
}

#[test]
fn what_is_missing_is_named() {
    for about in registry::ALL {
        for input in about.inputs {
            let whole = case(about, ["a cat", "a cat"]);
            let problem = Measure::new(about, &Options::new(), None).unwrap().score(&whole.with(*input, Value::Null));
            assert_eq!(problem.unwrap_err().field, input.name(), "{}", about.name);
        }
    }
}

#[test]
fn every_metric_is_documented_and_named_once() {
    let mut names = HashSet::new();
    for about in registry::ALL {
        assert!(about.summary.ends_with('.') && !about.summary.contains('\n'), "{}: {}", about.name, about.summary);
        assert!(about.formula.len() > 20 && about.source.len() > 15, "{} has a formula and a source", about.name);
        for name in about.aliases.iter().chain([&about.name]) {
            assert!(names.insert(*name), "{name} is a name of two");
            assert_eq!(registry::find(name).map(|found| found.name), Some(about.name));
        }
        for option in about.options {
            assert!(!option.doc.is_empty() && !option.default.is_empty(), "{}: {}", about.name, option.name);
        }
    }
    let families: Vec<_> = registry::ALL.iter().map(|about| about.family).collect();
    assert!(families.is_sorted(), "sorted by family");
    for family in registry::ALL.chunk_by(|a, b| a.family == b.family) {
        assert!(family.is_sorted_by_key(|about| about.name.to_lowercase()), "sorted by name");
    }
}

#[test]
fn an_unknown_option_is_told_with_the_nearest() {
    let about = registry::find("bleu").unwrap();
    let problem =
        |name: &str, value: &str| Measure::new(about, &Options::new().with(name, value), None).unwrap_err().to_string();
    assert_eq!(problem("tokenise", "13a"), "option `tokenise`: `bleu` has no such option; did you mean `tokenize`?");
    assert_eq!(problem("tokenize", "v14"), "option `tokenize`: expected one of none, 13a, intl, char, zh, found `v14`");
}
