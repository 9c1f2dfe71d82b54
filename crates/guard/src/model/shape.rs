//! What a text looks like beside its words: how long sentences are, how they end, and whether an order stands among
//! sentences that are none.

use std::sync::LazyLock;

use super::concepts::Concept::{Act, Ask, Encode, Exec, Exfil, FromNow, Halt, Override, Reveal, Task};
use super::concepts::set;
use super::table::Table;
use crate::normalise::hash;

/// How many features they are.
pub(super) const COUNT: usize = 25;

const QUESTION: u32 = 0;
const EXCLAMATION: u32 = 1;
const CAPITALS: u32 = 2;
const QUOTED: u32 = 3;
/// Six features: up to how many words.
const WORDS: u32 = 4;
const ORDER: u32 = 10;
/// Five features: up to how many sentences.
const SENTENCES: u32 = 11;
/// Nine features: none, one or more orders, and none, some or many other sentences.
const ORDERS: u32 = 16;

/// Concepts that an order begins with.
const ORDERING: u64 = set(Act)
    | set(Ask)
    | set(Encode)
    | set(Exec)
    | set(Exfil)
    | set(FromNow)
    | set(Halt)
    | set(Override)
    | set(Reveal)
    | set(Task);

/// Hashes of verbs that an order begins with.
static VERBS: LazyLock<Table<()>> = LazyLock::new(|| {
    let mut verbs = Table::new(1 << 10);
    let lines = include_str!("data/verbs.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(|line| line.split(' ')).for_each(|verb| *verbs.entry(hash(verb)) = ());
    verbs
});

/// Whether a word with this hash is a verb in the form that orders have.
pub(super) fn is_verb(hash: u32) -> bool {
    VERBS.get(hash).is_some()
}

/// Whether a sentence is an order whose first words mean this.
pub(super) fn is_order(first_words: u64) -> bool {
    first_words & ORDERING != 0
}

/// How a sentence of `words` words, `capitals` of them in capitals, looks; `rest` is what follows its last word.
pub(super) fn sentence(words: u32, capitals: u32, order: bool, quoted: bool, rest: &[u8]) -> u32 {
    let end = rest.iter().take(4).find(|byte| matches!(byte, b'?' | b'!' | b'.' | b'\n'));
    let length = [3, 6, 10, 18, 30].iter().filter(|&&most| words > most).count();
    let mut shape = 1 << WORDS << length;
    shape |= u32::from(end == Some(&b'?')) << QUESTION;
    shape |= u32::from(end == Some(&b'!')) << EXCLAMATION;
    shape |= u32::from(capitals >= 3 && capitals * 2 >= words) << CAPITALS;
    shape | u32::from(order) << ORDER | u32::from(quoted) << QUOTED
}

/// What a sentence of this shape wants, that begins with a verb or doesn't: an order (0), a question (1), or neither.
pub(super) fn kind(shape: u32, verb: bool) -> usize {
    if verb || shape & 1 << ORDER != 0 { 0 } else { 2 - usize::from(shape & 1 << QUESTION != 0) }
}

/// How a text of so many sentences looks.
pub(super) fn whole(sentences: u32, orders: u32) -> u32 {
    let length = [1, 2, 4, 9].iter().filter(|&&most| sentences > most).count();
    let step = |n: u32, many: u32| if n == 0 { 0 } else { 1 + u32::from(n >= many) };
    1 << SENTENCES << length | 1 << ORDERS << (step(orders, 2) * 3 + step(sentences.saturating_sub(orders), 3))
}

/// Whether what stands before `at` opens something: a quotation, a comment, a tag, a value, an item of a list.
pub(super) fn opens(bytes: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| bytes.get(at)).copied();
    let byte = if before(1) == Some(b' ') { before(2) } else { before(1) };
    byte.is_some_and(|byte| {
        matches!(byte, b':' | b'"' | b'\'' | b'(' | b'[' | b'{' | b'>' | b'#' | b'*' | b'-' | b'=' | b'|' | b'/' | b'`')
    })
}

/// Whether a quotation opens right before `at`.
pub(super) fn quotes(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(|byte| matches!(byte, b'"' | b'\'' | b'`'))
}

/// Whether a quotation that `mark` opened ends in what stands between two words.
pub(super) fn closes(between: &[u8], mark: u8) -> bool {
    // A mark right before the next word opens one, unless nothing else stands there.
    let (last, before) = between.split_last().unwrap_or((&0, &[]));
    before.contains(&mark) || (before.is_empty() && *last == mark)
}
