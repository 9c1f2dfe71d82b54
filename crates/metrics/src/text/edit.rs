//! How near two texts are: edits, Jaro and Winkler, sets of words, F1 of words.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem, affordable};
use crate::options::{OptionDoc, OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::bits;
use super::ngrams::Runs;
use super::words::{Words, split};

const LOWERCASE: OptionDoc = option("lowercase", "false", "leave case aside");

macro_rules! nearness {
    ($name:ident, $compare:path, $text:literal, $aliases:expr, $summary:literal, $formula:literal, $source:literal) => {
        pub(crate) static $name: About = About {
            name: $text,
            aliases: $aliases,
            family: Family::Text,
            summary: $summary,
            formula: $formula,
            source: $source,
            inputs: &[Input::Output, Input::Reference],
            also: &[],
            range: Range::UNIT,
            direction: Direction::Higher,
            threshold: 0.8,
            options: &[LOWERCASE],
            make: |options| make(options, $compare),
        };
    };
}

nearness!(
    LEVENSHTEIN,
    levenshtein,
    "levenshtein",
    &["levenshtein_similarity", "levenshtein_ratio", "edit_similarity"],
    "How few characters must change to turn the answer into a reference.",
    "1 − d / length of the longer; d: fewest insertions, deletions and replacements of a character. Of several references the nearest; \
     two empty texts are the same.",
    "Levenshtein 1966; as rapidfuzz.distance.Levenshtein.normalized_similarity"
);
nearness!(
    JARO_WINKLER,
    jaro_winkler,
    "jaro_winkler",
    &["jaro_winkler_similarity"],
    "Characters that stand in both at nearly the same place; a common beginning counts more.",
    "J + 0.1 · ℓ · (1 − J) if J > 0.7, else J; J = (m/a + m/b + (m − t)/m) / 3: m characters match within half of the longer text, t \
     pairs of them in another order; ℓ: common beginning, up to 4.",
    "Winkler 1990, https://files.eric.ed.gov/fulltext/ED325505.pdf; as rapidfuzz, over code points"
);
nearness!(
    JACCARD,
    jaccard,
    "jaccard",
    &["jaccard_similarity"],
    "Different words that the answer and a reference share.",
    "|A ∩ B| / |A ∪ B| of the sets of words between spaces; two empty sets are the same.",
    "Jaccard 1912, https://doi.org/10.1111/j.1469-8137.1912.tb05611.x"
);
nearness!(
    TOKEN_F1,
    token_f1,
    "token_f1",
    &["f1", "squad_f1"],
    "Words that the answer and a reference share, as SQuAD counts them.",
    "2PR / (P + R) of words in lower case, without ASCII punctuation and the articles a, an, the; each word counts as often as both \
     have it. Two texts without words are the same.",
    "Rajpurkar et al. 2016, https://aclanthology.org/D16-1264; as SQuAD's evaluate-v1.1.py and v2.0"
);

/// Characters times characters: about a second.
const MOST_COMPARISONS: usize = 1_000_000_000;

/// Compares two texts; with the reason.
type Compare = fn(&str, &str) -> (f64, String);

fn make(options: &Options, compare: Compare) -> Result<Box<dyn Metric>, OptionProblem> {
    let lowercase = options.flag("lowercase", false)?;
    Ok(Box::new(move |case: &Case| best(case, lowercase, compare)))
}

fn best(case: &Case, lowercase: bool, compare: Compare) -> Result<Outcome, Problem> {
    let output = case.text(Input::Output)?;
    let references = case.texts(Input::Reference)?;
    for reference in &references {
        affordable(Input::Output, output.len(), reference.len(), MOST_COMPARISONS)?;
    }
    let found = references.into_iter().map(|reference| {
        if lowercase { compare(&output.to_lowercase(), &reference.to_lowercase()) } else { compare(output, reference) }
    });
    let best = found.reduce(|best, other| if other.0 > best.0 { other } else { best });
    let (value, reason) = best.unwrap_or_default();
    Ok(Outcome::new(value, reason))
}

/// A share, of nothing all.
pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

pub(super) fn levenshtein(left: &str, right: &str) -> (f64, String) {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let (distance, longer) = (bits::distance(&left, &right), left.len().max(right.len()));
    (share(longer - distance, longer), format!("{distance} edits, {longer} characters"))
}

pub(super) fn jaro_winkler(left: &str, right: &str) -> (f64, String) {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let jaro = jaro(&left, &right);
    let prefix = left.iter().zip(&right).take(4).take_while(|(a, b)| a == b).count();
    let value = if jaro > 0.7 { jaro + 0.1 * prefix as f64 * (1.0 - jaro) } else { jaro };
    (value.min(1.0), format!("Jaro {jaro:.3}, {prefix} characters at the beginning"))
}

fn jaro(left: &[char], right: &[char]) -> f64 {
    if left.is_empty() || right.is_empty() {
        return f64::from(u8::from(left.is_empty() && right.is_empty()));
    }
    let window = (left.len().max(right.len()) / 2).saturating_sub(1);
    let (matched, apart) = bits::matches(left, right, window);
    if matched == 0 {
        return 0.0;
    }
    let swapped = apart / 2;
    let m = matched as f64;
    (m / left.len() as f64 + m / right.len() as f64 + (m - swapped as f64) / m) / 3.0
}

pub(super) fn jaccard(left: &str, right: &str) -> (f64, String) {
    // A bit for each text that has the word.
    let mut words: HashMap<&str, u8, RandomState> = HashMap::default();
    split(left).for_each(|word| *words.entry(word).or_default() |= 1);
    split(right).for_each(|word| *words.entry(word).or_default() |= 2);
    let both = words.values().filter(|texts| **texts == 3).count();
    let any = words.len();
    (share(both, any), format!("{both} of {any} words are in both"))
}

pub(super) fn token_f1(left: &str, right: &str) -> (f64, String) {
    let plain = |text: &str| {
        let mut text = text.to_lowercase();
        text.retain(|char| !char.is_ascii_punctuation());
        text
    };
    let (left, right) = (plain(left), plain(right));
    let mut numbers = Words::default();
    let mut words = |text| numbers.ids(split(text).flat_map(without_articles));
    let (own, other) = (words(&left), words(&right));
    let both = Runs::new(&own, 1, 32).shared(&Runs::new(&other, 1, 32), 1);
    let value = match both {
        _ if own.is_empty() && other.is_empty() => 1.0,
        0 => 0.0,
        _ => {
            let (precision, recall) = (share(both, own.len()), share(both, other.len()));
            2.0 * precision * recall / (precision + recall)
        }
    };
    (value, format!("{both} words are in both, of {} and {}", own.len(), other.len()))
}

/// What SQuAD's pattern `\b(a|an|the)\b` leaves of a word: an article may stand within one, as in `a…`.
fn without_articles(word: &str) -> impl Iterator<Item = &str> {
    // Nearly all words are only letters.
    let whole = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let left = (whole && !is_article(word)).then_some(word);
    left.into_iter().chain(if whole { Vec::new() } else { between_articles(word) })
}

fn is_article(word: &str) -> bool {
    matches!(word, "a" | "an" | "the")
}

fn between_articles(word: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut run) = (0, None);
    for (at, char) in word.char_indices().chain([(word.len(), ' ')]) {
        if char.is_alphanumeric() {
            run.get_or_insert(at);
            continue;
        }
        let Some(from) = run.take() else { continue };
        if word.get(from..at).is_some_and(is_article) {
            pieces.extend(word.get(start..from));
            start = at;
        }
    }
    pieces.extend(word.get(start..));
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};

    fn check(about: &'static About, output: &str, reference: &str, expected: f64) {
        let case = Case::new().with(Input::Output, output).with(Input::Reference, reference);
        near(value_with(about, &Options::new(), &case), expected);
    }

    #[test]
    fn the_examples_that_everybody_has() {
        check(&LEVENSHTEIN, "kitten", "sitting", 1.0 - 3.0 / 7.0);
        check(&LEVENSHTEIN, "", "", 1.0);
        // Winkler's own.
        check(&JARO_WINKLER, "MARTHA", "MARHTA", 0.961_111_111_111_111_1);
        check(&JARO_WINKLER, "DWAYNE", "DUANE", 0.84);
        check(&JARO_WINKLER, "DIXON", "DICKSONX", 0.813_333_333_333_333_3);
        check(&JACCARD, "a b c", "b c d", 0.5);
        check(&TOKEN_F1, "The cat sat.", "a cat sat down", 0.8);
        check(&TOKEN_F1, "the…cat", "…cat", 1.0);
    }

    #[test]
    fn the_nearest_reference_counts() {
        let case = Case::new().with(Input::Output, "abc").with(Input::Reference, vec!["xyz", "ABC"]);
        near(value_with(&LEVENSHTEIN, &Options::new().with("lowercase", true), &case), 1.0);
    }
}
