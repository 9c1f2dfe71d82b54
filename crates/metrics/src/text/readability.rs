//! How hard an English text is to read.

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input};
use crate::score::Outcome;

pub(crate) static READING_EASE: About = About {
    name: "reading_ease",
    aliases: &["readability", "flesch_reading_ease"],
    family: Family::Text,
    summary: "How easy the answer is to read: 60 to 70 is plain English, below 30 is for graduates.",
    formula: "206.835 − 1.015 · words / sentences − 84.6 · syllables / words; 100 of a text without words. English only; sentences end \
              at . ! ? before a space or the end, syllables are groups of vowels without a silent e.",
    source: "Flesch 1948, https://doi.org/10.1037/h0057532",
    inputs: &[Input::Output],
    also: &[],
    range: Range { low: f64::NEG_INFINITY, high: Some(206.835) },
    direction: Direction::Higher,
    threshold: 50.0,
    options: &[],
    make: |_| {
        Ok(Box::new(|case: &Case| {
            let count = Counts::of(case.text(Input::Output)?);
            let value = if count.words == 0.0 {
                100.0
            } else {
                206.835 - 1.015 * count.words / count.sentences - 84.6 * count.syllables / count.words
            };
            Ok(Outcome::new(value, count.told()))
        }))
    },
};

pub(crate) static READING_GRADE: About = About {
    name: "reading_grade",
    aliases: &["flesch_kincaid_grade"],
    family: Family::Text,
    summary: "The school year that the answer is for.",
    formula: "0.39 · words / sentences + 11.8 · syllables / words − 15.59; 0 of a text without words. Counted as for reading_ease.",
    source: "Kincaid et al. 1975, https://apps.dtic.mil/sti/citations/ADA006655",
    inputs: &[Input::Output],
    also: &[],
    range: Range::ANY,
    direction: Direction::Lower,
    threshold: 10.0,
    options: &[],
    make: |_| {
        Ok(Box::new(|case: &Case| {
            let count = Counts::of(case.text(Input::Output)?);
            let value = if count.words == 0.0 {
                0.0
            } else {
                0.39 * count.words / count.sentences + 11.8 * count.syllables / count.words - 15.59
            };
            Ok(Outcome::new(value, count.told()))
        }))
    },
};

struct Counts {
    words: f64,
    sentences: f64,
    syllables: f64,
}

impl Counts {
    fn of(text: &str) -> Self {
        let mut counts = Self { words: 0.0, sentences: 0.0, syllables: 0.0 };
        let mut open = false;
        for token in text.split_whitespace() {
            let word = token.trim_matches(|char: char| !char.is_alphanumeric());
            if !word.is_empty() {
                counts.words += 1.0;
                counts.syllables += syllables(word);
                open = true;
            }
            if open && token.trim_end_matches(['"', '\'', ')', '”', '’']).ends_with(['.', '!', '?']) {
                counts.sentences += 1.0;
                open = false;
            }
        }
        counts.sentences += f64::from(u8::from(open));
        counts
    }

    fn told(&self) -> String {
        format!("{} words, {} sentences, {} syllables", self.words, self.sentences, self.syllables)
    }
}

fn syllables(word: &str) -> f64 {
    let word = word.to_lowercase();
    let vowel = |char: char| matches!(char, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    let (mut groups, mut inside) = (0_u32, false);
    for char in word.chars() {
        groups += u32::from(vowel(char) && !inside);
        inside = vowel(char);
    }
    let silent = word.ends_with('e') && !word.ends_with("le") && !word.chars().rev().nth(1).is_some_and(vowel);
    let quiet = word.ends_with("ed") && !word.ends_with("ted") && !word.ends_with("ded");
    f64::from(groups.saturating_sub(u32::from(silent || quiet)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};
    use crate::options::Options;

    #[test]
    fn of_a_sentence() {
        let case = Case::new().with(Input::Output, "The cat sat on the mat.");
        near(value_with(&READING_EASE, &Options::new(), &case), 206.835 - 1.015 * 6.0 - 84.6);
        near(value_with(&READING_GRADE, &Options::new(), &case), 0.39 * 6.0 + 11.8 - 15.59);
    }

    #[test]
    fn syllables_of_common_words() {
        for (word, expected) in
            [("make", 1.0), ("table", 2.0), ("jumped", 1.0), ("wanted", 2.0), ("area", 2.0), ("the", 1.0)]
        {
            near(syllables(word), expected);
        }
    }
}
