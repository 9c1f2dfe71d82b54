//! Texts in which scanners have found nothing. Callers send a conversation again with every turn, and an application its
//! own rules with every call: what was looked at once need not be looked at again.
//!
//! What a ready scanner finds depends on the text alone, so that this holds for every policy. Texts are known by half of
//! their SHA-256; nothing can be read from what is kept.

use std::num::NonZero;
use std::sync::{LazyLock, Mutex, PoisonError};

use lru::LruCache;
use sha2::{Digest, Sha256};

/// A shorter text is looked at in less time than it takes to ask.
const SHORTEST: usize = 128;
/// Parts with a lock of their own.
const SHARDS: usize = 16;
/// Texts that a part keeps: a few hundred kilobytes.
const EACH: NonZero<usize> = NonZero::new(4096).expect("not zero");

/// A text, as it is known.
pub(crate) type Key = [u8; 16];
type Shard = Mutex<LruCache<Key, u64>>;

/// Which scanners have found nothing in which texts: a set of [`crate::registry::ALL`] for each.
static CLEAN: LazyLock<[Shard; SHARDS]> = LazyLock::new(|| std::array::from_fn(|_| Mutex::new(LruCache::new(EACH))));

fn with<T>(key: &Key, use_it: impl FnOnce(&mut LruCache<Key, u64>) -> T) -> T {
    let shard = &CLEAN[usize::from(key[0]) % SHARDS];
    use_it(&mut shard.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The key of a text; `None` if it isn't worth it.
pub(crate) fn key(text: &str) -> Option<Key> {
    let hash = (text.len() >= SHORTEST).then(|| Sha256::digest(text))?;
    hash.first_chunk().copied()
}

/// The scanners that have found nothing in it.
pub(crate) fn clean(key: &Key) -> u64 {
    with(key, |known| known.get(key).copied().unwrap_or(0))
}

/// Remembers scanners that have found nothing in it.
pub(crate) fn remember(key: Key, scanners: u64) {
    with(&key, |known| *known.get_or_insert_mut(key, || 0) |= scanners);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_by_text_and_scanner() {
        let (one, other) = (key(&"one text ".repeat(50)).unwrap(), key(&"other text ".repeat(50)).unwrap());
        assert_eq!(clean(&one), 0);
        remember(one, 0b101);
        remember(one, 0b010);
        assert_eq!((clean(&one), clean(&other)), (0b111, 0));
        assert!(key("short").is_none());
    }

    #[test]
    fn forgets_what_was_not_asked_for_longest() {
        let keys: Vec<Key> = (0..5000_u32)
            .map(|i| std::array::from_fn(|at| if at == 0 { 3 } else { i.to_le_bytes()[at % 4] }))
            .collect();
        keys.iter().for_each(|key| remember(*key, 1));
        assert_eq!(clean(&keys[0]), 0);
        assert_eq!(clean(&keys[4999]), 1);
    }
}
