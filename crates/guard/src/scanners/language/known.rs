//! What words cost in each language. Most words of a text are few words: each thread remembers those that it saw last, as
//! they are, until others take their places; nothing is written out.

use std::cell::Cell;

use super::script::Script;
use super::table::{self, Costs};
use crate::kept::{place, with_kept};

/// Words that a thread remembers, a power of two. They take 64 KB; a thread that ends gives them back.
const SLOTS: usize = 512;
/// Languages of the Latin script, as the table pads them: only words of ASCII are remembered.
const LANGUAGES: usize = table::width(Script::Latin);
/// A longer word is not remembered.
const LONGEST: usize = size_of::<u128>();

const _: () = assert!(LONGEST * table::ROW * u8::MAX as usize <= u16::MAX as usize, "sums of costs of a byte each");

#[derive(Debug, Clone, Copy)]
#[repr(align(128))]
struct Known {
    /// The word; 0 if there is none yet.
    key: u128,
    /// Sums of what its rows cost.
    costs: [u16; LANGUAGES],
}

/// What a thread knows of words.
pub(super) struct Memory(Box<[Known]>);

thread_local! {
    static MEMORY: Cell<Option<Memory>> = const { Cell::new(None) };
}

impl Memory {
    /// Has `with` use this thread's.
    pub(super) fn with<T>(with: impl FnOnce(&mut Self) -> T) -> T {
        let nothing = Known { key: 0, costs: [0; LANGUAGES] };
        with_kept(&MEMORY, || Self(vec![nothing; SLOTS].into_boxed_slice()), with)
    }

    /// What a word of the Latin script costs, if it is one that can be remembered.
    pub(super) fn of(&mut self, word: &str, costs: &Costs) -> Option<&[u16]> {
        let key = key(word)?;
        let slot = &mut self.0[place(key, SLOTS)];
        if slot.key != key {
            slot.key = key;
            slot.costs = [0; LANGUAGES];
            table::rows_of(word, |row| table::add(&mut slot.costs, costs.of(row)));
        }
        Some(&slot.costs)
    }
}

/// The letters of a word of ASCII, in small ones: rows are counted in them.
fn key(word: &str) -> Option<u128> {
    let mut bytes = [0; LONGEST];
    bytes.get_mut(..word.len())?.copy_from_slice(word.as_bytes());
    let small = bytes.map(|byte| byte.to_ascii_lowercase());
    bytes.is_ascii().then(|| u128::from_le_bytes(small))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_would_be_found() {
        let costs = Costs::of_script(Script::Latin).unwrap();
        // More words than are remembered, twice.
        let letters = |i: usize| [100, 10, 1].map(|place| char::from(b"abcdefghij"[i / place % 10]));
        let many: Vec<String> = (0..SLOTS * 3 / 2).map(|i| letters(i).iter().collect()).collect();
        Memory::with(|memory| {
            for _ in 0..2 {
                for word in many.iter().map(String::as_str).chain(["Don't", "don't", "incomprehensibly"]) {
                    let mut fresh = [0; LANGUAGES];
                    let mut rows = 0;
                    table::rows_of(word, |row| {
                        table::add(&mut fresh, costs.of(row));
                        rows += 1;
                    });
                    assert_eq!(memory.of(word, &costs), Some(&fresh[..]), "{word}");
                    assert_eq!(rows, word.len() * table::ROW, "{word}");
                    let key = key(word).unwrap();
                    assert_eq!(memory.0[place(key, SLOTS)].key, key, "it is remembered");
                }
            }
            for word in ["donaudampfschiffe", "überall"] {
                assert_eq!(memory.of(word, &costs), None, "{word} is too long, or not of ASCII");
            }
        });
    }
}
