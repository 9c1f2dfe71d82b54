//! METEOR with exact words and stems, as NLTK computes it where WordNet knows no synonym.

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::porter::stem;
use super::tokenise::{NAMES, Tokeniser};
use super::words::{Words, split};

pub(crate) static METEOR: About = About {
    name: "meteor",
    aliases: &["meteor_score"],
    family: Family::Text,
    summary: "Words and stems that the answer shares with a reference, and whether they stand in the same order.",
    formula: "Fmean · (1 − γ · (chunks / matches)^β), Fmean = P · R / (α · P + (1 − α) · R); words are matched from the last to the \
              first, first as they are, then by their stems. No synonyms: scores are at most those with WordNet. Of several \
              references the best value.",
    source: "Banerjee and Lavie 2005, https://aclanthology.org/W05-0909; Lavie and Agarwal 2007, https://aclanthology.org/W07-0734; \
             as NLTK 3.10",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 0.5,
    options: &[
        option("tokenize", "none", "none (words stand between spaces), 13a, intl, char or zh"),
        option("stem", "true", "match stems, too"),
        option("alpha", "0.9", "how much more recall counts than precision, 0 to 1"),
        option("beta", "3", "how steeply breaks in the order count"),
        option("gamma", "0.5", "how much breaks in the order count at most, 0 to 1"),
    ],
    make,
};

struct Meteor {
    tokeniser: Tokeniser,
    stem: bool,
    alpha: f64,
    beta: f64,
    gamma: f64,
}

fn make(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let share = |name: &str, default: f64| {
        let value = options.number(name, default)?;
        let problem = || OptionProblem::new(name, format!("expected 0 to 1, found {value}"));
        if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(problem()) }
    };
    let beta = options.number("beta", 3.0)?;
    if beta < 0.0 {
        return Err(OptionProblem::new("beta", format!("expected 0 or more, found {beta}")));
    }
    Ok(Box::new(Meteor {
        tokeniser: options.choice("tokenize", NAMES, Tokeniser::None)?,
        stem: options.flag("stem", true)?,
        alpha: share("alpha", 0.9)?,
        beta,
        gamma: share("gamma", 0.5)?,
    }))
}

struct Found {
    value: f64,
    matches: usize,
    chunks: usize,
}

impl Metric for Meteor {
    fn measure(&self, case: &Case) -> Result<Outcome, Problem> {
        let references = case.texts(Input::Reference)?;
        let output = self.plain(case.text(Input::Output)?);
        let references: Vec<String> = references.into_iter().map(|text| self.plain(text)).collect();
        let mut numbers = Words::default();
        let output = Text::new(&output, &mut numbers);
        let references: Vec<_> = references.iter().map(|text| Text::new(text, &mut numbers)).collect();
        let found = references.iter().map(|reference| self.compare(&output, reference, numbers.count()));
        let best = found.reduce(|best, other| if other.value > best.value { other } else { best });
        let best = best.unwrap_or(Found { value: 0.0, matches: 0, chunks: 0 });
        let reason = format!("{} of {} words match, in {} runs", best.matches, output.ids.len(), best.chunks);
        Ok(Outcome::new(best.value, reason))
    }
}

/// The words of a text, and a number for each.
struct Text<'a> {
    words: Vec<&'a str>,
    ids: Vec<u32>,
}

impl<'a> Text<'a> {
    fn new(text: &'a str, numbers: &mut Words<'a>) -> Self {
        let words: Vec<_> = split(text).collect();
        let ids = numbers.ids(words.iter().copied());
        Self { words, ids }
    }

    /// Stems of the words that have no pair.
    fn stems(&self, used: impl Fn(usize) -> bool) -> Vec<Option<String>> {
        let words = self.words.iter().enumerate();
        words.map(|(at, word)| (!used(at)).then(|| stem(word))).collect()
    }
}

impl Meteor {
    fn plain(&self, text: &str) -> String {
        if self.tokeniser == Tokeniser::None { text.to_lowercase() } else { self.tokeniser.apply(text).to_lowercase() }
    }

    fn compare(&self, output: &Text<'_>, reference: &Text<'_>, different: usize) -> Found {
        let (output, reference, words, others) = (&output.ids, &reference.ids, output, reference);
        let mut pairs = vec![None; output.len()];
        let mut taken = vec![false; reference.len()];
        pair(output, reference, different, &mut pairs, &mut taken);
        if self.stem {
            // Only what is left need be stemmed.
            let (own, other) = (words.stems(|at| pairs[at].is_some()), others.stems(|at| taken[at]));
            let mut numbers = Words::default();
            let mut ids = Vec::with_capacity(own.len() + other.len());
            // Nobody looks at the number of a word that has its pair.
            ids.extend(own.iter().chain(&other).map(|stem| stem.as_deref().map_or(0, |stem| numbers.id(stem))));
            let (own, other) = ids.split_at(own.len());
            pair(own, other, numbers.count(), &mut pairs, &mut taken);
        }
        let matched: Vec<_> = pairs.iter().enumerate().filter_map(|(at, pair)| Some((at, (*pair)?))).collect();
        if matched.is_empty() {
            return Found { value: 0.0, matches: 0, chunks: 0 };
        }
        let breaks = matched.windows(2).filter(|pair| pair[1] != (pair[0].0 + 1, pair[0].1 + 1)).count();
        let (matches, chunks) = (matched.len() as f64, breaks as f64 + 1.0);
        let (precision, recall) = (matches / output.len() as f64, matches / reference.len() as f64);
        let mean = precision * recall / (self.alpha * precision + (1.0 - self.alpha) * recall);
        let penalty = self.gamma * (chunks / matches).powf(self.beta);
        Found { value: (1.0 - penalty) * mean, matches: matched.len(), chunks: breaks + 1 }
    }
}

/// Gives every word of the output, from the last to the first, the last equal one of the reference that is left. Words are
/// numbers less than `different`.
fn pair(output: &[u32], reference: &[u32], different: usize, pairs: &mut [Option<usize>], taken: &mut [bool]) {
    // The last place of each word, and of each place the one before it.
    let (mut last, mut before) = (vec![None; different], vec![None; reference.len()]);
    for (at, id) in reference.iter().enumerate().filter(|(at, _)| !taken[*at]) {
        before[at] = last[*id as usize].replace(at);
    }
    for (at, id) in output.iter().enumerate().rev() {
        if pairs[at].is_some() {
            continue;
        }
        let last = &mut last[*id as usize];
        if let Some(place) = *last {
            *last = before[place];
            pairs[at] = Some(place);
            taken[place] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};

    /// The example in NLTK's documentation, whose pairs are all exact.
    #[test]
    fn agrees_with_nltk() {
        let case = Case::new()
            .with(
                Input::Output,
                "It is a guide to action which ensures that the military always obeys the commands of the party",
            )
            .with(
                Input::Reference,
                "It is a guide to action that ensures that the military will forever heed Party commands",
            );
        let value = value_with(&METEOR, &Options::new(), &case);
        near((value * 1e4).round() / 1e4, 0.6944);
    }
}
