//! Texts as words with stems, numbers and sentences, the same for an answer and for what it must be true to.

use std::collections::HashMap;

use super::lexicon::{Role, role};
use crate::text::porter::stem;

const NUMBERS: [&str; 21] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];

/// A word, a number or a sign of money.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// Bytes before it, and up to its end.
    pub(super) start: usize,
    pub(super) end: usize,
    /// In lower case, without a genitive's `'s`.
    pub(super) lower: String,
    /// Its stem, as a number that all texts of one reader share.
    pub(super) stem: u32,
    pub(super) role: Role,
    /// Begins with a digit.
    pub(super) is_digits: bool,
    /// What a number is worth, in digits or in words up to twenty.
    pub(super) number: Option<u64>,
    /// Begins with a capital.
    pub(super) is_capital: bool,
    /// Opens a sentence, a line, a quotation or what a colon announces: a capital there says nothing.
    pub(super) opens: bool,
    /// The sentence that it stands in, from 0.
    pub(super) sentence: usize,
    /// One character of a script that sets no spaces.
    pub(super) is_ideograph: bool,
}

impl Word {
    /// Whether it says something by itself.
    pub(super) fn is_content(&self) -> bool {
        self.is_digits || self.is_ideograph || (!self.role.is(Role::STOP) && self.lower.chars().nth(2).is_some())
    }

    /// Whether it turns a statement round.
    pub(super) fn is_negation(&self) -> bool {
        self.role.is(Role::NEGATION)
    }

    /// Whether it is a name, as far as capitals tell.
    pub(super) fn is_name(&self) -> bool {
        self.is_capital && !self.opens && !self.is_digits && !self.role.is(Role::STOP)
    }
}

/// Reads texts and remembers stems.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Stems by word, and their numbers.
    words: HashMap<String, u32>,
    stems: HashMap<String, u32>,
}

impl Reader {
    /// The number of a word's stem.
    pub(super) fn stem(&mut self, lower: &str) -> u32 {
        if let Some(known) = self.words.get(lower) {
            return *known;
        }
        let next = u32::try_from(self.stems.len()).unwrap_or(u32::MAX);
        let number = *self.stems.entry(stem(lower)).or_insert(next);
        self.words.insert(lower.to_owned(), number);
        number
    }

    /// The words of a text.
    pub(super) fn read(&mut self, text: &str) -> Vec<Word> {
        let mut words = Vec::with_capacity(text.len() / 6);
        let (mut sentence, mut opens, mut closing) = (0, true, false);
        let mut chars = text.char_indices().peekable();
        while let Some((start, char)) = chars.next() {
            if char.is_whitespace() || matches!(char, '。' | '！' | '？') {
                // A sentence ends at its mark before a space, and at a line's end.
                if (closing || char == '\n' || !char.is_whitespace())
                    && words.last().is_some_and(|word: &Word| word.sentence == sentence)
                {
                    sentence += 1;
                }
                opens |= closing || char == '\n';
                closing = false;
                continue;
            }
            let is_word = char.is_alphabetic() || char.is_ascii_digit() || matches!(char, '%' | '$' | '€');
            if !is_word {
                closing = matches!(char, '.' | '!' | '?') || (closing && matches!(char, '"' | '”' | '’' | ')' | '\''));
                // As a capital behind them says nothing, whether or not a space follows.
                opens = matches!(char, '.' | '!' | '?' | ':' | '"' | '“' | '”') || (opens && !char.is_alphanumeric());
                continue;
            }
            let mut end = start + char.len_utf8();
            let is_ideograph = ideograph(char);
            if char.is_ascii_digit() {
                end += digits(text.get(end..).unwrap_or_default());
            } else if char.is_alphabetic() && !is_ideograph {
                end += letters(text.get(end..).unwrap_or_default());
            }
            while chars.next_if(|(at, _)| *at < end).is_some() {}
            words.push(self.word(text, start, end, Place { sentence, opens, is_ideograph }));
            (opens, closing) = (false, false);
        }
        words
    }

    fn word(&mut self, text: &str, start: usize, end: usize, place: Place) -> Word {
        let written = text.get(start..end).unwrap_or_default();
        let mut lower = written.to_lowercase().replace('’', "'");
        if let Some(owner) = lower.strip_suffix("'s") {
            lower = owner.to_owned();
        }
        let is_digits = written.starts_with(|char: char| char.is_ascii_digit());
        let number = if is_digits {
            written.replace(',', "").parse::<f64>().ok().map(f64::to_bits)
        } else {
            NUMBERS.iter().position(|word| *word == lower).map(|value| (value as f64).to_bits())
        };
        Word {
            start,
            end,
            stem: self.stem(&lower),
            role: role(&lower),
            is_digits,
            number,
            is_capital: written.starts_with(char::is_uppercase),
            opens: place.opens,
            sentence: place.sentence,
            is_ideograph: place.is_ideograph,
            lower,
        }
    }
}

struct Place {
    sentence: usize,
    opens: bool,
    is_ideograph: bool,
}

/// Bytes of what follows a digit and belongs to the number.
fn digits(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while digit(end) || (matches!(bytes.get(end), Some(b'.' | b',' | b':')) && digit(end + 1)) {
        end += 1;
    }
    end
}

/// Bytes of what follows a letter and belongs to the word: letters, and once an apostrophe between letters.
fn letters(text: &str) -> usize {
    let run = |text: &str| text.find(|char: char| !char.is_alphabetic() || ideograph(char)).unwrap_or(text.len());
    let end = run(text);
    let rest = text.get(end..).unwrap_or_default();
    let Some(behind) = rest.strip_prefix(['\'', '’']) else { return end };
    match run(behind) {
        0 => end,
        more => end + (rest.len() - behind.len()) + more,
    }
}

/// Scripts that set no spaces between words.
fn ideograph(char: char) -> bool {
    matches!(char, '\u{0E00}'..='\u{0EFF}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{2FA1F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let words = Reader::default().read(text);
        let one = |word: &Word| format!("{}{}{}", word.sentence, if word.is_name() { '^' } else { ':' }, &word.lower);
        words.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_numbers_names_and_sentences() {
        assert_eq!(shown("The cat's $1,200.50. It wasn’t Ada!"), "0:the 0:cat 0:$ 0:1,200.50 1:it 1:wasn't 1^ada");
        assert_eq!(shown("He said: \"Go.\" Then\nOn e.g. Monday"), "0:he 0:said 0:go 1:then 2:on 2:e 2:g 3:monday");
        assert_eq!(shown("猫は。犬"), "0:猫 0:は 1:犬");
        assert_eq!(shown(""), "");
    }

    #[test]
    fn numbers_are_worth_the_same_however_written() {
        let numbers =
            |text: &str| Reader::default().read(text).iter().filter_map(|word| word.number).collect::<Vec<_>>();
        assert_eq!(numbers("1,000 1000.0 1000"), [1000_f64.to_bits(); 3]);
        assert_eq!(numbers("seven"), numbers("7"));
    }
}
