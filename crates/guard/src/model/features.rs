//! What the model sees of a text: hashes of words, of word sequences and of letter sequences, concepts, which
//! concepts stand near each other or in one text, patterns, marks and shapes.

use std::ops::Range;

use super::concepts::{self, Concept, join, set};
use super::known::{Known, Memory};
use super::rules::{Matching, PATTERNS};
use super::topics::{self, Sentence};
use super::{BUCKETS, HEADS, marks, shape};
use crate::normalise::{Word, words};

/// Words that a concept looks back to find a neighbour.
const NEAR: usize = 6;
/// A sentence longer than this many words goes on as another one.
const LONGEST_SENTENCE: u32 = 60;
/// This many words from where something opens, a concept opens it.
const OPENING: u32 = 2;
const PAIRS: usize = concepts::COUNT * concepts::COUNT;

/// Concepts by which a text speaks of what it quotes.
const FRAME: u64 = set(Concept::Defence) | set(Concept::Reported);
/// Concepts that orders of attacks have.
const ORDERED: u64 = set(Concept::Override) | set(Concept::Prompt) | set(Concept::FromNow) | set(Concept::Unrestricted);

/// How many features there are that are not hashed.
pub const DENSE: usize = TOPICS.end;
/// Those that say how a sentence's topic differs from its block's.
pub const TOPICS: Range<usize> = {
    let start = concepts::COUNT * 4 + PAIRS * 2 + PATTERNS.len() + marks::COUNT + shape::COUNT;
    start..start + topics::OF_SENTENCE + concepts::COUNT + topics::OF_BLOCK
};

/// What takes hashed features: sums of weights when scoring, lists when training.
pub trait Take: Default {
    /// Takes the features in these buckets.
    fn take<const N: usize>(&mut self, buckets: [usize; N]);
    /// Takes all that another one has taken.
    fn take_all(&mut self, other: &Self);
    /// Takes the sequences of letters of a word, whose weights sum up to `sums`.
    fn take_letters(&mut self, word: &[u8], sums: &[i16; HEADS]);
}

impl Take for Vec<u32> {
    fn take<const N: usize>(&mut self, buckets: [usize; N]) {
        self.extend(buckets.map(|bucket| u32::try_from(bucket).unwrap_or_default()));
    }

    fn take_all(&mut self, other: &Self) {
        self.extend_from_slice(other);
    }

    fn take_letters(&mut self, word: &[u8], _: &[i16; HEADS]) {
        letters(word, |bucket| self.take([bucket]));
    }
}

/// The features of a sentence or of a longer piece.
#[derive(Debug, Clone)]
pub struct Unit<T> {
    /// What took the hashed features.
    pub hashed: T,
    /// How many there were.
    pub count: u32,
    concepts: u64,
    /// Concepts that open a sentence, a quotation, a comment and the like.
    opening: u64,
    /// Concepts that stand inside of a quotation.
    quoted: u64,
    /// Of each concept that it has, those that stand near and behind it.
    pairs: [u64; concepts::COUNT],
    /// Patterns that were completed, a bit for each.
    pub(crate) patterns: u64,
    marks: u32,
    shape: u32,
    sentences: u32,
    orders: u32,
    /// Its topic, if it is a sentence, and how the topics of its sentences differ from their block's.
    sentence: Sentence,
    /// Concepts of sentences that are about something else.
    strange: u64,
    /// How the sentence that differs most does.
    most_apart: u32,
    /// Whether it is all of a text.
    pub(crate) whole: bool,
    /// Where it starts in the text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl<T: Take> Unit<T> {
    pub(super) fn empty(start: usize) -> Self {
        Self {
            hashed: T::default(),
            count: 0,
            concepts: 0,
            opening: 0,
            quoted: 0,
            pairs: [0; concepts::COUNT],
            patterns: 0,
            marks: 0,
            shape: 0,
            sentences: 0,
            orders: 0,
            sentence: Sentence::default(),
            strange: 0,
            most_apart: 0,
            whole: false,
            start,
            end: start,
        }
    }

    fn hashed<const N: usize>(&mut self, hashes: [u32; N]) {
        self.hashed.take(hashes.map(bucket));
        self.count += u32::try_from(N).unwrap_or_default();
    }

    fn letters(&mut self, word: &[u8], sums: &[i16; HEADS]) {
        self.hashed.take_letters(word, sums);
        self.count += u32::try_from(word.len().saturating_sub(1)).unwrap_or_default();
    }

    /// Makes one of both. `other` comes later in the text.
    pub(crate) fn join(&mut self, other: &Self) {
        self.hashed.take_all(&other.hashed);
        self.count += other.count;
        self.concepts |= other.concepts;
        self.opening |= other.opening;
        self.quoted |= other.quoted;
        bits(other.concepts, |first| self.pairs[first] |= other.pairs[first]);
        self.patterns |= other.patterns;
        self.marks |= other.marks;
        self.shape |= other.shape;
        self.sentences += other.sentences;
        self.orders += other.orders;
        self.sentence.bits |= other.sentence.bits;
        self.strange |= other.strange;
        self.end = self.end.max(other.end);
    }

    /// Says that this is all of a text.
    pub(crate) fn finish(&mut self, text: &str, most_apart: u32) {
        self.most_apart = most_apart;
        self.marks |= marks::marks(text);
        self.shape |= shape::whole(self.sentences, self.orders);
        self.whole = true;
    }

    /// Sets what its topic is beside those of the sentences of its block, and returns what the block's feature is.
    pub(crate) fn compare(units: &mut [Self]) -> u32 {
        let most = topics::compare(units, |unit| &mut unit.sentence);
        for unit in units {
            unit.strange = if topics::is_apart(unit.sentence.bits) { unit.concepts } else { 0 };
        }
        most
    }

    /// Every feature that is not hashed, as an index below [`DENSE`], but for those of [`Unit::together`].
    pub fn dense(&self, mut each: impl FnMut(usize)) {
        let mut base = PAIRS;
        bits(self.concepts, |bit| each(base + bit));
        base += concepts::COUNT;
        bits(self.opening, |bit| each(base + bit));
        base += concepts::COUNT;
        bits(self.concepts, |first| {
            bits(self.pairs[first], |second| each(base + first * concepts::COUNT + second));
        });
        base += PAIRS;
        bits(self.patterns, |bit| each(base + bit));
        base += PATTERNS.len();
        bits(u64::from(self.marks), |bit| each(base + bit));
        base += marks::COUNT;
        bits(u64::from(self.shape), |bit| each(base + bit));
        base += shape::COUNT;
        bits(self.quoted, |bit| each(base + bit));
        base += concepts::COUNT;
        if self.concepts & FRAME != 0 {
            bits(self.quoted, |bit| each(base + bit));
        }
        base += concepts::COUNT;
        bits(self.sentence.bits, |bit| each(base + bit));
        base += topics::OF_SENTENCE;
        bits(self.strange, |bit| each(base + bit));
        base += concepts::COUNT;
        bits(u64::from(self.most_apart), |bit| each(base + bit));
    }

    /// Whether words of an attack stand in quotations and others speak of them: a mention, it seems, and no use.
    pub(crate) fn mentions(&self) -> bool {
        self.quoted & ORDERED != 0 && self.concepts & FRAME != 0
    }

    /// Each two concepts that stand in it, near each other or not: features that count the less the more there are.
    pub fn together(&self, mut each: impl FnMut(usize)) {
        bits(self.concepts, |a| {
            bits(self.concepts & !(u64::MAX >> (63 - a)), |b| each(a * concepts::COUNT + b));
        });
    }

    fn pair(&mut self, first: u64, second: u64) {
        bits(first, |first| self.pairs[first] |= second);
    }
}

/// Calls `each` with the place of every bit of a set.
#[inline]
pub(super) fn bits(mut set: u64, mut each: impl FnMut(usize)) {
    while set != 0 {
        each(set.trailing_zeros() as usize);
        set &= set - 1;
    }
}

/// The bucket of a feature.
#[inline]
fn bucket(hash: u32) -> usize {
    let mixed = (hash ^ hash >> 15).wrapping_mul(0x85EB_CA6B);
    (mixed >> (32 - BUCKETS.trailing_zeros())) as usize
}

/// Different kinds of features with one hash are different features.
const SKIP: u32 = 0x1B87_3593;
const LETTERS: u32 = 0xCC9E_2D51;

/// Calls `each` with the features of every sentence, in order.
pub(crate) fn sentences<T: Take>(text: &str, mut each: impl FnMut(Unit<T>)) {
    let bytes = text.as_bytes();
    let mut reading = Reading::new();
    Memory::with(|memory| {
        words(text, |word| {
            if (word.starts_sentence || reading.place >= LONGEST_SENTENCE)
                && let Some(unit) = std::mem::replace(&mut reading, Reading::new()).done(bytes)
            {
                each(unit);
            }
            reading.word(&word, memory.of(&word), bytes);
        });
    });
    if let Some(unit) = reading.done(bytes) {
        each(unit);
    }
}

/// A sentence while it is read.
struct Reading<T> {
    unit: Option<Unit<T>>,
    matching: Matching,
    /// Words so far.
    place: u32,
    /// Where the last one starts.
    start: usize,
    /// Hashes of the last two words and of the phrase they make.
    one: u32,
    two: u32,
    phrase: u32,
    /// What the last words mean.
    near: [u64; NEAR],
    /// The place of the last word that opened something.
    opened: u32,
    /// What the first words mean.
    first: u64,
    /// Whether it begins with a verb as orders do.
    verb: bool,
    /// Words in capitals.
    capitals: u32,
    quoted: bool,
    /// The mark that opened the quotation that is being read, or 0.
    inside: u8,
    /// Where the last word ends.
    end: usize,
}

impl<T: Take> Reading<T> {
    fn new() -> Self {
        Self {
            unit: None,
            matching: Matching::new(),
            place: 0,
            start: 0,
            one: 0,
            two: 0,
            phrase: 0,
            near: [0; NEAR],
            opened: 1,
            first: 0,
            verb: false,
            capitals: 0,
            quoted: false,
            inside: 0,
            end: 0,
        }
    }

    fn word(&mut self, word: &Word<'_>, known: &Known, bytes: &[u8]) {
        let unit = self.unit.get_or_insert_with(|| Unit::empty(word.start));
        unit.end = word.end;
        // A pair of Chinese letters stands where its first letter does.
        let same_place = self.place > 0 && word.start == self.start;
        self.place += u32::from(!same_place);
        self.start = word.start;
        let hash = known.hash;
        let pair = join(self.one, hash);
        let triple = join(self.phrase, hash);
        if let Some(place) = &known.place {
            unit.sentence.topic.take(place);
        }
        if self.place > 2 {
            unit.hashed([hash, pair, join(self.two, hash) ^ SKIP, triple]);
        } else {
            unit.hashed([hash, pair]);
        }
        unit.letters(word.bytes, &known.letters);
        self.verb |= self.place <= OPENING && known.verb;
        let mut meant = known.concepts | concepts::ending(pair, triple);
        let last = self.near[(self.place as usize + NEAR - 1) % NEAR];
        // "Don't forget" is the opposite of "forget".
        if word.bytes.starts_with(b"forget") && last & set(Concept::Negation) != 0 {
            meant &= !set(Concept::Override);
        }
        if self.inside != 0 && shape::closes(bytes.get(self.end..word.start).unwrap_or_default(), self.inside) {
            self.inside = 0;
        }
        self.end = word.end;
        if shape::opens(bytes, word.start) {
            self.opened = self.place;
            if shape::quotes(bytes, word.start) {
                meant |= set(Concept::Quote);
                self.quoted = true;
                self.inside = bytes.get(word.start - 1).copied().unwrap_or_default();
            }
        }
        let written = bytes.get(word.start..word.end).unwrap_or_default();
        self.capitals += u32::from(written.len() > 1 && written.iter().all(u8::is_ascii_uppercase));
        if meant != 0 {
            unit.concepts |= meant;
            if self.inside != 0 {
                unit.quoted |= meant;
            }
            if self.place - self.opened < OPENING {
                unit.opening |= meant;
                self.first |= meant;
            }
            for before in self.near {
                unit.pair(before, meant);
            }
            unit.patterns |= self.matching.step(self.place, meant);
        }
        let here = &mut self.near[self.place as usize % NEAR];
        *here = if same_place { *here | meant } else { meant };
        (self.two, self.one, self.phrase) = (self.one, hash, pair);
    }

    fn done(self, bytes: &[u8]) -> Option<Unit<T>> {
        let mut unit = self.unit?;
        let order = shape::is_order(self.first);
        let rest = bytes.get(unit.end..).unwrap_or_default();
        unit.shape = shape::sentence(self.place, self.capitals, order, self.quoted, rest);
        unit.sentence.kind = shape::kind(unit.shape, self.verb);
        (unit.sentences, unit.orders) = (1, u32::from(order));
        Some(unit)
    }
}

/// The buckets of all sequences of four letters in ` word `, which are one fewer than its bytes.
pub(super) fn letters(word: &[u8], mut each: impl FnMut(usize)) {
    let mut last = u32::from(b' ');
    for (i, &byte) in word.iter().chain(b" ").enumerate() {
        last = last << 8 | u32::from(byte);
        if i >= 2 {
            each(bucket(last.wrapping_mul(0xC2B2_AE35) ^ LETTERS));
        }
    }
}
