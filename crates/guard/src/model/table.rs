//! What is known of words, by their hash.

/// Open addressing, to be half full at most. No key is 0.
pub(super) struct Table<T> {
    /// A bit for each key, by its hash, eight for a slot: most words are not known, which one bit says.
    filter: Vec<u64>,
    keys: Vec<u32>,
    values: Vec<T>,
    shift: u32,
}

/// Bits of the filter for each slot, as a power of two.
const FILTER_BITS: u32 = 3;

#[inline]
fn mix(key: u32) -> u32 {
    key.wrapping_mul(0x9E37_79B1)
}

impl<T: Clone + Default> Table<T> {
    /// An empty one of so many slots, a power of two.
    pub(super) fn new(slots: usize) -> Self {
        let shift = u32::BITS - slots.trailing_zeros();
        let filter = vec![0; (slots << FILTER_BITS).div_ceil(u64::BITS as usize)];
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
    fn bit(&self, key: u32) -> (usize, u64) {
        let hash = mix(key) >> (self.shift - FILTER_BITS);
        ((hash / u64::BITS) as usize, 1 << (hash % u64::BITS))
    }

    /// What is known of a word; the default at first.
    pub(super) fn entry(&mut self, key: u32) -> &mut T {
        let at = self.slot(key);
        let (word, bit) = self.bit(key);
        self.filter[word] |= bit;
        self.keys[at] = key;
        &mut self.values[at]
    }

    #[inline]
    pub(super) fn get(&self, key: u32) -> Option<&T> {
        let (word, bit) = self.bit(key);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_entered_is_known_and_nothing_else() {
        let mut table = Table::new(1 << 10);
        let keys = |from: u32| (from..from + 500).map(|n| n.wrapping_mul(0x0101_4F17) | 1);
        keys(0).zip(0..).for_each(|(key, n)| *table.entry(key) = n);
        assert!(keys(0).zip(0..).all(|(key, n)| table.get(key) == Some(&n)));
        assert_eq!(table.len(), 500);
        assert!(keys(500).all(|key| table.get(key).is_none()));
    }
}
