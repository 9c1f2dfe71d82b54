//! What is known of words, by their hash.

/// Open addressing, to be half full at most. Keys stand apart, so that looking in vain touches little memory. No key is 0.
pub(super) struct Table<T> {
    keys: Vec<u32>,
    values: Vec<T>,
    shift: u32,
}

impl<T: Clone + Default> Table<T> {
    /// An empty one of so many slots, a power of two.
    pub(super) fn new(slots: usize) -> Self {
        let shift = u32::BITS - slots.trailing_zeros();
        Self { keys: vec![0; slots], values: vec![T::default(); slots], shift }
    }

    fn slot(&self, key: u32) -> usize {
        let mut at = (key.wrapping_mul(0x9E37_79B1) >> self.shift) as usize;
        while self.keys[at] != 0 && self.keys[at] != key {
            at = (at + 1) % self.keys.len();
        }
        at
    }

    /// What is known of a word; the default at first.
    pub(super) fn entry(&mut self, key: u32) -> &mut T {
        let at = self.slot(key);
        self.keys[at] = key;
        &mut self.values[at]
    }

    #[inline]
    pub(super) fn get(&self, key: u32) -> Option<&T> {
        let at = self.slot(key);
        if self.keys[at] == 0 { None } else { Some(&self.values[at]) }
    }

    /// How many words are known.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.keys.iter().filter(|key| **key != 0).count()
    }
}
