//! What is the same of a word wherever it stands. Most words of a text are few words: each thread remembers those that
//! it saw last. Words stand in its memory as they are until others take their places; nothing is written out.

use std::cell::Cell;

use super::concepts;
use super::features::letters;
use super::topics::{self, DIMENSIONS};
use super::{HEADS, Sums, Take, shape};
use crate::kept::{place, with_kept};
use crate::normalise::{LONGEST_WORD, Word};

/// Words that a thread remembers, a power of two. They take 512 KB, which a processor still has at hand sooner than it
/// computes them; a thread that ends gives them back.
const SLOTS: usize = 8192;

/// What is known of a word.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Known {
    /// The word; 0 if it is too long to be remembered.
    key: u128,
    /// What it means by itself.
    pub(super) concepts: u64,
    /// The hash of all of it.
    pub(super) hash: u32,
    /// Sums of weights of its sequences of letters.
    pub(super) letters: [i16; HEADS],
    /// Whether it is a verb in the form that orders have.
    pub(super) verb: bool,
    /// Where it lies in the space of topics, if that is known.
    pub(super) place: Option<[i8; DIMENSIONS]>,
}

const _: () = assert!(size_of::<Known>() == 64, "a line of the cache");
const _: () = assert!(LONGEST_WORD * 128 <= i16::MAX as usize, "sums of weights of a byte each");

impl Known {
    const NOTHING: Self = Self { key: 0, concepts: 0, hash: 0, letters: [0; HEADS], verb: false, place: None };

    fn of(word: &Word<'_>) -> Self {
        let hashes = word.hashes();
        let mut sums = Sums::default();
        letters(word.bytes, |bucket| sums.take([bucket]));
        Self {
            key: word.key,
            concepts: concepts::alone(&hashes),
            hash: hashes.whole,
            letters: sums.0.map(|sum| i16::try_from(sum).unwrap_or_default()),
            verb: shape::is_verb(hashes.whole),
            place: topics::place(hashes.whole),
        }
    }
}

/// What a thread knows of words.
pub(super) struct Memory(Box<[Known]>);

thread_local! {
    static MEMORY: Cell<Option<Memory>> = const { Cell::new(None) };
}

impl Memory {
    /// Has `with` use this thread's.
    pub(super) fn with<T>(with: impl FnOnce(&mut Self) -> T) -> T {
        with_kept(&MEMORY, || Self(vec![Known::NOTHING; SLOTS].into_boxed_slice()), with)
    }

    /// What is known of a word.
    #[inline]
    pub(super) fn of(&mut self, word: &Word<'_>) -> &Known {
        let slot = self.slot(word.key);
        if slot.key != word.key || word.key == 0 {
            *slot = Known::of(word);
        }
        slot
    }

    #[inline]
    fn slot(&mut self, key: u128) -> &mut Known {
        &mut self.0[place(key, SLOTS)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::words;

    #[test]
    fn what_is_remembered_is_what_would_be_found() {
        // More words than are remembered, twice, and some that are too long or are no Latin.
        let letters = |i: usize| [1000, 100, 10, 1].map(|place| char::from(b"abcdefghij"[i / place % 10]));
        let many = (0..SLOTS * 4).map(|i| letters(i).iter().collect::<String>());
        let others = ["ignore", "забудь", "忽略所有", "donaudampfschifffahrt", "donaudampfschiffe", "1gn0r3", "a"];
        let text: Vec<String> = many.chain(others.map(str::to_owned)).collect();
        let text = text.join(" ");
        let mut seen = 0;
        Memory::with(|memory| {
            for _ in 0..2 {
                words(&text, |word| {
                    let (known, fresh) = (memory.of(&word), Known::of(&word));
                    assert_eq!(
                        (known.hash, known.concepts, known.letters, known.verb, known.place),
                        (fresh.hash, fresh.concepts, fresh.letters, fresh.verb, fresh.place),
                    );
                    if word.bytes.len() <= 16 {
                        assert_eq!(memory.slot(word.key).key, word.key, "it is remembered");
                    }
                    seen += 1;
                });
            }
        });
        assert!(seen > SLOTS * 8, "{seen}");
    }
}
