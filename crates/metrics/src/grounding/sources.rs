//! What an answer makes of the texts that a search found: whether it falls for the wrong ones, joins all that it needs, and
//! says rightly where it has things from. By words, not by meaning.

use std::collections::HashSet;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Evidence, Metric, Outcome};
use crate::structure::citations::marks;

use super::context::{COVERAGE, Held, RAGAS, coverage, make, sentences_in};
use super::read::{Reader, Word};
use super::source::Source;

pub(crate) static MULTI_HOP: About = About {
    name: "multi_hop",
    aliases: &["multi_hop_reasoning", "hop_coverage"],
    family: Family::Retrieval,
    summary: "How many of the texts that the right answer joins the given answer draws on, too.",
    formula: "The texts that the reference joins: one by one the text that holds most of the weight of the \
              reference's words that none before holds, while that is at least a tenth. Share of these of whose \
              words the answer has at least `coverage`; 1 if there are none.",
    source: "Yang et al. 2018 (HotpotQA, supporting facts), https://aclanthology.org/D18-1259, with words in place \
             of annotation",
    inputs: &[Input::Context, Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[COVERAGE],
    make: |options| make(options, multi_hop),
};

pub(crate) static NOISE_SENSITIVITY: About = About {
    name: "noise_sensitivity",
    aliases: &["context_noise_sensitivity"],
    family: Family::Retrieval,
    summary: "How much of the answer is wrong because a text of the context misled it.",
    formula: "Share of the answer's sentences that the reference doesn't hold by `coverage` of their words' weight, \
              or that have a number which it doesn't have, and that a text of the context holds. Texts are relevant \
              if they hold a sentence of the reference; irrelevant counts sentences that only the others hold.",
    source: RAGAS,
    inputs: &[Input::Context, Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Lower,
    threshold: 0.2,
    options: &[COVERAGE, option("mode", "any", "texts that mislead: any, relevant or irrelevant")],
    make: noise,
};

pub(crate) static SOURCE_ATTRIBUTION: About = About {
    name: "source_attribution",
    aliases: &["attribution", "citation_support"],
    family: Family::Retrieval,
    summary: "How many of the answer's sentences name a text of the context that says so.",
    formula: "Share of the sentences with a mark, such as [1] or [2, 3], that names a text which holds at least \
              `coverage` of their words' weight. A mark belongs to the sentence before it. 1 of no sentence.",
    source: "Gao et al. 2023 (ALCE, citation recall), https://aclanthology.org/2023.emnlp-main.398, with words in \
             place of a model",
    inputs: &[Input::Context, Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 0.8,
    options: &[COVERAGE],
    make: |options| make(options, attribution),
};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Any,
    Relevant,
    Irrelevant,
}

fn noise(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let modes = [("any", Mode::Any), ("relevant", Mode::Relevant), ("irrelevant", Mode::Irrelevant)];
    let mode = options.choice("mode", &modes, Mode::Any)?;
    let coverage = coverage(options)?;
    Ok(Box::new(move |case: &Case| misled(case, coverage, mode)))
}

fn misled(case: &Case, coverage: f64, mode: Mode) -> Result<Outcome, Problem> {
    let (context, reference) = (case.texts(Input::Context)?, case.texts(Input::Reference)?);
    let output = case.text(Input::Output)?;
    let right = sentences_in(&context, &reference);
    let is_relevant = |text: usize| right.iter().any(|sentence| sentence.shares[text] >= coverage);
    let relevant: Vec<bool> = (0..context.len()).map(is_relevant).collect();
    let strange = strange_numbers(&reference, output);
    // The same sentences of the answer, held against the one and the other.
    let by_reference = sentences_in(&[&reference.join("\n")], &[output]);
    let wrong = |sentence: &Held| {
        let known = by_reference.iter().find(|other| other.start == sentence.start).map_or(0.0, Held::most);
        known < coverage || strange.iter().any(|at| (sentence.start..sentence.end).contains(at))
    };
    let misled = |sentence: &Held| {
        let by =
            |kind: bool| sentence.shares.iter().zip(&relevant).any(|(share, is)| *share >= coverage && *is == kind);
        match mode {
            Mode::Any => by(true) || by(false),
            Mode::Relevant => by(true),
            Mode::Irrelevant => by(false) && !by(true),
        }
    };
    let sentences = sentences_in(&context, &[output]);
    let bad: Vec<&Held> = sentences.iter().filter(|sentence| wrong(sentence) && misled(sentence)).collect();
    let value = bad.len() as f64 / sentences.len().max(1) as f64;
    let reason = format!("{} of {} sentences are wrong and in the context", bad.len(), sentences.len());
    let evidence = bad.into_iter().map(|sentence| place(sentence, "wrong, but in the context")).collect();
    Ok(Outcome { value, reason, evidence })
}

/// Where the answer has numbers that the reference doesn't have.
fn strange_numbers(reference: &[&str], output: &str) -> Vec<usize> {
    let mut reader = Reader::default();
    let source = Source::new(&mut reader, reference);
    let is_strange = |word: &Word| word.is_digits && word.number.is_some_and(|number| !source.has_number(number));
    reader.read(output).iter().filter(|word| is_strange(word)).map(|word| word.start).collect()
}

fn place(sentence: &Held, note: &str) -> Evidence {
    Evidence { input: Input::Output, start: sentence.start, end: sentence.end, note: note.to_owned() }
}

fn multi_hop(case: &Case, coverage: f64) -> Result<Outcome, Problem> {
    /// A text that adds less is none that is needed.
    const LEAST: f64 = 0.1;
    let (context, reference) = (case.texts(Input::Context)?, case.texts(Input::Reference)?);
    let mut reader = Reader::default();
    let source = Source::new(&mut reader, &context);
    let mut stems = |text: &str| -> HashSet<u32> {
        reader.read(text).iter().filter(|word| word.is_content()).map(|word| word.stem).collect()
    };
    let parts: Vec<HashSet<u32>> = context.iter().map(|text| stems(text)).collect();
    let answer = stems(case.text(Input::Output)?);
    let mut open: Vec<u32> = reference.iter().flat_map(|text| stems(text)).collect();
    // Sums of fractions depend on their order, and that of a set is another each time.
    open.sort_unstable();
    open.dedup();
    let weight = |stems: &[u32]| stems.iter().map(|stem| source.weight(*stem)).sum::<f64>();
    let all = weight(&open);
    let (mut needed, mut used, mut missing) = (0, 0, None);
    while all > 0.0 && needed < parts.len() {
        let held = |part: &HashSet<u32>| open.iter().copied().filter(|stem| part.contains(stem)).collect::<Vec<_>>();
        let gains = parts.iter().map(|part| weight(&held(part))).enumerate();
        let best = gains.fold((0, 0.0), |best, gain| if gain.1 > best.1 { gain } else { best });
        if best.1 < LEAST * all {
            break;
        }
        let facts = held(&parts[best.0]);
        let said: Vec<u32> = facts.iter().copied().filter(|stem| answer.contains(stem)).collect();
        needed += 1;
        if weight(&said) >= coverage * best.1 {
            used += 1;
        } else {
            missing = missing.or(Some(best.0 + 1));
        }
        open.retain(|stem| !facts.contains(stem));
    }
    let value = if needed == 0 { 1.0 } else { f64::from(used) / needed as f64 };
    let told = missing.map_or(String::new(), |text| format!("; text {text} isn't"));
    Ok(Outcome::new(value, format!("{used} of {needed} texts that the reference joins are drawn on{told}")))
}

fn attribution(case: &Case, coverage: f64) -> Result<Outcome, Problem> {
    let context = case.texts(Input::Context)?;
    let output = case.text(Input::Output)?;
    let marks = marks(output);
    // The numbers in marks are no words of the sentence.
    let mut plain = output.to_owned();
    for mark in &marks {
        plain.replace_range(mark.start..mark.end, &" ".repeat(mark.end - mark.start));
    }
    let sentences = sentences_in(&context, &[&plain]);
    let mut named: Vec<Vec<usize>> = vec![Vec::new(); sentences.len()];
    for mark in marks {
        let before = sentences.partition_point(|sentence| sentence.start < mark.start);
        if let Some(named) = named.get_mut(before.saturating_sub(1)) {
            named.extend(mark.numbers);
        }
    }
    let supported = |sentence: &Held, named: &[usize]| {
        named.iter().any(|number| {
            number.checked_sub(1).and_then(|at| sentence.shares.get(at)).is_some_and(|share| *share >= coverage)
        })
    };
    let bad: Vec<&Held> = sentences
        .iter()
        .zip(&named)
        .filter(|(sentence, named)| !supported(sentence, named))
        .map(|pair| pair.0)
        .collect();
    let value = 1.0 - bad.len() as f64 / sentences.len().max(1) as f64;
    let reason = format!("{} of {} sentences name no text that says so", bad.len(), sentences.len());
    let evidence = bad.into_iter().map(|sentence| place(sentence, "no named text says so")).collect();
    Ok(Outcome { value, reason, evidence })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};

    fn case(output: &str) -> Case {
        Case::new()
            .with(
                Input::Context,
                vec![
                    "The film Alien was directed by Ridley Scott.",
                    "Ridley Scott was born in South Shields in 1937.",
                    "The film Aliens was directed by James Cameron in 1986.",
                ],
            )
            .with(Input::Reference, "Alien was directed by Ridley Scott, who was born in South Shields in 1937.")
            .with(Input::Output, output)
    }

    fn check(about: &'static About, options: &Options, output: &str, expected: f64) {
        near(value_with(about, options, &case(output)), expected);
    }

    #[test]
    fn hops() {
        let none = Options::new();
        check(&MULTI_HOP, &none, "Ridley Scott, the director of the film Alien, comes from South Shields.", 1.0);
        check(&MULTI_HOP, &none, "The film Alien was directed by Ridley Scott.", 0.5);
        check(&MULTI_HOP, &none, "I don't know.", 0.0);
    }

    #[test]
    fn noise_that_misleads() {
        let mode = |mode: &str| Options::new().with("mode", mode);
        let wrong = "Ridley Scott was born in South Shields. James Cameron directed Aliens in 1986.";
        check(&NOISE_SENSITIVITY, &Options::new(), wrong, 0.5);
        check(&NOISE_SENSITIVITY, &mode("irrelevant"), wrong, 0.5);
        check(&NOISE_SENSITIVITY, &mode("relevant"), wrong, 0.0);
        check(&NOISE_SENSITIVITY, &Options::new(), "Ridley Scott was born in South Shields in 1937.", 0.0);
        check(&NOISE_SENSITIVITY, &Options::new(), "Ridley Scott was born in South Shields in 1986.", 1.0);
        check(&NOISE_SENSITIVITY, &Options::new(), "", 0.0);
    }

    #[test]
    fn marks_that_say_so() {
        let none = Options::new();
        check(
            &SOURCE_ATTRIBUTION,
            &none,
            "Alien was directed by Ridley Scott [1]. He was born in South Shields. [2]",
            1.0,
        );
        check(
            &SOURCE_ATTRIBUTION,
            &none,
            "Alien was directed by Ridley Scott. He was born in South Shields [1, 3].",
            0.0,
        );
        check(&SOURCE_ATTRIBUTION, &none, "Ridley Scott was born in 1937 [9].", 0.0);
        check(&SOURCE_ATTRIBUTION, &none, "", 1.0);
    }
}
