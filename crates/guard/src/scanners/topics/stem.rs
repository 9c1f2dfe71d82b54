//! Words as they are compared: in lower case, without accents, and without the endings that inflection adds.
//!
//! Light on purpose: it takes plural, case and the commonest endings of verbs off, in languages with Latin and Cyrillic letters, and
//! leaves short words alone, so that `car` is not `care`.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Longest first. English, German, French, Spanish, Italian, Portuguese, Dutch.
const LATIN: &[&str] = &[
    "ings", "ing", "ies", "ern", "ers", "es", "ed", "er", "en", "em", "os", "as", "is", "e", "s", "a", "o", "i", "y",
    "ie", "ia",
];
/// Longest first. Russian, Ukrainian, Bulgarian.
const CYRILLIC: &[&str] = &[
    "иями", "ями", "ами", "ого", "его", "ому", "ему", "ыми", "ими", "ией", "ов", "ев", "ей", "ий", "ый", "ой", "ая",
    "яя", "ое", "ее", "ые", "ие", "ия", "ам", "ям", "ах", "ях", "ом", "ем", "ую", "а", "я", "о", "е", "ы", "и", "у",
    "ю",
];
/// Letters that must be left.
const LEAST_LATIN: usize = 4;
const LEAST_CYRILLIC: usize = 3;

/// In lower case and without accents.
pub(super) fn fold(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return Cow::Borrowed(word);
    }
    if word.is_ascii() {
        return Cow::Owned(word.to_ascii_lowercase());
    }
    let mut out = String::with_capacity(word.len());
    for char in word.chars() {
        // In Cyrillic, what has a mark is another letter.
        if matches!(char, '\u{400}'..='\u{52F}') {
            out.extend(char.to_lowercase().map(|char| if char == 'ё' { 'е' } else { char }));
            continue;
        }
        for char in std::iter::once(char).nfkd().filter(|char| !is_combining_mark(*char)).flat_map(char::to_lowercase) {
            match char {
                'ß' => out.push_str("ss"),
                char => out.push(char),
            }
        }
    }
    Cow::Owned(out)
}

/// Without its ending.
pub(super) fn stem(folded: &str) -> &str {
    let (endings, least): (&[&str], usize) = match folded.chars().next_back() {
        Some('a'..='z') => (LATIN, LEAST_LATIN),
        Some('а'..='я') => (CYRILLIC, LEAST_CYRILLIC),
        _ => return folded,
    };
    let letters = folded.chars().count();
    // A plural leaves three.
    let least_of = |ending: &str| if ending == "s" { 3 } else { least };
    let fits = |ending: &&&str| folded.ends_with(**ending) && letters >= ending.chars().count() + least_of(ending);
    let longest = endings.iter().filter(fits).max_by_key(|ending| ending.len());
    longest.map_or(folded, |ending| folded.strip_suffix(ending).unwrap_or(folded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_one() {
        for forms in [
            &["election", "Elections"][..],
            &["gamble", "gambling", "GAMBLED"],
            &["policy", "policies"],
            &["Wahl", "Wahlen"],
            &["político", "políticos", "política", "politics"],
            &["élection", "elections"],
            &["выборы", "выборов", "выборам"],
        ] {
            let stems: Vec<String> = forms.iter().map(|form| stem(&fold(form)).to_owned()).collect();
            assert!(stems.windows(2).all(|pair| pair[0] == pair[1]), "{forms:?}: {stems:?}");
        }
    }

    #[test]
    fn other_words_stay_others() {
        for (one, other) in [("car", "care"), ("use", "us"), ("bet", "better"), ("war", "warm"), ("gas", "gate")] {
            assert_ne!(stem(&fold(one)), stem(&fold(other)), "{one} {other}");
        }
    }
}
