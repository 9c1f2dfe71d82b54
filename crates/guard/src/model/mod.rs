//! The trained model behind `prompt_injection`, `jailbreak`, `harmful_request` and `toxicity`: one pass over a
//! text scores it for all four.
//!
//! A text is cut into blocks of about a kilobyte, at the ends of lines and sentences; what a block scores depends on
//! nothing but the block, so that a stream finds what the whole text would. A block scores what it
//! scores as a whole, or its worst sentence, or the worst of what is encoded in it. `examples/train` makes the
//! weights; `data/MODEL_CARD.md` says of what.

use std::cell::{Cell, RefCell};
use std::sync::LazyLock;

mod block;
mod concepts;
mod features;
mod known;
mod marks;
mod rules;
mod scan;
mod shape;
mod table;
#[cfg(test)]
mod tests;
mod topics;
mod weights;

pub use self::block::{LONGEST, block_end};
pub use self::features::{DENSE, TOPICS, Take, Unit};
pub(crate) use self::scan::{Scan, scan, score};
pub use self::topics::DIMENSIONS;
pub use self::weights::{HeadSettings, VERSION, Weights};

use crate::normalise::{decode, fold};

/// Buckets of hashed features.
pub const BUCKETS: usize = 1 << 17;
/// How many things the model tells apart.
pub const HEADS: usize = 4;

/// What the model looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// Instructions that were not the caller's to give.
    PromptInjection,
    /// A technique to get past refusals.
    Jailbreak,
    /// A plainly harmful request.
    HarmfulRequest,
    /// Hateful, offensive or insulting text.
    Toxicity,
}

/// Calls `each` with what the model sees of a block: each sentence, each encoded text, then the whole; of a single
/// sentence that is the same, and comes once.
pub fn units<T: Take>(text: &str, mut each: impl FnMut(Unit<T>)) {
    let folded = fold(text);
    let mut whole: Option<Unit<T>> = None;
    let mut only: Option<Unit<T>> = None;
    let mut add = |unit: Unit<T>, each: &mut dyn FnMut(Unit<T>)| match &mut whole {
        Some(whole) => {
            if let Some(first) = only.take() {
                each(first);
            }
            whole.join(&unit);
            each(unit);
        }
        None => {
            let mut all = Unit::empty(unit.start);
            all.join(&unit);
            whole = Some(all);
            only = Some(unit);
        }
    };
    let mut sentences = Vec::new();
    features::sentences(&folded.text, |mut unit: Unit<T>| {
        // One character may have become many: then an end lies inside of it.
        unit.start = text.floor_char_boundary(folded.original(unit.start));
        unit.end = text.ceil_char_boundary(folded.original(unit.end));
        sentences.push(unit);
    });
    let most_apart = Unit::compare(&mut sentences);
    sentences.into_iter().for_each(|unit| add(unit, &mut each));
    for found in decode(&folded.text) {
        let start = text.floor_char_boundary(folded.original(found.start));
        let end = text.ceil_char_boundary(folded.original(found.end));
        features::sentences(&found.text, |mut unit: Unit<T>| {
            (unit.start, unit.end) = (start, end);
            add(unit, &mut each);
        });
    }
    if let Some(mut whole) = whole {
        whole.finish(&folded.text, most_apart);
        (whole.start, whole.end) = only.map_or((0, text.len()), |only| (only.start, only.end));
        each(whole);
    }
}

/// How a block scored for a head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scored {
    /// Above 0 it is flagged.
    pub(crate) logit: f32,
    /// Where what scored stands in the text.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The pattern that scored, if it was one.
    pub(crate) rule: Option<&'static str>,
}

/// How a block scored.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) end: usize,
    pub(crate) heads: [Scored; HEADS],
}

static FILE: &[u8] = include_bytes!("data/weights.bin");
static WEIGHTS: LazyLock<Option<Weights<'static>>> = LazyLock::new(|| Weights::read(FILE));

/// What was computed about one text, so that four scanners compute it once.
#[derive(Debug, Default)]
pub struct Notes {
    known: RefCell<Option<(usize, bool, Vec<Block>)>>,
    /// Microseconds that were spent on it before anybody asked.
    us: Cell<f64>,
}

impl Notes {
    /// What is known of a whole text whose blocks were judged before, in so many microseconds.
    pub(crate) fn of_whole(blocks: Vec<Block>, us: f64) -> Self {
        Self { known: RefCell::new(Some((0, false, blocks))), us: Cell::new(us) }
    }

    /// The time that was spent beforehand, once.
    pub(crate) fn take_us(&self) -> f64 {
        self.us.take()
    }

    /// Calls `each` with every block from `from` on that can be judged, and returns where the last one ends.
    pub(crate) fn blocks(&self, text: &str, from: usize, open: bool, mut each: impl FnMut(&Block)) -> usize {
        let mut known = self.known.borrow_mut();
        let fresh = matches!(&*known, Some((at, was_open, _)) if (*at, *was_open) == (from, open));
        if !fresh {
            *known = Some((from, open, judge_all(text, from, block_ends(text, from, open))));
        }
        let blocks = known.as_ref().map_or(&[][..], |(_, _, blocks)| blocks);
        blocks.iter().for_each(&mut each);
        blocks.last().map_or(from, |block| block.end)
    }
}

/// Sums of weights by head.
#[derive(Debug, Default)]
struct Sums([i32; HEADS]);

impl Take for Sums {
    #[inline]
    fn take<const N: usize>(&mut self, buckets: [usize; N]) {
        if let Some(weights) = &*WEIGHTS {
            // First among themselves: the sums are in memory, and each addition would wait for the one before.
            let mut all = [0; HEADS];
            for bucket in buckets {
                for (sum, weight) in all.iter_mut().zip(weights.bucket(bucket)) {
                    *sum += i32::from(weight);
                }
            }
            for (sum, more) in self.0.iter_mut().zip(all) {
                *sum += more;
            }
        }
    }

    fn take_all(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }

    fn take_letters(&mut self, _: &[u8], sums: &[i16; HEADS]) {
        for (sum, more) in self.0.iter_mut().zip(sums) {
            *sum += i32::from(*more);
        }
    }
}

/// Below this no pattern counts.
const SURELY_HARMLESS: f32 = -1.5;
/// Below this no pattern counts in a text that quotes words of an attack and speaks of them.
const MENTIONED: f32 = -1.0;

/// What is worst in a block for a head.
#[derive(Clone, Copy)]
struct Worst {
    logit: f32,
    start: usize,
    end: usize,
    /// The pattern of what is worst with one: what that scores with it, and where it is.
    pattern: Option<(f32, &'static rules::Pattern, usize, usize)>,
}

impl Worst {
    fn see(&mut self, logit: f32, pattern: Option<&'static rules::Pattern>, start: usize, end: usize) {
        if logit > self.logit {
            (self.logit, self.start, self.end) = (logit, start, end);
        }
        if let Some(pattern) = pattern
            && self.pattern.is_none_or(|(known, ..)| pattern.margin.max(logit) > known)
        {
            self.pattern = Some((pattern.margin.max(logit), pattern, start, end));
        }
    }

    /// What the block scores; `least` is what it must score at least for its pattern to count.
    fn scored(&self, whole: f32, least: f32) -> Scored {
        let logit = self.logit.max(whole);
        match self.pattern.filter(|_| logit > least) {
            // It says better what is wrong, and where, than the worst sentence does.
            Some((firm, pattern, start, end)) => {
                Scored { logit: logit.max(firm), start, end, rule: Some(pattern.rule) }
            }
            None => Scored { logit, start: self.start, end: self.end, rule: None },
        }
    }
}

/// Where each block from `from` on ends that can be judged.
pub(crate) fn block_ends(text: &str, from: usize, open: bool) -> impl Iterator<Item = usize> {
    std::iter::successors(block_end(text, from, open), move |&end| block_end(text, end, open))
}

/// Scores the blocks that stand from `from` on and end there.
pub(crate) fn judge_all(text: &str, from: usize, ends: impl Iterator<Item = usize>) -> Vec<Block> {
    let mut start = from;
    ends.map(|end| judge(text, std::mem::replace(&mut start, end), end)).collect()
}

/// Scores a block.
fn judge(text: &str, start: usize, end: usize) -> Block {
    let nothing = Scored { logit: f32::NEG_INFINITY, start, end, rule: None };
    let mut heads = [nothing; HEADS];
    let mut worst = [Worst { logit: f32::NEG_INFINITY, start, end, pattern: None }; HEADS];
    if let Some(weights) = &*WEIGHTS {
        units::<Sums>(text.get(start..end).unwrap_or_default(), |unit| {
            let logits = logits(weights, &unit);
            for (head, (worst, logit)) in worst.iter_mut().zip(logits).enumerate() {
                // A pattern is firm, unless the model is sure that the text is harmless.
                let pattern = rules::strongest(unit.patterns, head).filter(|_| logit > SURELY_HARMLESS);
                let (start, end) = (start + unit.start, start + unit.end);
                if !unit.whole {
                    worst.see(logit, pattern, start, end);
                    continue;
                }
                // The whole comes last. A sentence that is flagged says better where than the whole does.
                if worst.logit < 0.0 {
                    worst.see(logit, pattern, start, end);
                }
                let least = if unit.mentions() { MENTIONED } else { f32::NEG_INFINITY };
                heads[head] = worst.scored(logit, least);
            }
        });
    }
    Block { end, heads }
}

/// What a feature that is not hashed counts in a unit that has so many: in a long text each says less.
#[must_use]
pub fn dense_scale(count: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "at most a few thousand")]
    (12.0 / count.max(12) as f32).sqrt()
}

/// How far a unit is above the threshold of each head.
fn logits(weights: &Weights<'_>, unit: &Unit<Sums>) -> [f32; HEADS] {
    #[expect(clippy::cast_precision_loss, reason = "sums of a few thousand bytes")]
    let root = (unit.count.max(1) as f32).sqrt();
    let mut logits: [f32; HEADS] = std::array::from_fn(|i| {
        let head = &weights.heads[i];
        #[expect(clippy::cast_precision_loss, reason = "sums of a few thousand bytes")]
        let sum = unit.hashed.0[i] as f32;
        head.bias - head.threshold + head.hashed_scale * sum / root
    });
    let (sum, count) = dense_sum(weights, |each| unit.dense(each));
    let (together, pairs) = dense_sum(weights, |each| unit.together(each));
    #[expect(clippy::cast_precision_loss, reason = "at most a few thousand")]
    let root = (pairs.max(1) as f32).sqrt();
    for (logit, (sum, together)) in logits.iter_mut().zip(sum.into_iter().zip(together)) {
        *logit += sum * dense_scale(count) + together / root;
    }
    logits
}

/// The weights of features that are not hashed, summed, and how many they are.
fn dense_sum(weights: &Weights<'_>, features: impl FnOnce(&mut dyn FnMut(usize))) -> ([f32; HEADS], usize) {
    let (mut sums, mut count) = ([0.0; HEADS], 0);
    features(&mut |feature| {
        count += 1;
        for (sum, weight) in sums.iter_mut().zip(weights.dense(feature)) {
            *sum += weight;
        }
    });
    (sums, count)
}
