//! What a search found, held against the question, the right answer and the given answer: by words, not by meaning.

use std::collections::HashSet;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionDoc, OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::read::{Reader, Word};
use super::source::Source;

pub(super) const COVERAGE: OptionDoc =
    option("coverage", "0.5", "how much of a sentence's words must stand in a text, 0 to 1");
pub(super) const RAGAS: &str =
    "Es et al. 2024 (Ragas), https://aclanthology.org/2024.eacl-demo.16, with words in place of a judge";

macro_rules! context {
    ($name:ident, $judge:path, $text:literal, $aliases:expr, $summary:literal, $formula:literal, $inputs:expr) => {
        pub(crate) static $name: About = About {
            name: $text,
            aliases: $aliases,
            family: Family::Retrieval,
            summary: $summary,
            formula: $formula,
            source: RAGAS,
            inputs: $inputs,
            also: &[],
            range: Range::UNIT,
            direction: Direction::Higher,
            threshold: 0.5,
            options: &[COVERAGE],
            make: |options| make(options, $judge),
        };
    };
}

context!(
    CONTEXT_ENTITY_RECALL,
    entity_recall,
    "context_entity_recall",
    &["context_entities_recall"],
    "How many names and numbers of the right answer the context has.",
    "Share of the reference's different names (by their capitals) and numbers that stand in the context; 1 if there are none. `coverage` doesn't matter.",
    &[Input::Context, Input::Reference]
);
context!(
    CONTEXT_PRECISION,
    precision,
    "context_precision",
    &["context_relevancy_ranked"],
    "Whether the texts that the right answer needs come first.",
    "Mean of precision@i over the places i of the texts that hold at least `coverage` of the words' weight of a sentence of the reference; 0 if none does.",
    &[Input::Context, Input::Reference]
);
context!(
    CONTEXT_RECALL,
    recall,
    "context_recall",
    &[],
    "How much of the right answer the context has.",
    "Share of the reference's sentences of which at least `coverage` of the words' weight, ln(1 + words / occurrences), stands in one text of the context; 1 of \
     no sentence.",
    &[Input::Context, Input::Reference]
);
context!(
    CONTEXT_RELEVANCE,
    relevance,
    "context_relevance",
    &["context_relevancy"],
    "How much of what is asked the best text of the context speaks of.",
    "Highest share of the weight of the question's words that stands in one text; 1 of a question without words. `coverage` doesn't matter.",
    &[Input::Input, Input::Context]
);
context!(
    CONTEXT_UTILISATION,
    utilisation,
    "context_utilisation",
    &["context_utilization"],
    "How many texts of the context the answer uses.",
    "Share of the texts that hold at least `coverage` of the words' weight of a sentence of the answer, and as much as any other text.",
    &[Input::Context, Input::Output]
);

pub(super) type Judge = fn(&Case, f64) -> Result<Outcome, Problem>;

pub(super) fn make(options: &Options, judge: Judge) -> Result<Box<dyn Metric>, OptionProblem> {
    let coverage = coverage(options)?;
    Ok(Box::new(move |case: &Case| judge(case, coverage)))
}

/// How much of a sentence must stand somewhere.
pub(super) fn coverage(options: &Options) -> Result<f64, OptionProblem> {
    let coverage = options.number("coverage", 0.5)?;
    let problem = || OptionProblem::new("coverage", format!("expected 0 to 1, found {coverage}"));
    if (0.0..=1.0).contains(&coverage) { Ok(coverage) } else { Err(problem()) }
}

/// A sentence, and how much of it each of some texts holds.
pub(super) struct Held {
    /// In which of the texts that were read it stands, and where there.
    pub(super) text: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    /// By text: the share of its words' weight.
    pub(super) shares: Vec<f64>,
}

impl Held {
    /// The share that the best text holds.
    pub(super) fn most(&self) -> f64 {
        most(&self.shares)
    }
}

/// For each sentence of some texts: how much of it each part holds. Sentences without words that say something are left out.
pub(super) fn sentences_in(parts: &[&str], texts: &[&str]) -> Vec<Held> {
    let mut reader = Reader::default();
    let source = Source::new(&mut reader, parts);
    let stems = |words: &[Word]| -> HashSet<u32> { words.iter().map(|word| word.stem).collect() };
    let parts: Vec<HashSet<u32>> = parts.iter().map(|text| stems(&reader.read(text))).collect();
    let mut sentences = Vec::new();
    for (text, written) in texts.iter().enumerate() {
        for sentence in reader.read(written).chunk_by(|a, b| a.sentence == b.sentence) {
            let mut content: Vec<u32> =
                sentence.iter().filter(|word| word.is_content()).map(|word| word.stem).collect();
            content.sort_unstable();
            content.dedup();
            let weight = |stem: &&u32| source.weight(**stem);
            let all: f64 = content.iter().map(|stem| weight(&stem)).sum();
            if let (Some(first), Some(last), true) = (sentence.first(), sentence.last(), all > 0.0) {
                let share = |part: &HashSet<u32>| {
                    content.iter().filter(|stem| part.contains(stem)).map(|stem| weight(&stem)).sum::<f64>() / all
                };
                let shares = parts.iter().map(share).collect();
                sentences.push(Held { text, start: first.start, end: last.end, shares });
            }
        }
    }
    sentences
}

/// For each sentence of a part of the case: how much of it each text of the context holds.
fn held(case: &Case, input: Input) -> Result<Vec<Vec<f64>>, Problem> {
    let (context, texts) = (case.texts(Input::Context)?, case.texts(input)?);
    Ok(sentences_in(&context, &texts).into_iter().map(|sentence| sentence.shares).collect())
}

fn most(shares: &[f64]) -> f64 {
    shares.iter().copied().fold(0.0, f64::max)
}

fn recall(case: &Case, coverage: f64) -> Result<Outcome, Problem> {
    let sentences = held(case, Input::Reference)?;
    let found = sentences.iter().filter(|shares| most(shares) >= coverage).count();
    let value = if sentences.is_empty() { 1.0 } else { found as f64 / sentences.len() as f64 };
    Ok(Outcome::new(value, format!("{found} of {} sentences are in the context", sentences.len())))
}

fn precision(case: &Case, coverage: f64) -> Result<Outcome, Problem> {
    let sentences = held(case, Input::Reference)?;
    let texts = case.texts(Input::Context)?.len();
    let (mut needed, mut sum) = (0_u32, 0.0);
    for at in 0..texts {
        if sentences.iter().any(|shares| shares[at] >= coverage) {
            needed += 1;
            sum += f64::from(needed) / (at as f64 + 1.0);
        }
    }
    let value = if needed == 0 { 0.0 } else { sum / f64::from(needed) };
    Ok(Outcome::new(value, format!("{needed} of {texts} texts are needed")))
}

fn relevance(case: &Case, _: f64) -> Result<Outcome, Problem> {
    let sentences = held(case, Input::Input)?;
    let texts = case.texts(Input::Context)?.len();
    if sentences.is_empty() {
        return Ok(Outcome::new(1.0, "nothing is asked"));
    }
    let mean = |at: usize| sentences.iter().map(|shares| shares[at]).sum::<f64>() / sentences.len() as f64;
    let best = (0..texts)
        .map(mean)
        .enumerate()
        .fold((0, 0.0), |best, (at, value)| if value > best.1 { (at, value) } else { best });
    Ok(Outcome::new(best.1, format!("text {} speaks most of it", best.0 + 1)))
}

fn utilisation(case: &Case, coverage: f64) -> Result<Outcome, Problem> {
    let sentences = held(case, Input::Output)?;
    let texts = case.texts(Input::Context)?.len();
    let used = |at: &usize| sentences.iter().any(|shares| shares[*at] >= coverage && shares[*at] >= most(shares));
    let count = (0..texts).filter(used).count();
    Ok(Outcome::new(count as f64 / texts.max(1) as f64, format!("{count} of {texts} texts are used")))
}

fn entity_recall(case: &Case, _: f64) -> Result<Outcome, Problem> {
    let mut reader = Reader::default();
    let context = case.texts(Input::Context)?;
    let source = Source::new(&mut reader, &context);
    let words: Vec<Word> = case.texts(Input::Reference)?.iter().flat_map(|text| reader.read(text)).collect();
    let mut seen = HashSet::new();
    let wanted: Vec<&Word> = words
        .iter()
        .filter(|word| (word.is_name() || word.is_digits) && seen.insert((word.stem, word.number)))
        .collect();
    let known = |word: &&&Word| word.number.is_some_and(|number| source.has_number(number)) || source.has(word.stem);
    let found = wanted.iter().filter(known).count();
    let value = if wanted.is_empty() { 1.0 } else { found as f64 / wanted.len() as f64 };
    Ok(Outcome::new(value, format!("{found} of {} names and numbers are in the context", wanted.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};

    #[test]
    fn of_three_texts() {
        let case = Case::new()
            .with(
                Input::Context,
                vec!["Pigs are farm animals.", "The tower of Pisa leans by 4 degrees.", "The tower was built in 1173."],
            )
            .with(Input::Input, "When was the tower built?")
            .with(
                Input::Reference,
                "The tower was built in 1173. It leans by 4 degrees. Galileo dropped balls from it.",
            )
            .with(Input::Output, "It was built in 1173.");
        let value = |about| value_with(about, &Options::new(), &case);
        near(value(&CONTEXT_RECALL), 2.0 / 3.0);
        near(value(&CONTEXT_PRECISION), (1.0 / 2.0 + 2.0 / 3.0) / 2.0);
        near(value(&CONTEXT_RELEVANCE), 1.0);
        near(value(&CONTEXT_UTILISATION), 1.0 / 3.0);
        // Of 1173 and 4; `Galileo` opens a sentence, where a capital says nothing.
        near(value(&CONTEXT_ENTITY_RECALL), 1.0);
    }
}
