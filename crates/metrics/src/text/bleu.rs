//! BLEU, as sacreBLEU computes it for a sentence.

use std::borrow::Cow;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::ngrams::Runs;
use super::tokenise::{NAMES, Tokeniser};
use super::words::{Words, split, trim_end};

/// The release of sacreBLEU whose results these are.
pub(super) const SACREBLEU: &str = "2.6.0";
const ORDER: usize = 4;
const WORD_BITS: u32 = 32;

pub(crate) static BLEU: About = About {
    name: "bleu",
    aliases: &["bleu_score", "sentence_bleu", "sacrebleu"],
    family: Family::Text,
    summary: "How many runs of up to four words the answer shares with a reference.",
    formula: "100 · BP · exp(mean of ln pₙ for n = 1…4); pₙ: share of the answer's n-grams that occur in a reference, each \
              counted at most as often as there; BP = exp(1 − r/c) if the answer (c words) is shorter than the reference \
              nearest in length (r words). Of one sentence the mean goes over the orders that it is long enough for.",
    source: "Papineni et al. 2002, https://aclanthology.org/P02-1040; Post 2018 (sacreBLEU 2.6), \
             https://aclanthology.org/W18-6319; smoothing: Chen and Cherry 2014, https://aclanthology.org/W14-3346",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::PERCENT,
    direction: Direction::Higher,
    threshold: 30.0,
    options: &[
        option("tokenize", "13a", "13a, intl, char, zh or none"),
        option("smooth", "exp", "exp, floor, add-k or none: what stands for a precision of 0"),
        option("smooth_value", "0.1 of floor, 1 of add-k", "how much is added"),
        option("lowercase", "false", "leave case aside"),
        option("effective_order", "true", "leave out orders that the answer is too short for"),
    ],
    make,
};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Smooth {
    None,
    Floor,
    AddK,
    Exp,
}

struct Bleu {
    tokeniser: Tokeniser,
    smooth: Smooth,
    amount: f64,
    lowercase: bool,
    effective_order: bool,
}

fn make(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let methods = [("none", Smooth::None), ("floor", Smooth::Floor), ("add-k", Smooth::AddK), ("exp", Smooth::Exp)];
    let smooth = options.choice("smooth", &methods, Smooth::Exp)?;
    let usual = if smooth == Smooth::Floor { 0.1 } else { 1.0 };
    let amount = options.number("smooth_value", usual)?;
    if amount < 0.0 {
        return Err(OptionProblem::new("smooth_value", format!("expected 0 or more, found {amount}")));
    }
    Ok(Box::new(Bleu {
        tokeniser: options.choice("tokenize", NAMES, Tokeniser::V13a)?,
        smooth,
        amount,
        lowercase: options.flag("lowercase", false)?,
        effective_order: options.flag("effective_order", true)?,
    }))
}

/// What is counted: by order, runs that are right and all of them; the lengths.
struct Counts {
    right: [usize; ORDER],
    all: [usize; ORDER],
    length: usize,
    reference: usize,
}

impl Metric for Bleu {
    fn measure(&self, case: &Case) -> Result<Outcome, Problem> {
        let references = case.texts(Input::Reference)?;
        let output = self.prepare(case.text(Input::Output)?);
        let prepared: Vec<_> = references.iter().map(|text| self.prepare(text)).collect();
        let counts = count(&output, &prepared);
        let (value, precisions, brevity) = self.score(&counts);
        let [one, two, three, four] = precisions;
        let reason = format!(
            "{one:.1}/{two:.1}/{three:.1}/{four:.1} (BP = {brevity:.3}, {} of {} words); {}",
            counts.length,
            counts.reference,
            self.signature(references.len())
        );
        Ok(Outcome::new(value, reason))
    }
}

impl Bleu {
    fn prepare(&self, text: &str) -> String {
        let text = trim_end(text);
        if self.lowercase { self.tokeniser.apply(&text.to_lowercase()) } else { self.tokeniser.apply(text) }
    }

    /// What must be told with a score, so that others can compare.
    fn signature(&self, references: usize) -> String {
        let case = if self.lowercase { "lc" } else { "mixed" };
        let effective = if self.effective_order { "yes" } else { "no" };
        let smooth = match self.smooth {
            Smooth::None => Cow::Borrowed("none"),
            Smooth::Exp => Cow::Borrowed("exp"),
            Smooth::Floor => Cow::Owned(format!("floor[{:.2}]", self.amount)),
            Smooth::AddK => Cow::Owned(format!("add-k[{:.2}]", self.amount)),
        };
        format!(
            "nrefs:{references}|case:{case}|eff:{effective}|tok:{}|smooth:{smooth}|version:{SACREBLEU}",
            self.tokeniser.name()
        )
    }

    fn score(&self, counts: &Counts) -> (f64, [f64; ORDER], f64) {
        let (length, reference) = (counts.length as f64, counts.reference as f64);
        let brevity = match counts.length {
            0 if counts.reference > 0 => 0.0,
            short if short < counts.reference => (1.0 - reference / length).exp(),
            _ => 1.0,
        };
        let mut precisions = [0.0; ORDER];
        if counts.right.iter().all(|right| *right == 0) {
            return (0.0, precisions, brevity);
        }
        let (mut order, mut halves) = (ORDER, 1.0);
        for (n, precision) in precisions.iter_mut().enumerate() {
            let more = if self.smooth == Smooth::AddK && n > 0 { self.amount } else { 0.0 };
            let right = counts.right[n] as f64 + more;
            let all = counts.all[n] as f64 + more;
            if all == 0.0 {
                break;
            }
            if self.effective_order {
                order = n + 1;
            }
            *precision = match self.smooth {
                _ if right > 0.0 => 100.0 * right / all,
                Smooth::Exp => {
                    halves *= 2.0;
                    100.0 / (halves * all)
                }
                Smooth::Floor => 100.0 * self.amount / all,
                Smooth::None | Smooth::AddK => 0.0,
            };
        }
        // As published: the logarithm of nothing is very small, not minus infinity.
        let logarithm = |p: &f64| if *p == 0.0 { -9_999_999_999.0 } else { p.ln() };
        let mean = precisions.iter().take(order).map(logarithm).sum::<f64>() / order as f64;
        (brevity * mean.exp(), precisions, brevity)
    }
}

fn count(output: &str, references: &[String]) -> Counts {
    let mut words = Words::default();
    let references: Vec<_> = references.iter().map(|text| words.ids(split(text))).collect();
    let output = words.ids(split(output));
    // Of two that are as near, the shorter.
    let nearest = references.iter().map(Vec::len).min_by_key(|length| (length.abs_diff(output.len()), *length));
    let mut counts =
        Counts { right: [0; ORDER], all: [0; ORDER], length: output.len(), reference: nearest.unwrap_or(0) };
    let runs = Runs::new(&output, ORDER, WORD_BITS);
    let others: Vec<_> = references.iter().map(|words| Runs::new(words, ORDER, WORD_BITS)).collect();
    for n in 0..ORDER {
        counts.right[n] = runs.shared_with_any(&others, n + 1);
        counts.all[n] = runs.count(n + 1);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};

    fn check(output: &str, references: &[&str], options: Options, expected: f64) {
        let case = Case::new().with(Input::Output, output).with(Input::Reference, references.to_vec());
        near(value_with(&BLEU, &options, &case), expected);
    }

    /// The example of Papineni et al.: `the` counts twice, as often as in a reference.
    #[test]
    fn clipped_as_in_the_paper() {
        let references = ["The cat is on the mat.", "There is a cat on the mat."];
        let counts = count("the the the the the the the", &references.map(str::to_owned));
        assert_eq!((counts.right[0], counts.all[0]), (1, 7));
        let lower = references.map(str::to_lowercase);
        assert_eq!(count("the the the the the the the", &lower).right[0], 2);
    }

    /// Figures of `sacrebleu.sentence_bleu` 2.6.
    #[test]
    fn agrees_with_sacrebleu() {
        let (output, reference) = ("The dog bit the man.", "The dog had bit the man.");
        check(output, &[reference], Options::new(), 51.150_781_157_932_42);
        check(output, &["The dog bit the man."], Options::new(), 100.0);
        check("", &[reference], Options::new(), 0.0);
        check("It was not unexpected.", &["No one was surprised."], Options::new(), 12.703_318_703_865_365);
    }

    #[test]
    fn the_signature_tells_what_was_set() {
        let case = Case::new().with(Input::Output, "a b").with(Input::Reference, "a c");
        let options = Options::new().with("smooth", "floor").with("tokenize", "intl").with("lowercase", true);
        let outcome = make(&options).unwrap().measure(&case).unwrap();
        assert!(
            outcome.reason.ends_with("nrefs:1|case:lc|eff:yes|tok:intl|smooth:floor[0.10]|version:2.6.0"),
            "{}",
            outcome.reason
        );
    }
}
