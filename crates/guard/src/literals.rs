//! Literals that may stand anywhere in a text, found in one pass that takes as long whatever their number.

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::{Builder, DFA};
use aho_corasick::{Anchored, Match};

/// Finds them; nothing, if there is no automaton.
#[derive(Debug)]
pub(crate) struct Literals(Option<DFA>);

impl Literals {
    /// Of either case; letters beyond ASCII only as they are written.
    pub(crate) fn new(literals: impl IntoIterator<Item: AsRef<[u8]>>) -> Self {
        Self::built(Builder::new().ascii_case_insensitive(true), literals)
    }

    /// Only as they are written.
    pub(crate) fn of_case(literals: impl IntoIterator<Item: AsRef<[u8]>>) -> Self {
        Self::built(&Builder::new(), literals)
    }

    fn built(builder: &Builder, literals: impl IntoIterator<Item: AsRef<[u8]>>) -> Self {
        // Without a prefilter a state is special if something ends there, and only then.
        Self(builder.clone().prefilter(false).build(literals).ok())
    }

    /// Whether there is an automaton: building fails beyond 2^31 states, which tests keep away from.
    pub(crate) fn is_built(&self) -> bool {
        self.0.is_some()
    }

    /// Whether any of them stands there.
    pub(crate) fn any(&self, text: &[u8]) -> bool {
        self.find(text).next().is_some()
    }

    /// Every place of every literal, overlapping ones too, in the order of their ends.
    pub(crate) fn find<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Match> + 'a {
        self.0.iter().flat_map(move |automaton| Places::new(automaton, text))
    }
}

struct Places<'a> {
    automaton: &'a DFA,
    text: &'a [u8],
    state: StateID,
    /// Bytes that were read.
    at: usize,
    /// How many of the literals that end here are still to be told.
    left: usize,
}

impl<'a> Places<'a> {
    fn new(automaton: &'a DFA, text: &'a [u8]) -> Self {
        // Automata are built to start anywhere; if this one were not, there would be nothing to read.
        let state = automaton.start_state(Anchored::No);
        let text = if state.is_ok() { text } else { &[] };
        Self { automaton, text, state: state.unwrap_or_default(), at: 0, left: 0 }
    }
}

impl Iterator for Places<'_> {
    type Item = Match;

    #[inline]
    fn next(&mut self) -> Option<Match> {
        if self.left == 0 {
            let rest = self.text.get(self.at..)?;
            let mut state = self.state;
            let ends = rest.iter().position(|byte| {
                state = self.automaton.next_state(Anchored::No, state, *byte);
                self.automaton.is_special(state)
            })?;
            self.state = state;
            self.at += ends + 1;
            self.left = self.automaton.match_len(state);
        }
        let index = self.automaton.match_len(self.state) - self.left;
        self.left -= 1;
        let pattern = self.automaton.match_pattern(self.state, index);
        Some(Match::new(pattern, self.at - self.automaton.pattern_len(pattern)..self.at))
    }
}

#[cfg(test)]
mod tests {
    use aho_corasick::AhoCorasick;

    use super::*;

    #[test]
    fn all_places_are_found_as_by_the_crate() {
        let literals = ["he", "she", "hers", "his", "s", "ushers", "é", " "];
        let texts = ["", "x", "ushers", "His USHERS, she éhe said", "shershershis", "s", "hersé"];
        let known = AhoCorasick::builder().ascii_case_insensitive(true).build(literals).unwrap();
        let exact = AhoCorasick::new(literals).unwrap();
        let (mine, mine_exact) = (Literals::new(literals), Literals::of_case(literals));
        assert!(mine.is_built() && mine_exact.is_built());
        for text in texts {
            assert_eq!(
                (mine.any(text.as_bytes()), mine_exact.any(text.as_bytes())),
                (known.is_match(text), exact.is_match(text))
            );
            let found: Vec<_> = mine.find(text.as_bytes()).collect();
            assert_eq!(found, known.find_overlapping_iter(text).collect::<Vec<_>>(), "{text}");
            let found: Vec<_> = mine_exact.find(text.as_bytes()).collect();
            assert_eq!(found, exact.find_overlapping_iter(text).collect::<Vec<_>>(), "{text}");
        }
    }
}
