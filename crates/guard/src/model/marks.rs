//! Marks that are no words: delimiters of prompts, roles, links that carry data away.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use crate::literals::Literals;

/// Literals, and which feature each is.
const LITERALS: &[(&str, usize)] = &[
    ("<|im_start|>", 0),
    ("<|im_end|>", 0),
    ("<|endoftext|>", 0),
    ("<|system|>", 0),
    ("<|eot_id|>", 0),
    ("[inst]", 0),
    ("[/inst]", 0),
    ("<<sys>>", 0),
    ("<start_of_turn>", 0),
    ("<system>", 1),
    ("</system>", 1),
    ("[system]", 1),
    ("\nsystem:", 1),
    ("<admin>", 1),
    ("### system", 1),
    ("### instruction", 1),
    ("\nassistant:", 2),
    ("\nhuman:", 2),
    ("\nuser:", 2),
    ("\nai:", 2),
    ("======", 3),
    ("-----", 3),
    ("######", 3),
    ("\"\"\"", 3),
    ("```", 4),
    ("<!--", 5),
    ("display:none", 5),
    ("font-size:0", 5),
    ("![", 6),
    ("javascript:", 6),
    ("?q=", 6),
    ("{{", 7),
    ("[insert", 7),
    ("{prompt}", 7),
    ("[prompt", 7),
    ("http://", 8),
    ("https://", 8),
    ("| ", 9),
];

/// How many features they are.
pub(super) const COUNT: usize = 10;
static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let literals = LITERALS.iter().map(|(literal, _)| literal);
    AhoCorasickBuilder::new().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostFirst).build(literals).ok()
});

/// Tells, in less time, whether there are any.
static ANY: LazyLock<Literals> = LazyLock::new(|| Literals::new(LITERALS.iter().map(|(literal, _)| literal)));
/// The bytes of the longest of them.
const LONGEST: usize = {
    let (mut longest, mut i) = (0, 0);
    while i < LITERALS.len() {
        longest = if LITERALS[i].0.len() > longest { LITERALS[i].0.len() } else { longest };
        i += 1;
    }
    longest
};

/// The set of marks in a text.
pub(super) fn marks(text: &str) -> u32 {
    let Some(automaton) = &*AUTOMATON else { return 0 };
    let from = match ANY.find(text.as_bytes()).next() {
        Some(first) => first.end().saturating_sub(LONGEST),
        None if ANY.is_built() => return 0,
        None => 0,
    };
    automaton
        .find_iter(&text.as_bytes()[from..])
        .fold(0, |found, mark| found | 1 << LITERALS[mark.pattern().as_usize()].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_wherever_they_stand() {
        assert!(ANY.is_built() && AUTOMATON.is_some());
        for (literal, mark) in LITERALS {
            for text in [(*literal).to_owned(), format!("plain words {literal} and more"), format!("x{literal}")] {
                assert_eq!(marks(&text) >> mark & 1, 1, "{text}");
            }
        }
        assert_eq!(marks("nothing of that kind"), 0);
        // Of two that overlap the first counts.
        assert_eq!(marks("###### system"), 1 << 3);
    }
}
