//! A split-block Bloom filter as in the Parquet specification: one cache line a look-up, 16 bits a
//! key, wrong once in some hundred times.

use std::ops::Range;

const SALT: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];
/// Each append asks every file's filter, and a wrong answer costs a read: 10 bits were wrong six times as often.
const BITS_A_KEY: usize = 16;
/// Words of 32 bits in a block.
const WORDS: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bloom(Vec<[u32; WORDS]>);

impl Bloom {
    /// For so many keys.
    pub(super) fn for_keys(keys: usize) -> Self {
        let blocks = (keys * BITS_A_KEY).div_ceil(WORDS * 32).max(1);
        Self(vec![[0; WORDS]; blocks])
    }

    pub(super) fn insert(&mut self, hash: u64) {
        let block = self.block(hash);
        for (word, bit) in self.0[block].iter_mut().zip(bits(hash)) {
            *word |= bit;
        }
    }

    pub(super) fn may_contain(&self, hash: u64) -> bool {
        let (block, bits) = (&self.0[self.block(hash)], bits(hash));
        let all_of = |words: Range<usize>| words.fold(true, |all, i| all & (block[i] & bits[i] != 0));
        // Half of them without asking in between: that rules out 97 of 100, so the branch can be foreseen.
        all_of(0..WORDS / 2) && all_of(WORDS / 2..WORDS)
    }

    fn block(&self, hash: u64) -> usize {
        // The upper half, scaled to the number of blocks.
        (((hash >> 32) * self.0.len() as u64) >> 32) as usize
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (blocks, []) = bytes.as_chunks::<{ WORDS * 4 }>() else { return None };
        let block = |bytes: &[u8; WORDS * 4]| {
            let mut words = [0; WORDS];
            for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *word = u32::from_le_bytes(*bytes);
            }
            words
        };
        (!blocks.is_empty()).then(|| Self(blocks.iter().map(block).collect()))
    }
}

fn bits(hash: u64) -> [u32; WORDS] {
    SALT.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 27))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_it_took_and_little_else() {
        let hash = |n: u64| super::super::first_of(&n.to_string());
        let mut bloom = Bloom::for_keys(10_000);
        (0..10_000).for_each(|n| bloom.insert(hash(n)));
        assert!((0..10_000).all(|n| bloom.may_contain(hash(n))));
        let wrong = (10_000..110_000).filter(|&n| bloom.may_contain(hash(n))).count();
        assert!(wrong < 400, "{wrong} of 100,000");
        assert_eq!(Bloom::from_bytes(&bloom.to_bytes()), Some(bloom));
        assert_eq!(Bloom::from_bytes(b"short"), None);
    }
}
