//! chrF and chrF++, as sacreBLEU computes them for a sentence.

use std::borrow::Cow;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionDoc, OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::ngrams::Runs;
use super::words::{Words, is_space, split};

/// A character fits.
const CHAR_BITS: u32 = 21;
const WORD_BITS: u32 = 32;

const OPTIONS: &[OptionDoc] = &[
    option("beta", "2", "how much more recall counts than precision"),
    option("char_order", "6", "the longest run of characters, 1 to 6"),
    option("word_order", "0 of chrf, 2 of chrf++", "the longest run of words, 0 to 4"),
    option("lowercase", "false", "leave case aside"),
    option("whitespace", "false", "count spaces as characters"),
    option("eps_smoothing", "false", "smooth as chrF++.py, NLTK and Moses do"),
];
const FORMULA: &str = "100 · (1 + β²) · P · R / (β² · P + R); P and R: means over the orders of the shares of the answer's and of \
                       the reference's n-grams that the other has, too. The reference with the best value counts.";
const SOURCE: &str = "Popović 2015, https://aclanthology.org/W15-3049, and 2017 (chrF++), https://aclanthology.org/W17-4770; \
                      as in sacreBLEU 2.6";

pub(crate) static CHRF: About = About {
    name: "chrf",
    aliases: &["chrf_score"],
    family: Family::Text,
    summary: "How many runs of up to six characters the answer shares with a reference.",
    formula: FORMULA,
    source: SOURCE,
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::PERCENT,
    direction: Direction::Higher,
    threshold: 50.0,
    options: OPTIONS,
    make: |options| make(options, 0),
};

pub(crate) static CHRF_PP: About = About {
    name: "chrf++",
    aliases: &["chrf_pp", "chrfpp", "chrf_plus_plus"],
    family: Family::Text,
    summary: "chrF with runs of one and two words beside those of characters.",
    formula: FORMULA,
    source: SOURCE,
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::PERCENT,
    direction: Direction::Higher,
    threshold: 50.0,
    options: OPTIONS,
    make: |options| make(options, 2),
};

struct Chrf {
    beta: f64,
    chars: usize,
    words: usize,
    lowercase: bool,
    whitespace: bool,
    eps: bool,
}

fn make(options: &Options, words: usize) -> Result<Box<dyn Metric>, OptionProblem> {
    let beta = options.number("beta", 2.0)?;
    if beta <= 0.0 {
        return Err(OptionProblem::new("beta", format!("expected more than 0, found {beta}")));
    }
    Ok(Box::new(Chrf {
        beta,
        chars: options.count("char_order", 6, 1, 6)?,
        words: options.count("word_order", words, 0, 4)?,
        lowercase: options.flag("lowercase", false)?,
        whitespace: options.flag("whitespace", false)?,
        eps: options.flag("eps_smoothing", false)?,
    }))
}

/// A text's runs of characters, and of words if they count.
struct Both {
    chars: Runs,
    words: Option<Runs>,
}

/// Runs of the answer, of the reference, of both.
type Counts = (usize, usize, usize);

impl Metric for Chrf {
    fn measure(&self, case: &Case) -> Result<Outcome, Problem> {
        let lower = |text| if self.lowercase { Cow::Owned(str::to_lowercase(text)) } else { Cow::Borrowed(text) };
        let references: Vec<_> = case.texts(Input::Reference)?.into_iter().map(lower).collect();
        let output = lower(case.text(Input::Output)?);
        let mut words = Words::default();
        let own = self.runs(&output, &mut words);
        let mut best = (-1.0, 0.0, 0.0);
        for reference in &references {
            let other = self.runs(reference, &mut words);
            let found = self.score(&self.counts(&own, &other));
            if found.0 > best.0 {
                best = found;
            }
        }
        let (value, precision, recall) = best;
        let reason = format!(
            "P = {precision:.3}, R = {recall:.3}; nrefs:{}|case:{}|eff:{}|nc:{}|nw:{}|space:{}|version:{}",
            references.len(),
            if self.lowercase { "lc" } else { "mixed" },
            if self.eps { "no" } else { "yes" },
            self.chars,
            self.words,
            if self.whitespace { "yes" } else { "no" },
            super::bleu::SACREBLEU
        );
        Ok(Outcome::new(value.max(0.0), reason))
    }
}

impl Chrf {
    fn runs<'a>(&self, text: &'a str, words: &mut Words<'a>) -> Both {
        let chars: Vec<u32> = text.chars().filter(|char| self.whitespace || !is_space(*char)).map(u32::from).collect();
        let words = (self.words > 0).then(|| words.ids(split(text).flat_map(apart)));
        Both {
            chars: Runs::new(&chars, self.chars, CHAR_BITS),
            words: words.map(|ids| Runs::new(&ids, self.words, WORD_BITS)),
        }
    }

    /// First of characters, then of words, each by length.
    fn counts(&self, own: &Both, other: &Both) -> Vec<Counts> {
        let of = |own: &Runs, other: &Runs, length| {
            let (mine, theirs) = (own.count(length), other.count(length));
            (if theirs == 0 { 0 } else { mine }, theirs, own.shared(other, length))
        };
        let chars = (1..=self.chars).map(|length| of(&own.chars, &other.chars, length));
        let words = own.words.iter().zip(&other.words);
        chars.chain(words.flat_map(|(own, other)| (1..=self.words).map(move |length| of(own, other, length)))).collect()
    }

    fn score(&self, counts: &[Counts]) -> (f64, f64, f64) {
        const EPS: f64 = 1e-16;
        let factor = self.beta * self.beta;
        let (mut smoothed, mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0, 0.0);
        for &(own, other, both) in counts {
            let p = if own > 0 { both as f64 / own as f64 } else { EPS };
            let r = if other > 0 { both as f64 / other as f64 } else { EPS };
            let under = factor * p + r;
            smoothed += if under > 0.0 { (1.0 + factor) * p * r / under } else { EPS };
            if own > 0 && other > 0 {
                precision += p;
                recall += r;
                orders += 1.0;
            }
        }
        if orders > 0.0 {
            precision /= orders;
            recall /= orders;
        }
        let value = if self.eps {
            100.0 * smoothed / counts.len() as f64
        } else if precision + recall > 0.0 {
            100.0 * ((1.0 + factor) * precision * recall / (factor * precision + recall))
        } else {
            0.0
        };
        (value, precision, recall)
    }
}

/// A word without the punctuation at its end, or else at its beginning, and that punctuation. `(hi)` is `(hi` and `)`: so
/// chrF++ has it since its first version.
fn apart(word: &str) -> impl Iterator<Item = &str> {
    let cut = if word.chars().nth(1).is_none() {
        word.len()
    } else if word.ends_with(|char: char| char.is_ascii_punctuation()) {
        word.len() - 1
    } else if word.starts_with(|char: char| char.is_ascii_punctuation()) {
        1
    } else {
        word.len()
    };
    let (first, second) = word.split_at(cut);
    [first, second].into_iter().filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};

    /// Figures of `sacrebleu.sentence_chrf` 2.6.
    #[test]
    fn agrees_with_sacrebleu() {
        let case = Case::new()
            .with(Input::Output, "The dog bit the man.")
            .with(Input::Reference, vec!["The dog had bit the man.", "It was not unexpected"]);
        near(value_with(&CHRF, &Options::new(), &case), 67.647_114_506_565_17);
        near(value_with(&CHRF_PP, &Options::new(), &case), 70.388_042_475_932_07);
    }

    #[test]
    fn punctuation_comes_off_one_side() {
        let parts: Vec<_> = ["(hi)", "\"a", ".", "don't"].into_iter().flat_map(apart).collect();
        assert_eq!(parts, ["(hi", ")", "\"", "a", ".", "don't"]);
    }
}
