//! Letters that pass for others: words of mixed alphabets, words in another dress.

use unicode_normalization::UnicodeNormalization;

use super::patterns::{self, Alphabet, Style, alphabet, cyrillic_twin, east_asian, latin_twin, styled};
use super::{Id, Item, Walk};
use crate::scanner::{Hit, Replacement};

/// Words are judged in pieces of so many letters.
const LONGEST_WORD: usize = 64;

/// What a word is made of, from its first letter that is not Latin on.
#[derive(Debug, Default)]
struct Letters {
    latin: usize,
    foreign: usize,
    /// All letters that are not Latin pass for Latin ones.
    all_twins: bool,
    /// All Latin letters pass for Cyrillic ones.
    latin_twins: bool,
    greek: bool,
    /// A Greek letter that has no business among Latin ones.
    strange_greek: bool,
    /// How often the alphabet changes.
    changes: usize,
    /// Length of the shortest piece of one alphabet that stands inside.
    shortest_inside: usize,
}

impl Walk<'_> {
    /// A word that starts, or goes on, with a letter that is not Latin at `at`. The hit goes from there
    /// to the last such letter.
    pub(super) fn mixed_word(&self, at: usize) -> Item {
        if self.char(at).and_then(alphabet) == Some(Alphabet::Latin) {
            return Item::Plain(at + self.char(at).map_or(1, char::len_utf8));
        }
        if let Some(end) = self.plain_word(at) {
            return Item::Plain(end);
        }
        let before = self.before(at);
        let latin_before = before.and_then(alphabet) == Some(Alphabet::Latin);
        let mut letters =
            Letters { all_twins: true, latin_twins: true, shortest_inside: usize::MAX, ..Letters::default() };
        let (mut end, mut last_foreign, mut count, mut piece) = (at, at, 0, 0);
        let mut previous = if latin_before { Some(Alphabet::Latin) } else { None };
        let mut previous_char = before;
        let mut finished = false;
        let mut rest = self.text.get(at..).unwrap_or_default().chars().peekable();
        while let Some(c) = rest.next() {
            let kind = alphabet(c);
            let part_of_word = kind.is_some() || (patterns::stacking_mark(c) && count > 0);
            if !part_of_word || count == LONGEST_WORD {
                finished = true;
                break;
            }
            end += c.len_utf8();
            count += 1;
            let Some(kind) = kind else { continue };
            if previous.is_some_and(|previous| (previous == Alphabet::Latin) != (kind == Alphabet::Latin)) {
                letters.changes += 1;
                if letters.changes > 1 {
                    letters.shortest_inside = letters.shortest_inside.min(piece);
                }
                piece = 0;
            }
            piece += 1;
            if kind == Alphabet::Latin {
                letters.latin += 1;
                letters.latin_twins &= "aceopxyijsABCEHKMOPTXYIJS".contains(c);
            } else {
                letters.foreign += 1;
                last_foreign = end;
                letters.all_twins &= latin_twin(c).is_some();
                letters.greek |= kind == Alphabet::Greek;
                if kind == Alphabet::Greek {
                    letters.strange_greek |= strange_greek(c, previous_char, rest.peek().copied());
                }
            }
            previous = Some(kind);
            previous_char = Some(c);
        }
        if !finished && self.open {
            return Item::Unknown;
        }
        if !latin_before && letters.latin == 0 {
            return Item::Plain(end);
        }
        let Some(confidence) = judge(&letters, latin_before) else { return Item::Plain(end) };
        let found = self.text.get(at..last_foreign).unwrap_or_default();
        let mostly_foreign = letters.foreign > 2 * (letters.latin + usize::from(latin_before)) && !letters.greek;
        let twin = |c| if mostly_foreign { cyrillic_twin(c) } else { latin_twin(c) };
        let replaced = found.chars().map(|c| twin(c).unwrap_or(c)).collect();
        Item::Found(Hit {
            rule: Id::Mixed.rule(),
            start: at,
            end: last_foreign,
            confidence,
            replacement: Replacement::Text(replaced),
        })
    }

    /// Where the word ends, if it is seen by its bytes that it is Greek or Cyrillic and nothing else: the
    /// way of nearly every word of a Russian text.
    fn plain_word(&self, at: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        if at > 0 && (bytes[at - 1] >= 0x80 || bytes[at - 1].is_ascii_alphabetic()) {
            return None;
        }
        let longest = bytes.get(at..(at + 2 * LONGEST_WORD).min(bytes.len()))?;
        let length = longest.chunks(2).position(|pair| !matches!(pair[0], 0xCE..=0xD1))? * 2;
        let after = bytes.get(at + length)?;
        (length > 0 && *after < 0x80 && !after.is_ascii_alphabetic()).then_some(at + length)
    }

    /// A word of letters in another dress.
    pub(super) fn styled_word(&self, at: usize) -> Item {
        let end_of = |c: char| styled(c).is_some();
        let Some((end, count)) = self.run_end(at, end_of) else { return Item::Unknown };
        let after = self.char(end);
        if after.is_none() && self.open {
            return Item::Unknown;
        }
        let word = self.text.get(at..end).unwrap_or_default();
        let full_width = word.chars().all(|c| styled(c) == Some(Style::FullWidth));
        // Next to Chinese, Japanese and Korean full-width letters are plain typing.
        let near = self.text.get(..at).unwrap_or_default().chars().rev().take(2).chain(after).any(east_asian);
        let capitals = word.chars().all(|c| ('\u{FF21}'..='\u{FF3A}').contains(&c));
        let least = if capitals {
            6
        } else if full_width {
            3
        } else {
            4
        };
        if count < least || (full_width && near) {
            return Item::Plain(end);
        }
        Item::Found(Hit {
            rule: Id::Styled.rule(),
            start: at,
            end,
            confidence: if full_width { 0.8 } else { 0.6 },
            replacement: Replacement::Text(
                word.chars().map(|c| patterns::small_capital(c).unwrap_or(c)).nfkc().collect(),
            ),
        })
    }
}

/// Formulas and biology mix Greek into Latin at will (`TNFα`, `λmax`, `NFκB`); omicron, and capitals that
/// look Latin, have no place there, nor has a small letter inside of a small word.
fn strange_greek(c: char, before: Option<char>, after: Option<char>) -> bool {
    let latin = |c: Option<char>| c.and_then(alphabet) == Some(Alphabet::Latin);
    let small = |c: Option<char>| c.is_some_and(|c| c.is_lowercase() && alphabet(c) == Some(Alphabet::Latin));
    let inside = small(before) && small(after);
    matches!(c, 'ο' | 'ϲ' | 'ϳ')
        || (c.is_uppercase() && latin_twin(c).is_some() && (latin(before) || latin(after)))
        || (inside && latin_twin(c).is_some())
}

fn judge(letters: &Letters, latin_before: bool) -> Option<f32> {
    if letters.greek {
        return (letters.all_twins && letters.strange_greek).then_some(0.85);
    }
    match letters.changes {
        0 => None,
        // `iPhoneа`: an ending in another alphabet is how people write; few endings consist of twins only.
        1 if latin_before => letters.all_twins.then_some(0.6),
        1 => letters.all_twins.then_some(0.8),
        // A Latin word in the middle of a Russian compound is long; a disguise changes letter by letter.
        _ if letters.all_twins => Some(0.95),
        // Where a keyboard lacks a letter, people take one that is near enough (`v` for `ү`): no disguise.
        _ => (letters.shortest_inside <= 2 && (letters.latin_twins || letters.latin > letters.foreign)).then_some(0.75),
    }
}
