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
        self.0.as_ref().is_some_and(|automaton| {
            let start = automaton.start_state(Anchored::No);
            start.is_ok_and(|start| next_end(automaton, start, text).is_some())
        })
    }

    /// Every place of every literal, overlapping ones too, in the order of their ends.
    pub(crate) fn find<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Match> + 'a {
        self.0.iter().flat_map(move |automaton| Places::new(automaton, text))
    }
}

/// How many bytes are read from `state` on until something ends, and the state there.
#[inline]
fn next_end(automaton: &DFA, mut state: StateID, text: &[u8]) -> Option<(usize, StateID)> {
    let before = text.iter().position(|byte| {
        state = automaton.next_state(Anchored::No, state, *byte);
        automaton.is_special(state)
    })?;
    Some((before + 1, state))
}

/// A step needs what the one before it found. So many stripes of a text are read side by side, so that the processor
/// has something to do while it waits.
const STRIPES: usize = 4;
/// Most bytes of a stripe.
const LONGEST: usize = 512;
/// Fewer aren't worth it.
const SHORTEST: usize = 64;

struct Places<'a> {
    automaton: &'a DFA,
    text: &'a [u8],
    state: StateID,
    /// Bytes that were read.
    at: usize,
    /// Where something ends in each of the stripes that were read, and the states there, in order.
    ends: [Vec<(usize, StateID)>; STRIPES],
    /// The stripe that is told, and how many of its ends were.
    told: (usize, usize),
    /// Where literals end that are being told, and in which state.
    end: (usize, StateID),
    /// How many of them are still to be told.
    left: usize,
}

impl<'a> Places<'a> {
    fn new(automaton: &'a DFA, text: &'a [u8]) -> Self {
        // Automata are built to start anywhere; if this one were not, there would be nothing to read.
        let state = automaton.start_state(Anchored::No);
        let text = if state.is_ok() { text } else { &[] };
        let state = state.unwrap_or_default();
        let ends = [const { Vec::new() }; STRIPES];
        Self { automaton, text, state, at: 0, ends, told: (STRIPES, 0), end: (0, state), left: 0 }
    }

    /// The next place at which something ends.
    #[inline]
    fn next_end(&mut self) -> Option<(usize, StateID)> {
        loop {
            while let Some(ends) = self.ends.get(self.told.0) {
                if let Some(end) = ends.get(self.told.1) {
                    self.told.1 += 1;
                    return Some(*end);
                }
                self.told = (self.told.0 + 1, 0);
            }
            let rest = self.text.get(self.at..)?;
            let stripe = (rest.len() / STRIPES).min(LONGEST);
            if stripe >= SHORTEST.max(self.automaton.max_pattern_len() * 2) {
                self.read_stripes(stripe);
                continue;
            }
            let (read, state) = next_end(self.automaton, self.state, rest)?;
            (self.at, self.state) = (self.at + read, state);
            return Some((self.at, state));
        }
    }

    /// Reads so many bytes in each stripe.
    fn read_stripes(&mut self, stripe: usize) {
        let (automaton, text) = (self.automaton, self.text);
        let next = |state: &mut StateID, byte: u8| *state = automaton.next_state(Anchored::No, *state, byte);
        let from: [usize; STRIPES] = std::array::from_fn(|number| self.at + number * stripe);
        let mut states = [self.state; STRIPES];
        for (state, from) in states.iter_mut().zip(from).skip(1) {
            // Behind as many bytes as the longest literal has, the state is the same wherever reading began.
            *state = automaton.start_state(Anchored::No).unwrap_or_default();
            text[from - automaton.max_pattern_len()..from].iter().for_each(|byte| next(state, *byte));
        }
        self.ends.iter_mut().for_each(Vec::clear);
        self.told = (0, 0);
        let [a, b, c, d] = from.map(|from| &text[from..from + stripe]);
        for (at, (((a, b), c), d)) in a.iter().zip(b).zip(c).zip(d).enumerate() {
            for (state, byte) in states.iter_mut().zip([a, b, c, d]) {
                next(state, *byte);
            }
            if states.iter().any(|state| automaton.is_special(*state)) {
                for ((state, from), ends) in states.into_iter().zip(from).zip(&mut self.ends) {
                    ends.extend(automaton.is_special(state).then_some((from + at + 1, state)));
                }
            }
        }
        self.at += STRIPES * stripe;
        self.state = states[STRIPES - 1];
    }
}

impl Iterator for Places<'_> {
    type Item = Match;

    #[inline]
    fn next(&mut self) -> Option<Match> {
        if self.left == 0 {
            self.end = self.next_end()?;
            self.left = self.automaton.match_len(self.end.1);
        }
        let (end, state) = self.end;
        let index = self.automaton.match_len(state) - self.left;
        self.left -= 1;
        let pattern = self.automaton.match_pattern(state, index);
        Some(Match::new(pattern, end - self.automaton.pattern_len(pattern)..end))
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

    #[test]
    fn stripes_change_nothing() {
        // The last is longer than half of the shortest stripe.
        let sentence = "said that it is she who ushers ";
        let literals = ["he", "she", "hers", "ushers, she said that it", "s", &format!("{sentence}{sentence}")];
        let known = AhoCorasick::builder().ascii_case_insensitive(true).build(literals).unwrap();
        let mine = Literals::new(literals);
        // Literals lie across every border of stripes, and the last bytes are too few for any.
        for ahead in 0..64 {
            for length in [0, 3, 4 * SHORTEST, 4 * LONGEST, 4 * LONGEST + 7, 9 * LONGEST] {
                let text = "-".repeat(ahead)
                    + &"Ushers, SHE said that it ".repeat(length / 25 + 1)
                    + &sentence.repeat(length / 31);
                let found: Vec<_> = mine.find(text.as_bytes()).collect();
                assert_eq!(found, known.find_overlapping_iter(&text).collect::<Vec<_>>(), "{ahead} {length}");
            }
        }
    }
}
