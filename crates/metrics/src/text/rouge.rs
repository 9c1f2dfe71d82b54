//! ROUGE, as Google's rouge-score computes it.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem, affordable};
use crate::options::{OptionDoc, OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::ngrams::Runs;
use super::porter::stem;

const OPTIONS: &[OptionDoc] = &[
    option("stem", "true", "compare stems (Porter); rouge-score calls it use_stemmer and has false if nothing is said"),
    option("part", "f", "f, precision or recall"),
];
const SOURCE: &str = "Lin 2004, https://aclanthology.org/W04-1013; as rouge-score 0.1.2";

macro_rules! rouge {
    ($name:ident, $kind:expr, $text:literal, $aliases:expr, $summary:literal, $formula:literal) => {
        pub(crate) static $name: About = About {
            name: $text,
            aliases: $aliases,
            family: Family::Text,
            summary: $summary,
            formula: $formula,
            source: SOURCE,
            inputs: &[Input::Output, Input::Reference],
            also: &[],
            range: Range::UNIT,
            direction: Direction::Higher,
            threshold: 0.3,
            options: OPTIONS,
            make: |options| make(options, $kind),
        };
    };
}

rouge!(
    ROUGE_1,
    Kind::Runs(1),
    "rouge1",
    &["rouge_1", "rouge-1"],
    "Words that the answer shares with a reference.",
    "F = 2PR / (P + R); P and R: shares of the answer's and the reference's words that the other has, too, each as often as it has \
     it. Of several references the one with the best F."
);
rouge!(
    ROUGE_2,
    Kind::Runs(2),
    "rouge2",
    &["rouge_2", "rouge-2"],
    "Pairs of words that the answer shares with a reference.",
    "As rouge1, with pairs of words that follow one another."
);
rouge!(
    ROUGE_L,
    Kind::Sequence,
    "rougeL",
    &["rouge_l", "rouge-l", "rougel"],
    "The longest sequence of words that the answer shares with a reference.",
    "F of P = LCS / words of the answer and R = LCS / words of the reference; LCS: length of the longest common subsequence."
);
rouge!(
    ROUGE_LSUM,
    Kind::Summary,
    "rougeLsum",
    &["rouge_lsum", "rouge-lsum", "rougelsum"],
    "rougeL by sentence, one a line.",
    "For each line of the reference the union of the longest common subsequences with every line of the answer; each word counts at \
     most as often as both texts have it."
);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Runs(usize),
    Sequence,
    Summary,
}

#[derive(Debug, Clone, Copy)]
enum Part {
    F,
    Precision,
    Recall,
}

struct Rouge {
    kind: Kind,
    part: Part,
    stem: bool,
}

fn make(options: &Options, kind: Kind) -> Result<Box<dyn Metric>, OptionProblem> {
    let parts = [("f", Part::F), ("precision", Part::Precision), ("recall", Part::Recall)];
    Ok(Box::new(Rouge { kind, part: options.choice("part", &parts, Part::F)?, stem: options.flag("stem", true)? }))
}

/// Words times words: about a second, and 400 MB if both are one line.
const MOST_COMPARISONS: usize = 100_000_000;

/// Precision, recall and what both make.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    precision: f64,
    recall: f64,
    f: f64,
}

impl Found {
    fn of(both: usize, own: usize, other: usize) -> Self {
        let precision = both as f64 / own.max(1) as f64;
        let recall = both as f64 / other.max(1) as f64;
        let sum = precision + recall;
        Self { precision, recall, f: if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 } }
    }
}

impl Metric for Rouge {
    fn measure(&self, case: &Case) -> Result<Outcome, Problem> {
        let references = case.texts(Input::Reference)?;
        let output = case.text(Input::Output)?;
        let mut numbers = Numbers::default();
        let mut best: Option<Found> = None;
        let own = self.lines(output, &mut numbers);
        for reference in references {
            let other = self.lines(reference, &mut numbers);
            let words = |lines: &[Vec<u32>]| lines.iter().map(Vec::len).sum();
            affordable(Input::Output, words(&own), words(&other), MOST_COMPARISONS)?;
            let found = self.compare(&own, &other);
            if best.is_none_or(|best| found.f > best.f) {
                best = Some(found);
            }
        }
        let found = best.unwrap_or_default();
        let value = match self.part {
            Part::F => found.f,
            Part::Precision => found.precision,
            Part::Recall => found.recall,
        };
        let stem = if self.stem { "yes" } else { "no" };
        let reason = format!("P = {:.3}, R = {:.3}, F = {:.3}; stem:{stem}", found.precision, found.recall, found.f);
        Ok(Outcome::new(value, reason))
    }
}

/// Numbers for words.
#[derive(Default)]
struct Numbers(HashMap<String, u32, RandomState>);

impl Numbers {
    fn of(&mut self, word: &str) -> u32 {
        if let Some(number) = self.0.get(word) {
            return *number;
        }
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(word.to_owned(), next);
        next
    }
}

impl Rouge {
    /// The words of each line, or of all lines as one.
    fn lines(&self, text: &str, numbers: &mut Numbers) -> Vec<Vec<u32>> {
        let text = text.to_lowercase();
        let mut words = |text: &str| -> Vec<u32> {
            let words = text.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            // Words of up to three letters stay as they are.
            words
                .map(|word| if self.stem && word.len() > 3 { numbers.of(&stem(word)) } else { numbers.of(word) })
                .collect()
        };
        match self.kind {
            Kind::Summary => text.split('\n').filter(|line| !line.is_empty()).map(words).collect(),
            _ => vec![words(&text)],
        }
    }

    fn compare(&self, own: &[Vec<u32>], other: &[Vec<u32>]) -> Found {
        let (Some(words), Some(others)) = (own.first(), other.first()) else { return Found::default() };
        match self.kind {
            Kind::Runs(order) => {
                let (own, other) = (Runs::new(words, order, 32), Runs::new(others, order, 32));
                Found::of(own.shared(&other, order), own.count(order), other.count(order))
            }
            Kind::Sequence => Found::of(longest(words, others), words.len(), others.len()),
            Kind::Summary => summary(own, other),
        }
    }
}

/// The length of the longest common subsequence.
fn longest(left: &[u32], right: &[u32]) -> usize {
    let mut row = vec![0_u32; right.len() + 1];
    for a in left {
        let mut diagonal = 0;
        for (at, b) in right.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if a == b { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    row.last().map_or(0, |length| *length as usize)
}

fn summary(own: &[Vec<u32>], other: &[Vec<u32>]) -> Found {
    let count = |lines: &[Vec<u32>]| {
        let mut counts: HashMap<u32, usize> = HashMap::new();
        lines.iter().flatten().for_each(|word| *counts.entry(*word).or_default() += 1);
        counts
    };
    let (mut left_own, mut left_other) = (count(own), count(other));
    let mut both = 0;
    for line in other {
        let mut marked = vec![false; line.len()];
        own.iter().for_each(|words| mark(line, words, &mut marked));
        for (word, _) in line.iter().zip(marked).filter(|(_, marked)| *marked) {
            if let (Some(a @ 1..), Some(b @ 1..)) = (left_own.get_mut(word), left_other.get_mut(word)) {
                both += 1;
                *a -= 1;
                *b -= 1;
            }
        }
    }
    let sum = |lines: &[Vec<u32>]| lines.iter().map(Vec::len).sum();
    Found::of(both, sum(own), sum(other))
}

/// Marks one of the longest common subsequences in `line`: the one that rouge-score finds on its way back.
fn mark(line: &[u32], words: &[u32], marked: &mut [bool]) {
    let width = words.len() + 1;
    let mut table = vec![0_u32; (line.len() + 1) * width];
    for (i, a) in line.iter().enumerate() {
        for (j, b) in words.iter().enumerate() {
            table[(i + 1) * width + j + 1] = if a == b {
                table[i * width + j] + 1
            } else {
                table[i * width + j + 1].max(table[(i + 1) * width + j])
            };
        }
    }
    let (mut i, mut j) = (line.len(), words.len());
    while i > 0 && j > 0 {
        if line[i - 1] == words[j - 1] {
            marked[i - 1] = true;
            (i, j) = (i - 1, j - 1);
        } else if table[i * width + j - 1] > table[(i - 1) * width + j] {
            j -= 1;
        } else {
            i -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};

    /// The example of rouge-score's README; figures of rouge-score 0.1.2.
    #[test]
    fn agrees_with_rouge_score() {
        let case = Case::new()
            .with(Input::Reference, "The quick brown fox jumps over the lazy dog")
            .with(Input::Output, "The quick brown dog jumps on the log.");
        near(value_with(&ROUGE_1, &Options::new(), &case), 0.705_882_352_941_176_5);
        near(value_with(&ROUGE_2, &Options::new(), &case), 0.266_666_666_666_666_66);
        near(value_with(&ROUGE_L, &Options::new(), &case), 0.588_235_294_117_647_1);
        near(value_with(&ROUGE_LSUM, &Options::new(), &case), 0.588_235_294_117_647_1);
        near(value_with(&ROUGE_L, &Options::new().with("part", "precision"), &case), 0.625);
    }

    #[test]
    fn nothing_shares_nothing() {
        let case = Case::new().with(Input::Reference, "a").with(Input::Output, "");
        for metric in [&ROUGE_1, &ROUGE_2, &ROUGE_L, &ROUGE_LSUM] {
            near(value_with(metric, &Options::new(), &case), 0.0);
        }
    }
}
