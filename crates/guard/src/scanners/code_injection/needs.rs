//! Which patterns a text can match at all: every pattern needs one of a few literals, which one automaton finds for
//! all patterns at once. A pattern is run only where what it needs stands.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::literals::Literals;

/// Shorter ones are everywhere.
const SHORTEST: usize = 2;
/// More of them than this say nothing.
const MOST: usize = 64;

/// A set of patterns, by their number.
pub(super) type Set = u128;

/// Finds the patterns that a text may match.
pub(super) struct Needs {
    literals: Literals,
    /// By literal: the patterns that it is enough for.
    patterns: Vec<Set>,
    /// Patterns without such literals.
    always: Set,
}

impl Needs {
    /// At most as many expressions as a [`Set`] has bits.
    pub(super) fn new(expressions: &[String]) -> Self {
        let mut known: std::collections::BTreeMap<Vec<u8>, Set> = std::collections::BTreeMap::new();
        let mut always = 0;
        for (at, expression) in expressions.iter().enumerate() {
            let bit = 1 << at;
            match needed(expression) {
                Some(literals) => literals.into_iter().for_each(|literal| *known.entry(literal).or_default() |= bit),
                None => always |= bit,
            }
        }
        let literals = Literals::of_case(known.keys());
        // Without the automaton nothing is known to be absent.
        let always = if literals.is_built() { always } else { Set::MAX };
        Self { literals, patterns: known.into_values().collect(), always }
    }

    /// Which patterns the text may match.
    pub(super) fn met(&self, text: &[u8]) -> Set {
        self.literals.find(text).fold(self.always, |met, found| met | self.patterns[found.pattern().as_usize()])
    }
}

/// Literals of which every match holds at least one; `None` if there are no such ones.
fn needed(expression: &str) -> Option<Vec<Vec<u8>>> {
    let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(expression).ok()?;
    literals(&hir).filter(|literals| shortest(literals) >= SHORTEST)
}

fn shortest(literals: &[Vec<u8>]) -> usize {
    literals.iter().map(Vec::len).min().unwrap_or(0)
}

fn literals(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let found = match hir.kind() {
        HirKind::Literal(literal) => vec![literal.0.to_vec()],
        HirKind::Class(Class::Bytes(class)) => {
            let bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end()).take(MOST + 1);
            bytes.map(|byte| vec![byte]).collect()
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => literals(&repetition.sub)?,
        HirKind::Capture(capture) => literals(&capture.sub)?,
        // Any part will do: the one whose literals are longest, then fewest.
        HirKind::Concat(parts) => parts
            .iter()
            .filter_map(literals)
            .max_by_key(|found| (shortest(found).min(4), std::cmp::Reverse(found.len())))?,
        HirKind::Alternation(parts) => parts.iter().map(literals).collect::<Option<Vec<_>>>()?.concat(),
        _ => return None,
    };
    (found.len() <= MOST && shortest(&found) > 0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expression: &str) -> Option<Vec<String>> {
        let found = needed(&format!("(?s-u){expression}"))?;
        Some(found.into_iter().map(|literal| String::from_utf8(literal).unwrap()).collect())
    }

    #[test]
    fn says_what_a_match_must_hold() {
        let some = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(r"\d+union\s+select"), some(&["select"]));
        assert_eq!(of("(?:sleep|wait)\\("), some(&["sleep", "wait"]));
        assert_eq!(of("a(?:bc)?"), None, "one letter is everywhere");
        assert_eq!(of("(?:abc|.*)"), None, "one way out is enough");
        assert_eq!(of("(?:abc){2}x?"), some(&["abc"]));
    }

    #[test]
    fn passes_over_what_a_text_can_not_match() {
        let needs = Needs::new(&["(?s-u)union select".to_owned(), "(?s-u)[a-z]".to_owned()]);
        assert_eq!(needs.met(b"nothing"), 0b10);
        assert_eq!(needs.met(b"a union select b"), 0b11);
    }
}
