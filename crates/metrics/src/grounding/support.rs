//! Sentence by sentence: which of them the context supports, which it doesn't, and names and numbers by themselves.

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Evidence, Metric, Outcome};

use super::context::coverage;
use super::faithfulness::found;
use super::features::Sentence;
use super::read::{Reader, Word};
use super::source::Source;

const OURS: &str = "Signalbox's own; the question is that of Es et al. 2024 (Ragas), https://aclanthology.org/2024.eacl-demo.16, answered without a model";

pub(crate) static CLAIM_SUPPORT: About = About {
    name: "claim_support",
    aliases: &["supported_claims"],
    family: Family::Grounding,
    summary: "How many of the answer's sentences the context supports.",
    formula: "Share of the sentences of which at least `coverage` of the words' weight, ln(1 + words / occurrences), stands within 40 words of the \
              context, without a name or number that it doesn't have and without a negation that isn't there. 1 of no sentence.",
    source: OURS,
    inputs: &[Input::Context, Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 0.8,
    options: &[option("coverage", "0.5", "how much of a sentence must stand in the context, 0 to 1")],
    make: |options| sentences(options, Count::Supported),
};

pub(crate) static CONTRADICTION: About = About {
    name: "contradiction",
    aliases: &["contradiction_detection"],
    family: Family::Grounding,
    summary: "How many of the answer's sentences turn round what the context says.",
    formula: "Share of the sentences that stand in the context by `coverage` of their words' weight, but negate where it doesn't, or have another \
              number or name. 0 of no sentence. Opposites that are other words are not seen.",
    source: OURS,
    inputs: &[Input::Context, Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Lower,
    threshold: 0.0,
    options: &[option("coverage", "0.5", "how much of a sentence must stand in the context, 0 to 1")],
    make: |options| sentences(options, Count::Turned),
};

pub(crate) static ENTITY_CONSISTENCY: About = About {
    name: "entity_consistency",
    aliases: &["named_entity_consistency"],
    family: Family::Grounding,
    summary: "How many of the answer's names the context has.",
    formula: "Share of the words with a capital that open no sentence and stand in the context, in any form of the word; 1 if there are none.",
    source: "Nan et al. 2021 (entity precision), https://aclanthology.org/2021.eacl-main.235; names by their capitals",
    inputs: &[Input::Context, Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[],
    make: |_| {
        Ok(Box::new(|case: &Case| {
            words(
                case,
                Word::is_name,
                &|source, word| source.has(word.stem) || source.lower.contains(&word.lower),
                "names",
            )
        }))
    },
};

pub(crate) static NUMERIC_CONSISTENCY: About = About {
    name: "numeric_consistency",
    aliases: &["number_consistency"],
    family: Family::Grounding,
    summary: "How many of the answer's numbers the context has.",
    formula: "Share of the numbers, in digits or in English words from two to twenty, whose value stands in the context; 1 if there are none. Sums and \
              roundings are not seen.",
    source: "Zhao et al. 2020 (quantity hallucination), https://aclanthology.org/2020.findings-emnlp.203",
    inputs: &[Input::Context, Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[],
    make: |_| {
        let counted = |word: &Word| word.number.is_some() && !matches!(word.lower.as_str(), "zero" | "one");
        let known = |source: &Source, word: &Word| word.number.is_some_and(|number| source.has_number(number));
        Ok(Box::new(move |case: &Case| words(case, counted, &known, "numbers")))
    },
};

#[derive(Debug, Clone, Copy)]
enum Count {
    Supported,
    Turned,
}

fn sentences(options: &Options, count: Count) -> Result<Box<dyn Metric>, OptionProblem> {
    let coverage = coverage(options)?;
    Ok(Box::new(move |case: &Case| {
        let found = found(case)?.sentences;
        let held = |sentence: &Sentence| sentence.support >= coverage;
        let odd = |sentence: &Sentence| sentence.turns || sentence.strange > 0;
        let (bad, note): (Vec<&Sentence>, _) = match count {
            Count::Supported => (found.iter().filter(|one| !held(one) || odd(one)).collect(), "not supported"),
            Count::Turned => (found.iter().filter(|one| held(one) && odd(one)).collect(), "turned round"),
        };
        let share = bad.len() as f64 / found.len().max(1) as f64;
        let evidence = bad.iter().map(|sentence| Evidence {
            input: Input::Output,
            start: sentence.start,
            end: sentence.end,
            note: note.to_owned(),
        });
        let value = match count {
            Count::Supported => 1.0 - share,
            Count::Turned => share,
        };
        let reason = format!("{} of {} sentences are {note}", bad.len(), found.len());
        Ok(Outcome { value, reason, evidence: evidence.collect() })
    }))
}

fn words(
    case: &Case,
    counted: impl Fn(&Word) -> bool,
    known: &dyn Fn(&Source, &Word) -> bool,
    what: &str,
) -> Result<Outcome, Problem> {
    let context = case.texts(Input::Context)?;
    let output = case.text(Input::Output)?;
    let mut reader = Reader::default();
    let source = Source::new(&mut reader, &context);
    let found: Vec<Word> = reader.read(output).into_iter().filter(counted).collect();
    let strange: Vec<&Word> = found.iter().filter(|word| !known(&source, word)).collect();
    let value = if found.is_empty() { 1.0 } else { 1.0 - strange.len() as f64 / found.len() as f64 };
    let evidence = strange.iter().map(|word| Evidence {
        input: Input::Output,
        start: word.start,
        end: word.end,
        note: "the context doesn't have it".to_owned(),
    });
    let reason = format!("{} of {} {what} are not in the context", strange.len(), found.len());
    Ok(Outcome { value, reason, evidence: evidence.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};

    fn check(about: &'static About, output: &str, expected: f64) {
        let context =
            vec!["The board met in Lyon on 3 May and approved the budget.", "Sales rose by 4.5 % to 1,200 units."];
        let case = Case::new().with(Input::Context, context).with(Input::Output, output);
        near(value_with(about, &Options::new(), &case), expected);
    }

    #[test]
    fn sentence_by_sentence() {
        let output = "The board met in Lyon. It did not approve the budget. Pigs fly over green hills.";
        check(&CLAIM_SUPPORT, output, 1.0 / 3.0);
        check(&CONTRADICTION, output, 1.0 / 3.0);
        check(&CLAIM_SUPPORT, "", 1.0);
        check(&CONTRADICTION, "The board met in Paris and approved the budget.", 1.0);
    }

    #[test]
    fn names_and_numbers() {
        check(&ENTITY_CONSISTENCY, "the Board, Lyon and Paris", 2.0 / 3.0);
        check(&NUMERIC_CONSISTENCY, "1200 units, up 4.5 % or 5, on the third: three", 3.0 / 4.0);
        check(&NUMERIC_CONSISTENCY, "none", 1.0);
    }
}
