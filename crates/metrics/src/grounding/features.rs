//! What tells supported answers from others: words, names and numbers that the source doesn't have, words that don't stand together there,
//! negations and opposites that it doesn't have.

use std::collections::HashSet;

use crate::case::Input;
use crate::score::Evidence;

use super::lexicon::Role;
use super::read::{Reader, Word};
use super::source::Source;

/// Words of the source that a sentence is held against.
const STRETCH: usize = 40;
const PREFIXES: [&str; 7] = ["un", "in", "im", "dis", "non", "ir", "il"];

/// The names of the features, in their order.
pub(super) const NAMES: [&str; 21] = [
    "new_words",
    "new_count",
    "new_related",
    "new_names",
    "any_new_name",
    "any_new_number",
    "pairs",
    "known",
    "length",
    "question",
    "first_person",
    "weakest_sentence",
    "sentence_negation",
    "negation_scope",
    "new_polar",
    "lonely_polar",
    "opposite_prefix",
    "new_claims",
    "new_claim_count",
    "company",
    "replaced",
];

/// Numbers, and where they come from.
#[derive(Debug)]
pub(super) struct Features {
    pub(super) values: [f64; NAMES.len()],
    pub(super) evidence: Vec<Evidence>,
    pub(super) sentences: Vec<Sentence>,
}

/// How well one sentence is supported.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sentence {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The share of its words' weight that stands together in the source.
    pub(super) support: f64,
    /// It negates what the source doesn't negate there.
    pub(super) turns: bool,
    /// Names and numbers of its own.
    pub(super) strange: usize,
}

#[derive(Default)]
struct Counts {
    content: f64,
    new: f64,
    related: f64,
    claims: f64,
    new_names: f64,
    new_numbers: f64,
    new_polar: f64,
    lonely_polar: f64,
    opposite: f64,
    scope: f64,
    sentence_negation: f64,
    weakest: f64,
}

/// Holds an answer against a source.
pub(super) fn features(reader: &mut Reader, source: &Source, output: &str) -> Features {
    let words = reader.read(output);
    let mut counts = Counts { weakest: 1.0, ..Counts::default() };
    let mut evidence = Vec::new();
    let mut company = Vec::new();
    for word in &words {
        novelty(reader, source, word, &mut counts, &mut evidence);
    }
    let mut sentences = Vec::new();
    for sentence in words.chunk_by(|a, b| a.sentence == b.sentence) {
        negations(source, sentence, &mut counts, &mut evidence);
        polar(source, sentence, &mut counts);
        companions(source, sentence, &mut company);
        sentences.extend(held(source, sentence, &mut counts));
    }
    evidence.sort_by_key(|place| (place.start, place.end));
    Features { values: values(source, &words, &counts, &company, output), evidence, sentences }
}

fn place(word: &Word, note: &str) -> Evidence {
    Evidence { input: Input::Output, start: word.start, end: word.end, note: note.to_owned() }
}

fn is_strange_number(source: &Source, word: &Word) -> bool {
    let said = |word: &Word| word.number.is_none_or(|number| source.has_number(number));
    // `one` and `zero` are seldom counts.
    !matches!(word.lower.as_str(), "one" | "zero") && !said(word)
}

fn is_strange_name(source: &Source, word: &Word) -> bool {
    word.is_name() && !source.has(word.stem) && !source.lower.contains(&word.lower)
}

fn novelty(reader: &mut Reader, source: &Source, word: &Word, counts: &mut Counts, evidence: &mut Vec<Evidence>) {
    if word.number.is_some() || word.is_digits {
        counts.content += f64::from(u8::from(word.is_digits));
        if is_strange_number(source, word) {
            counts.new_numbers += 1.0;
            evidence.push(place(word, "a number that the context doesn't have"));
        }
        return;
    }
    if is_strange_name(source, word) {
        counts.new_names += 1.0;
        evidence.push(place(word, "a name that the context doesn't have"));
    }
    if !word.is_content() {
        return;
    }
    counts.content += 1.0;
    if source.has(word.stem) {
        return;
    }
    counts.new += 1.0;
    counts.related += f64::from(u8::from(source.has_beginning(&word.lower)));
    counts.claims += f64::from(u8::from(!word.role.is(Role::REPORT)));
    if word.role.is(Role::POLAR) {
        counts.new_polar += 1.0;
        evidence.push(place(word, "the context doesn't say so"));
    }
    let lower = &word.lower;
    let mut known = |other: &str| {
        let stem = reader.stem(other);
        source.has(stem)
    };
    let without =
        PREFIXES.iter().find_map(|prefix| lower.strip_prefix(prefix)).filter(|rest| rest.chars().nth(3).is_some());
    if without.is_some_and(&mut known) || PREFIXES.iter().any(|prefix| known(&format!("{prefix}{lower}"))) {
        counts.opposite += 1.0;
        evidence.push(place(word, "the context has its opposite"));
    }
}

/// Whether what a sentence negates is negated in the source as well.
fn negations(source: &Source, sentence: &[Word], counts: &mut Counts, evidence: &mut Vec<Evidence>) {
    for (at, word) in sentence.iter().enumerate().filter(|(_, word)| word.is_negation()) {
        let behind = sentence.iter().skip(at + 1).filter(|word| word.is_content() && !word.is_negation()).take(2);
        let negated = |word: &Word| {
            let near = |place: &usize| source.negations(place.saturating_sub(4), place + 3) > 0;
            source.places(word.stem).iter().any(near)
        };
        if !behind.into_iter().any(negated) {
            counts.scope += 1.0;
            evidence.push(place(word, "the context doesn't negate this"));
        }
    }
}

/// Whether words with an opposite stand where the source has them.
fn polar(source: &Source, sentence: &[Word], counts: &mut Counts) {
    for (at, word) in sentence.iter().enumerate().filter(|(_, word)| word.role.is(Role::POLAR) && !word.is_negation()) {
        let around = sentence.iter().enumerate().filter(|(other, word)| {
            other.abs_diff(at) <= 3 && *other != at && word.is_content() && !word.is_negation()
        });
        let together = around.into_iter().any(|(_, other)| source.distance(word.stem, other.stem) <= 12);
        counts.lonely_polar += f64::from(u8::from(!together));
    }
}

/// For each word that the source has: how many of its neighbours stand near it there.
fn companions(source: &Source, sentence: &[Word], company: &mut Vec<f64>) {
    let content: Vec<u32> =
        sentence.iter().filter(|word| word.is_content() && !word.is_negation()).map(|word| word.stem).collect();
    for (at, stem) in content.iter().enumerate().filter(|(_, stem)| source.has(**stem)) {
        let around = content.iter().take(at + 4).skip(at.saturating_sub(3));
        let mut others: Vec<u32> = around.filter(|other| *other != stem && source.has(**other)).copied().collect();
        others.sort_unstable();
        others.dedup();
        if !others.is_empty() {
            company.push(source.company(*stem, &others));
        }
    }
}

/// A sentence and the stretch of the source that has most of it; `None` if it says nothing.
fn held(source: &Source, sentence: &[Word], counts: &mut Counts) -> Option<Sentence> {
    let stems: HashSet<u32> = sentence.iter().filter(|word| word.is_content()).map(|word| word.stem).collect();
    if stems.is_empty() {
        return None;
    }
    let (start, support) = source.stretch(&stems, STRETCH);
    counts.weakest = counts.weakest.min(support);
    let negates = sentence.iter().any(Word::is_negation);
    let turns = negates && source.negations(start.saturating_sub(10), start + STRETCH + 10) == 0;
    counts.sentence_negation += f64::from(u8::from(turns));
    let strange =
        sentence.iter().filter(|word| is_strange_number(source, word) || is_strange_name(source, word)).count();
    Some(Sentence { start: sentence.first()?.start, end: sentence.last()?.end, support, turns, strange })
}

fn share(part: f64, whole: f64) -> f64 {
    part / whole.max(1.0)
}

fn values(source: &Source, words: &[Word], counts: &Counts, company: &[f64], output: &str) -> [f64; NAMES.len()] {
    let count = |test: &dyn Fn(&Word) -> bool| words.iter().filter(|word| test(word)).count() as f64;
    let some = |count: f64| f64::from(u8::from(count > 0.0));
    let all = words.len() as f64;
    let stems: Vec<u32> = words.iter().map(|word| word.stem).collect();
    let pairs = stems.windows(2).filter(|run| source.has_pair(run[0], run[1])).count() as f64;
    let replaced = stems.windows(3).filter(|run| !source.has(run[1]) && source.has_gap(run[0], run[2])).count();
    let mean = if company.is_empty() { 1.0 } else { company.iter().sum::<f64>() / company.len() as f64 };
    [
        share(counts.new, counts.content),
        counts.new.min(8.0),
        share(counts.related, counts.content),
        counts.new_names.min(3.0),
        some(counts.new_names),
        some(counts.new_numbers),
        share(pairs, all - 1.0),
        share(count(&|word| source.has(word.stem)), all),
        (1.0 + all).ln(),
        f64::from(u8::from(output.contains(['?', '？']))),
        share(count(&|word| word.role.is(Role::FIRST_PERSON)), all),
        counts.weakest,
        counts.sentence_negation.min(2.0),
        counts.scope.min(2.0),
        counts.new_polar.min(3.0),
        counts.lonely_polar.min(4.0),
        counts.opposite.min(2.0),
        share(counts.claims, counts.content),
        counts.claims.min(6.0),
        mean,
        (replaced as f64).min(3.0),
    ]
}
