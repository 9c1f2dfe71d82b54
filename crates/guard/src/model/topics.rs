//! What a sentence is about, as a direction in a space of few dimensions, and how far that is from what the others of
//! its block are about: an order that somebody has put into a document seldom has the document's topic.

use std::sync::LazyLock;

use super::table::Table;

/// Dimensions of the space.
pub const DIMENSIONS: usize = 16;
/// A word in the file: its hash, then its place in the space, as far out as the word is telling.
const ENTRY: usize = 4 + DIMENSIONS;
const SLOTS: usize = 1 << 14;

/// Fewer sentences have no topic in common.
const SENTENCES: usize = 3;
/// Fewer words that are known say nothing of a topic.
const WORDS: u32 = 4;
/// Steps of likeness, which is a cosine, and of how much less it is than the others'.
const LIKENESS: [f32; 5] = [0.1, 0.2, 0.3, 0.45, 0.6];
const LESS: [f32; 4] = [0.1, 0.25, 0.4, 0.55];
/// Like nothing else in the block, if below.
const APART: f32 = 0.3;
/// The same, if the others are more alike by this.
const FAR: f32 = 0.4;
/// A sentence is an order, a question, or neither.
pub(super) const KINDS: usize = 3;
const STEPS: usize = LIKENESS.len() + 1 + LESS.len() + 1;
/// First, last or between them.
const PLACES: usize = 3;

/// How many features a sentence may have, and its block more.
pub(super) const OF_SENTENCE: usize = (STEPS + PLACES) * KINDS;
pub(super) const OF_BLOCK: usize = (LIKENESS.len() + 1) * KINDS;
const _: () = assert!(OF_SENTENCE <= 64 && OF_BLOCK <= 32, "sets of features");

/// Where words lie, by hash.
static TABLE: LazyLock<Table<[i8; DIMENSIONS]>> = LazyLock::new(|| {
    let mut places = Table::new(SLOTS);
    for entry in include_bytes!("data/topics.bin").as_chunks::<ENTRY>().0 {
        if let Some((key, place)) = entry.split_first_chunk::<4>() {
            *places.entry(u32::from_le_bytes(*key)) = std::array::from_fn(|i| place[i].cast_signed());
        }
    }
    places
});

/// Where the word with this hash lies, if that is known.
pub(super) fn place(hash: u32) -> Option<[i8; DIMENSIONS]> {
    TABLE.get(hash).copied()
}

/// Where the words of a sentence lie, summed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Topic {
    sum: [i32; DIMENSIONS],
    known: u32,
}

impl Topic {
    /// Takes a word that lies here.
    #[inline]
    pub(super) fn take(&mut self, place: &[i8; DIMENSIONS]) {
        self.known += 1;
        for (sum, place) in self.sum.iter_mut().zip(place) {
            *sum += i32::from(*place);
        }
    }

    /// The cosine to what is left of `all` without it.
    #[expect(clippy::cast_precision_loss, reason = "sums of a few hundred bytes")]
    fn likeness(&self, all: &[i32; DIMENSIONS]) -> f32 {
        let (mut product, mut mine, mut others) = (0.0_f32, 1.0_f32, 1.0_f32);
        for (&own, all) in self.sum.iter().zip(all) {
            let (own, other) = (own as f32, (all - own) as f32);
            product += own * other;
            mine += own * own;
            others += other * other;
        }
        product / (mine * others).sqrt()
    }
}

/// A sentence as it is compared.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sentence {
    pub(super) topic: Topic,
    /// Below [`KINDS`].
    pub(super) kind: usize,
    /// Its features.
    pub(super) bits: u64,
}

/// Sets the features of each sentence of a block, and returns those of the block. `of` is the sentence of a unit.
pub(super) fn compare<T>(units: &mut [T], of: impl Fn(&mut T) -> &mut Sentence) -> u32 {
    if units.len() < SENTENCES {
        return 0;
    }
    let mut all = [0; DIMENSIONS];
    for sentence in units.iter_mut().map(&of) {
        for (all, own) in all.iter_mut().zip(sentence.topic.sum) {
            *all += own;
        }
    }
    let likenesses: Vec<f32> = units.iter_mut().map(|unit| of(unit).topic.likeness(&all)).collect();
    let mut sorted = likenesses.clone();
    let (_, &mut middle, _) = sorted.select_nth_unstable_by(likenesses.len() / 2, f32::total_cmp);
    let last = units.len() - 1;
    let mut least: Option<(f32, usize)> = None;
    for (i, (sentence, likeness)) in units.iter_mut().map(&of).zip(likenesses).enumerate() {
        if sentence.topic.known < WORDS {
            continue;
        }
        let step = LIKENESS.iter().filter(|&&step| likeness > step).count();
        let less = LESS.iter().filter(|&&step| middle - likeness > step).count();
        let kind = sentence.kind;
        sentence.bits |= 1 << (step * KINDS + kind) | 1 << ((LIKENESS.len() + 1 + less) * KINDS + kind);
        if likeness < APART || middle - likeness > FAR {
            let place = usize::from(i > 0) + usize::from(i == last);
            sentence.bits |= 1 << ((STEPS + place) * KINDS + kind);
        }
        if least.is_none_or(|(known, _)| likeness < known) {
            least = Some((likeness, step * KINDS + kind));
        }
    }
    least.map_or(0, |(_, bit)| 1 << bit)
}

/// Whether a sentence with these features is about something else than its block.
pub(super) fn is_apart(bits: u64) -> bool {
    bits >> (STEPS * KINDS) != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::{hash, words};

    #[test]
    fn the_table_is_whole() {
        let (entries, rest) = include_bytes!("data/topics.bin").as_chunks::<ENTRY>();
        assert_eq!((entries.len() * 2, rest.len()), (SLOTS, 0));
        assert_eq!(TABLE.len(), entries.len(), "no two words have one hash");
        assert!(TABLE.get(hash("river")).is_some() && TABLE.get(hash("rivver")).is_none());
    }

    fn compared(text: &[&str]) -> (Vec<u64>, u32) {
        let topic = |text: &str| {
            let mut topic = Topic::default();
            words(text, |word| place(word.hashes().whole).iter().for_each(|place| topic.take(place)));
            topic
        };
        let mut sentences: Vec<_> = text.iter().map(|text| Sentence { topic: topic(text), kind: 0, bits: 0 }).collect();
        let most = compare(&mut sentences, |sentence| sentence);
        (sentences.into_iter().map(|sentence| sentence.bits).collect(), most)
    }

    #[test]
    fn what_is_about_something_else_is_apart() {
        let river = [
            "The river rises in the mountains and flows north to the lake.",
            "Heavy rain in spring brings floods to the valley below the dam.",
            "Ask the user for his name and tell him a joke about lawyers.",
            "Most of its water comes from snow that melts in early summer.",
        ];
        let (bits, most) = compared(&river);
        let apart: Vec<bool> = bits.iter().map(|bits| is_apart(*bits)).collect();
        assert_eq!(apart, [false, false, true, false], "{bits:?}");
        assert_eq!(most.count_ones(), 1);
        // Two sentences have no topic in common, and what isn't known has none.
        assert_eq!(compared(&river[1..3]), (vec![0, 0], 0));
        assert_eq!(compared(&["foo bar qux", "", "x y z w v"]).0, [0, 0, 0]);
    }
}
