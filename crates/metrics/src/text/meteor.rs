//! METEOR with exact words and stems, as NLTK computes it where WordNet knows no synonym.

use std::collections::HashMap;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::porter::stem;
use super::tokenise::{NAMES, Tokeniser};
use super::words::split;

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
        let output = self.words(case.text(Input::Output)?);
        let found = references.into_iter().map(|reference| self.compare(&output, &self.words(reference)));
        let best = found.reduce(|best, other| if other.value > best.value { other } else { best });
        let best = best.unwrap_or(Found { value: 0.0, matches: 0, chunks: 0 });
        let reason = format!("{} of {} words match, in {} runs", best.matches, output.len(), best.chunks);
        Ok(Outcome::new(best.value, reason))
    }
}

impl Meteor {
    fn words(&self, text: &str) -> Vec<String> {
        split(&self.tokeniser.apply(text)).map(str::to_lowercase).collect()
    }

    fn compare(&self, output: &[String], reference: &[String]) -> Found {
        let mut pairs = vec![None; output.len()];
        let mut taken = vec![false; reference.len()];
        pair(output, reference, &mut pairs, &mut taken);
        if self.stem {
            // Only what is left need be stemmed.
            let left = |words: &[String], used: &dyn Fn(usize) -> bool| -> Vec<String> {
                let stems = words.iter().enumerate();
                stems.map(|(at, word)| if used(at) { String::new() } else { stem(word) }).collect()
            };
            let (own, other) = (left(output, &|at| pairs[at].is_some()), left(reference, &|at| taken[at]));
            pair(&own, &other, &mut pairs, &mut taken);
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

/// Gives every word of the output, from the last to the first, the last equal one of the reference that is left.
fn pair(output: &[String], reference: &[String], pairs: &mut [Option<usize>], taken: &mut [bool]) {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, word) in reference.iter().enumerate().filter(|(at, _)| !taken[*at]) {
        places.entry(word).or_default().push(at);
    }
    for (at, word) in output.iter().enumerate().rev() {
        if pairs[at].is_none()
            && let Some(place) = places.get_mut(word.as_str()).and_then(Vec::pop)
        {
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
