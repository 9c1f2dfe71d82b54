//! What others said of the texts of one call, and how texts are cut to be asked about.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A longer text is several.
pub(super) const MOST_BYTES: usize = 32 << 10;
/// A running text is asked about as soon as it has so many bytes and a sentence ends…
const FEWEST_RUNNING_BYTES: usize = 120;
/// … and at the latest at so many.
const MOST_RUNNING_BYTES: usize = 1_000;

/// Whom a policy asks, how long it waits, and what it does without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// The name of the service.
    pub service: Arc<str>,
    /// For so long it is waited.
    pub deadline: Duration,
    /// What isn't answered is not let pass.
    pub closed: bool,
}

/// What was said of a piece of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// It is what the service is there for.
    pub flagged: bool,
    /// How much, from 0 to 1.
    pub score: f32,
    /// Where, in bytes, with the service's word for it; empty if all of it is meant.
    pub spans: Vec<(Range<usize>, Option<String>)>,
}

/// What came of asking about a piece of text: a judgement, or why there is none.
pub type Reply = Result<Arc<Judgement>, Arc<str>>;

/// What was answered about the texts of one call. Shared with who asks.
#[derive(Debug)]
pub struct Answers {
    running: bool,
    known: Mutex<Known>,
    #[cfg(test)]
    pub(super) by: Option<fn(&str) -> Reply>,
}

#[derive(Debug, Default)]
struct Known {
    replies: Vec<(Question, HashMap<Arc<str>, Reply>)>,
    took: Duration,
}

impl Answers {
    /// For texts that are there as a whole.
    #[must_use]
    pub fn of_whole_texts() -> Self {
        Self::new(false)
    }

    /// For texts that are still being written: they are asked about sentence by sentence.
    #[must_use]
    pub fn of_running_texts() -> Self {
        Self::new(true)
    }

    fn new(running: bool) -> Self {
        Self {
            running,
            known: Mutex::default(),
            #[cfg(test)]
            by: None,
        }
    }

    /// Where the piece ends that begins at `at`; `None` if there is none, or it may go on.
    #[must_use]
    pub fn piece(&self, text: &str, at: usize, open: bool) -> Option<usize> {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let most = if self.running { MOST_RUNNING_BYTES } else { MOST_BYTES };
        if self.running
            && let Some(end) = sentence_end(rest)
        {
            return Some(at + end);
        }
        if rest.len() > most {
            let most = rest.floor_char_boundary(most);
            let words = rest.get(..most).unwrap_or_default();
            // Half of it is better cut in a word than not asked about.
            let blank = words.rfind(char::is_whitespace).filter(|blank| *blank > most / 2);
            return Some(at + blank.unwrap_or(most));
        }
        (!open).then_some(text.len())
    }

    /// The pieces of a whole text that are worth asking about.
    pub fn pieces<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let mut at = 0;
        let all = std::iter::from_fn(move || {
            let end = self.piece(text, at, false)?;
            let piece = text.get(at..end)?;
            at = end;
            Some(piece)
        });
        all.filter(|piece| is_worth_asking(piece))
    }

    /// Takes what came of asking about a piece.
    pub fn put(&self, question: &Question, piece: Arc<str>, reply: Reply) {
        let mut known = self.known();
        match known.replies.iter_mut().find(|(asked, _)| asked == question) {
            Some((_, replies)) => {
                replies.insert(piece, reply);
            }
            None => known.replies.push((question.clone(), HashMap::from([(piece, reply)]))),
        }
    }

    /// Whether this was asked.
    #[must_use]
    pub fn has(&self, question: &Question, piece: &str) -> bool {
        self.get(question, piece).is_some()
    }

    /// It took so long.
    pub fn waited(&self, more: Duration) {
        self.known().took += more;
    }

    /// How long it took to ask.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.known().took
    }

    /// Which services could not be asked, each with the first reason, sorted.
    #[must_use]
    pub fn failures(&self) -> Vec<(Arc<str>, Arc<str>)> {
        let known = self.known();
        let reasons = known.replies.iter().filter_map(|(question, replies)| {
            let reason = replies.values().find_map(|reply| reply.as_ref().err())?;
            Some((Arc::clone(&question.service), Arc::clone(reason)))
        });
        let mut failures: Vec<_> = reasons.collect();
        failures.sort();
        failures.dedup_by(|a, b| a.0 == b.0);
        failures
    }

    pub(super) fn get(&self, question: &Question, piece: &str) -> Option<Reply> {
        #[cfg(test)]
        if let Some(by) = self.by {
            return Some(by(piece));
        }
        let known = self.known();
        let (_, replies) = known.replies.iter().find(|(asked, _)| asked == question)?;
        replies.get(piece).cloned()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Blanks say nothing.
pub(super) fn is_worth_asking(piece: &str) -> bool {
    !piece.trim().is_empty()
}

/// The end of the first sentence behind the fewest bytes; only where what is there decides it, whatever follows.
fn sentence_end(text: &str) -> Option<usize> {
    let within = text.get(..text.floor_char_boundary(MOST_RUNNING_BYTES))?;
    let mut chars = within.char_indices().peekable();
    while let Some((place, char)) = chars.next() {
        let end = place + char.len_utf8();
        let ends = match char {
            '\n' | '。' | '！' | '？' => true,
            '.' | '!' | '?' => chars.peek().is_some_and(|(_, next)| next.is_whitespace()),
            _ => false,
        };
        if ends && end >= FEWEST_RUNNING_BYTES {
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_texts_are_cut_at_the_same_places_however_they_come() {
        let text = format!(
            "{} Short. {}\n{} {}",
            "A sentence of some words, and more. ".repeat(7),
            "é".repeat(900),
            "word ".repeat(300),
            "end"
        );
        let answers = Answers::of_running_texts();
        let cut = |text: &str, open: bool| {
            let (mut at, mut ends) = (0, Vec::new());
            while let Some(end) = answers.piece(text, at, open) {
                assert!(end > at && end - at <= MOST_RUNNING_BYTES && text.is_char_boundary(end));
                ends.push(end);
                at = end;
            }
            ends
        };
        let whole = cut(&text, false);
        assert_eq!(whole.last(), Some(&text.len()));
        for (end, _) in text.char_indices() {
            let open = cut(text.get(..end).unwrap(), true);
            assert_eq!(open.as_slice(), whole.get(..open.len()).unwrap(), "{end}");
        }
    }

    #[test]
    fn whole_texts_are_cut_where_they_are_very_long_only() {
        let answers = Answers::of_whole_texts();
        assert_eq!(answers.pieces("One. Two.\nThree.").collect::<Vec<_>>(), ["One. Two.\nThree."]);
        assert_eq!(answers.pieces(" \n").count(), 0);
        let long = "word ".repeat(20_000);
        let pieces: Vec<_> = answers.pieces(&long).collect();
        assert_eq!((pieces.len(), pieces.concat()), (4, long.clone()));
        let dense = "é".repeat(40_000);
        assert_eq!(answers.pieces(&dense).collect::<Vec<_>>().concat(), dense);
    }

    #[test]
    fn what_failed_is_said_once() {
        let answers = Answers::of_whole_texts();
        let question = |closed| Question { service: "a".into(), deadline: Duration::from_millis(1), closed };
        answers.put(&question(true), "x".into(), Err("no answer".into()));
        answers.put(&question(false), "y".into(), Err("no answer".into()));
        assert!(answers.has(&question(true), "x") && !answers.has(&question(false), "x"));
        assert_eq!(answers.failures(), [("a".into(), "no answer".into())]);
    }
}
