//! What is known of words, by their hash.

/// Open addressing, to be half full at most. No key is 0.
pub(super) struct Table<T> {
    /// A bit for each key, by its hash: most words are not known, and fewer bytes are read to see it.
    filter: Vec<u64>,
    keys: Vec<u32>,
    values: Vec<T>,
    shift: u32,
}

/// As many as a few thousand words leave mostly clear, in 8 KB.
const FILTER_BITS: u32 = 16;

#[inline]
fn mix(key: u32) -> u32 {
    key.wrapping_mul(0x9E37_79B1)
}

impl<T: Clone + Default> Table<T> {
    /// An empty one of so many slots, a power of two.
    pub(super) fn new(slots: usize) -> Self {
        let shift = u32::BITS - slots.trailing_zeros();
        let filter = vec![0; (1 << FILTER_BITS) / u64::BITS as usize];
        Self { filter, keys: vec![0; slots], values: vec![T::default(); slots], shift }
    }

    fn slot(&self, key: u32) -> usize {
        let mut at = (mix(key) >> self.shift) as usize;
        while self.keys[at] != 0 && self.keys[at] != key {
            at = (at + 1) % self.keys.len();
        }
        at
    }

    /// The place of its bit in the filter.
    #[inline]
    fn bit(key: u32) -> (usize, u64) {
        let hash = mix(key) >> (u32::BITS - FILTER_BITS);
        ((hash / u64::BITS) as usize, 1 << (hash % u64::BITS))
    }

    /// What is known of a word; the default at first.
    pub(super) fn entry(&mut self, key: u32) -> &mut T {
        let at = self.slot(key);
        let (word, bit) = Self::bit(key);
        self.filter[word] |= bit;
        self.keys[at] = key;
        &mut self.values[at]
    }

    #[inline]
    pub(super) fn get(&self, key: u32) -> Option<&T> {
        let (word, bit) = Self::bit(key);
        if self.filter[word] & bit == 0 {
            return None;
        }
        let at = self.slot(key);
        if self.keys[at] == 0 { None } else { Some(&self.values[at]) }
    }

    /// How many words are known.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.keys.iter().filter(|key| **key != 0).count()
    }
}
