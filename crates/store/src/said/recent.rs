//! What was said lately: which bodies are on disk, and who said what first in a session or trace. Bounded;
//! what is forgotten is stored again.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;

use super::reference::hash_of;
use crate::keys::Plain;

/// Entries of a generation. Two are kept: some 40 MB when all are full.
const GENERATION: usize = 300_000;

type Map<K, V> = HashMap<K, V, BuildHasherDefault<Plain>>;

/// The newer entries of a map, about half of which may go at a time.
#[derive(Debug)]
struct Generations<K, V> {
    young: Map<K, V>,
    old: Map<K, V>,
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Self { young: Map::default(), old: Map::default() }
    }
}

impl<K: Eq + Hash + Copy, V: Copy> Generations<K, V> {
    fn get(&self, key: K) -> Option<V> {
        self.young.get(&key).or_else(|| self.old.get(&key)).copied()
    }

    fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= GENERATION {
            // The room of the old ones is what the young ones will take.
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(key, value);
    }
}

/// What appends remember of those before them. Only of what is on disk: an append that fails leaves nothing.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// When the span began that a body came with, microseconds.
    stored: Generations<u128, i64>,
    /// The span that said a message first in its session or trace.
    first: Generations<u64, u64>,
}

impl Recent {
    pub(super) fn stored(&self, hash: u128) -> Option<i64> {
        self.stored.get(hash)
    }

    pub(super) fn first(&self, said: u64) -> Option<u64> {
        self.first.get(said)
    }

    /// Remembers bodies that the journal brings back.
    pub(crate) fn replay(&mut self, rows: &RecordBatch) {
        let hashes = rows.column_by_name("hash").and_then(|column| column.as_string_opt::<i32>());
        let times = rows.column_by_name("time");
        let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        let (Some(hashes), Some(times)) = (hashes, times) else { return };
        for (hash, time) in hashes.iter().flatten().zip(times.values()) {
            if let Some(hash) = hash_of(hash) {
                self.remember_stored(hash, *time);
            }
        }
    }

    pub(super) fn remember_stored(&mut self, hash: u128, time: i64) {
        self.stored.insert(hash, time);
    }

    pub(super) fn remember_first(&mut self, said: u64, span: u64) {
        if self.first.young.contains_key(&said) {
            return;
        }
        // What is still said stays.
        let span = self.first.get(said).unwrap_or(span);
        self.first.insert(said, span);
    }

    /// What is used stays.
    pub(super) fn refresh(&mut self, hash: u128) {
        if !self.stored.young.contains_key(&hash)
            && let Some(time) = self.stored.get(hash)
        {
            self.stored.insert(hash, time);
        }
    }

    /// Bodies may be erased: all are stored again.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut recent = Recent::default();
        recent.remember_stored(7, 70);
        recent.remember_first(1, 10);
        for n in 0..2 * GENERATION as u64 + 10 {
            recent.remember_stored(u128::from(n) + 100, 0);
            recent.remember_first(n + 100, n);
            recent.refresh(7);
            recent.remember_first(1, 11);
        }
        assert_eq!(recent.stored(7), Some(70));
        assert_eq!(recent.first(1), Some(10));
        assert_eq!(recent.stored(100), None);
        assert!(recent.stored.young.len() + recent.stored.old.len() <= 2 * GENERATION);
        recent.forget();
        assert_eq!((recent.stored(7), recent.first(1)), (None, None));
    }
}
