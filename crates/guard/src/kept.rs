//! What a thread keeps of words that it saw.

use std::cell::Cell;
use std::thread::LocalKey;

/// Has `with` use what the thread keeps, which `new` makes at first. If `with` panics, it is made anew.
#[inline]
pub(crate) fn with_kept<Kept, T>(
    kept: &'static LocalKey<Cell<Option<Kept>>>,
    new: impl FnOnce() -> Kept,
    with: impl FnOnce(&mut Kept) -> T,
) -> T {
    let mut mine = kept.take().unwrap_or_else(new);
    let done = with(&mut mine);
    kept.set(Some(mine));
    done
}

/// The place of a word among so many, a power of two.
#[inline]
pub(crate) fn place(key: u128, slots: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "halves")]
    let mixed = (key as u64 ^ (key >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> (u64::BITS - slots.trailing_zeros())) as usize
}
