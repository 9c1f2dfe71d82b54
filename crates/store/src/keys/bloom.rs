//! A split-block Bloom filter as in the Parquet specification: 16 bits a key, wrong once in some hundred times.
//! Its first words stay in memory and answer alone to nearly all that isn't there; the rest stays on disk.

use std::io;

const SALT: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];
/// Each append asks every file's filter, and a wrong answer costs a read: 10 bits were wrong six times as often.
const BITS_A_KEY: usize = 16;
/// Words of 32 bits in a block.
const WORDS: usize = 8;
pub(super) const BLOCK_BYTES: usize = WORDS * 4;
/// Words of each block that stay in memory: 6 bits a key. Of keys that aren't there they let 7 in 100 through, each of
/// which costs a read of a block, far less than a read of entries.
const KEPT: usize = 3;

type Block = [u32; WORDS];

/// All of a filter, as it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bloom(Vec<Block>);

impl Bloom {
    /// For so many keys.
    pub(super) fn for_keys(keys: usize) -> Self {
        let blocks = (keys * BITS_A_KEY).div_ceil(WORDS * 32).max(1);
        Self(vec![[0; WORDS]; blocks])
    }

    pub(super) fn insert(&mut self, hash: u64) {
        let block = place(hash, self.0.len());
        for (word, bit) in self.0[block].iter_mut().zip(bits(hash)) {
            *word |= bit;
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }
}

/// What of a filter stays in memory.
#[derive(Debug)]
pub(super) struct Kept(Vec<[u32; KEPT]>);

impl Kept {
    /// Of a filter's bytes.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let (blocks, []) = bytes.as_chunks::<BLOCK_BYTES>() else { return None };
        let first = |bytes: &[u8; BLOCK_BYTES]| {
            let [a, b, c, ..] = words(bytes);
            [a, b, c]
        };
        (!blocks.is_empty()).then(|| Self(blocks.iter().map(first).collect()))
    }

    /// Whether a key may be there; the rest of its block is read only when what stays can't rule that out.
    pub(super) fn may_contain(
        &self,
        hash: u64,
        read: impl FnOnce(usize) -> io::Result<[u8; BLOCK_BYTES]>,
    ) -> io::Result<bool> {
        let (place, bits) = (place(hash, self.0.len()), bits(hash));
        // Without asking in between, so that the branch can be foreseen.
        if self.0[place].iter().zip(bits).fold(false, |missing, (word, bit)| missing | (word & bit == 0)) {
            return Ok(false);
        }
        Ok(words(&read(place)?).iter().zip(bits).all(|(word, bit)| word & bit != 0))
    }
}

/// The block of a key: the hash's upper half, scaled to the number of blocks.
fn place(hash: u64, blocks: usize) -> usize {
    (((hash >> 32) * blocks as u64) >> 32) as usize
}

fn words(bytes: &[u8; BLOCK_BYTES]) -> Block {
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
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
        let bytes = bloom.to_bytes();
        let (blocks, _) = bytes.as_chunks::<BLOCK_BYTES>();
        let kept = Kept::of(&bytes).unwrap();
        let mut reads = 0;
        let mut may_contain = |n| {
            kept.may_contain(hash(n), |place| {
                reads += 1;
                Ok(blocks[place])
            })
            .unwrap()
        };
        assert!((0..10_000).all(&mut may_contain));
        let wrong = (10_000..110_000).filter(|&n| may_contain(n)).count();
        assert!(wrong < 400, "{wrong} of 100,000");
        assert!(reads < 10_000 + 8_000, "{reads} reads");
        assert_eq!(size_of_val(&*kept.0) * 8, 10_000 * 6);
        assert!(Kept::of(b"short").is_none());
    }

    #[test]
    fn a_block_that_cannot_be_read_is_no_answer() {
        let mut bloom = Bloom::for_keys(1);
        bloom.insert(7);
        let kept = Kept::of(&bloom.to_bytes()).unwrap();
        assert!(kept.may_contain(7, |_| Err(io::Error::other("gone"))).is_err());
    }
}
