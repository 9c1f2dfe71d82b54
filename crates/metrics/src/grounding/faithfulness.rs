//! One figure for a whole answer: a small logistic model over what was counted.

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem, affordable};
use crate::score::Outcome;

use super::features::{self as counted, Features, NAMES};
use super::read::Reader;
use super::source::Source;
use super::weights::{BIAS, WEIGHTS};

const FORMULA: &str = "1 / (1 + e^−z), z = bias + Σ weight · feature; 21 features: shares of new words, names and numbers, of pairs of \
                       words that the source has, of neighbours that stand together there, negations and words with an opposite that it \
                       doesn't have, the answer's length and first person. English; without a model of language, so true paraphrases may \
                       look new and false statements in the source's own words supported. An answer without words is 1.";
const SOURCE: &str = "Signalbox's own; fitted on SummEdits (Laban et al. 2023, https://aclanthology.org/2023.emnlp-main.600, Apache-2.0) and BEGIN \
                      (Dziri et al. 2022, https://aclanthology.org/2022.tacl-1.62, CC BY 4.0) with bench/metrics/fit.py";

pub(crate) static FAITHFULNESS: About = About {
    name: "faithfulness",
    aliases: &["groundedness", "factual_consistency"],
    family: Family::Grounding,
    summary: "How likely all that the answer says is supported by the context.",
    formula: FORMULA,
    source: SOURCE,
    inputs: &[Input::Context, Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 0.5,
    options: &[],
    make: |_| Ok(Box::new(|case: &Case| measure(case, false))),
};

pub(crate) static HALLUCINATION: About = About {
    name: "hallucination",
    aliases: &["hallucination_score"],
    family: Family::Grounding,
    summary: "How likely the answer says something that the context doesn't support.",
    formula: "1 − faithfulness of the same answer; 0 of an answer without words.",
    source: SOURCE,
    inputs: &[Input::Context, Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Lower,
    threshold: 0.5,
    options: &[],
    make: |_| Ok(Box::new(|case: &Case| measure(case, true))),
};

/// Bytes of the answer times words of the context: about a second.
const MOST_COMPARISONS: usize = 4_000_000_000;

/// What the model looks at, by name: for fitting it and for explaining a score.
///
/// # Errors
/// The case has no context or no output.
pub fn features(case: &Case) -> Result<Vec<(&'static str, f64)>, Problem> {
    let found = found(case)?;
    Ok(NAMES.into_iter().zip(found.values).collect())
}

/// The answer held against the context.
pub(super) fn found(case: &Case) -> Result<Features, Problem> {
    let context = case.texts(Input::Context)?;
    let output = case.text(Input::Output)?;
    let mut reader = Reader::default();
    let source = Source::new(&mut reader, &context);
    affordable(Input::Output, output.len(), source.words.len(), MOST_COMPARISONS)?;
    Ok(counted::features(&mut reader, &source, output))
}

fn measure(case: &Case, inverse: bool) -> Result<Outcome, Problem> {
    let found = found(case)?;
    let probability = if found.sentences.is_empty() { 1.0 } else { probability(&found) };
    let value = if inverse { 1.0 - probability } else { probability };
    let mut notes: Vec<&str> = found.evidence.iter().map(|place| place.note.as_str()).collect();
    notes.sort_unstable();
    let told: Vec<String> =
        notes.chunk_by(|a, b| a == b).filter_map(|run| Some(format!("{} × {}", run.len(), run.first()?))).collect();
    let known = found.values[0];
    let mut reason = format!("{:.0} % of its words are in the context", 100.0 * (1.0 - known));
    if found.sentences.is_empty() {
        "the answer says nothing".clone_into(&mut reason);
    }
    for note in told {
        reason.push_str("; ");
        reason.push_str(&note);
    }
    Ok(Outcome { value, reason, evidence: found.evidence })
}

fn probability(found: &Features) -> f64 {
    let sum: f64 = found.values.iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    1.0 / (1.0 + (-(BIAS + sum)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};
    use crate::options::Options;

    const CONTEXT: &str = "Ada Lovelace was born in London in 1815. She wrote the first program for Babbage's machine, which was never built. \
                           The committee approved the budget of 3,000 pounds after a long debate.";

    fn outcome(output: &str) -> Outcome {
        measure(&Case::new().with(Input::Context, CONTEXT).with(Input::Output, output), false).unwrap()
    }

    #[test]
    fn what_the_context_says_scores_higher_than_what_it_does_not() {
        let said = outcome("Ada Lovelace was born in London in 1815.").value;
        assert!(said > 0.5, "{said}");
        for other in [
            "Ada Lovelace was born in Paris in 1815.",
            "Ada Lovelace was born in London in 1851.",
            "Ada Lovelace was not born in London.",
            "I think she was a wonderful painter, wow!",
        ] {
            let value = outcome(other).value;
            assert!(value < said, "{other}: {value} against {said}");
        }
        let low = outcome("I think she was a wonderful painter and sailed to Egypt in 1920!").value;
        assert!(low < 0.5, "{low}");
    }

    #[test]
    fn it_shows_what_is_strange() {
        let output = "Ada was born in Paris in 1851.";
        let places: Vec<_> =
            outcome(output).evidence.into_iter().map(|place| output.get(place.start..place.end)).collect();
        assert_eq!(places, [Some("Paris"), Some("1851")]);
    }

    #[test]
    fn nothing_said_is_nothing_wrong() {
        near(outcome("").value, 1.0);
        let case = Case::new().with(Input::Context, "").with(Input::Output, "Ada was born in London.");
        assert!(value_with(&FAITHFULNESS, &Options::new(), &case) < 0.5);
        near(
            value_with(&HALLUCINATION, &Options::new(), &case),
            1.0 - value_with(&FAITHFULNESS, &Options::new(), &case),
        );
    }

    #[test]
    fn a_long_answer_takes_no_quadratic_time() {
        let case = Case::new()
            .with(Input::Context, "the same word again ".repeat(10_000))
            .with(Input::Output, "the same word not again ".repeat(4_000));
        let began = std::time::Instant::now();
        measure(&case, false).unwrap();
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}
