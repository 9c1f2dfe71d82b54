//! Logistic regression by stochastic gradient descent, a head at a time, with balanced sources.

use std::collections::HashMap;

use signalbox_guard::model::{BUCKETS, DENSE, HEADS, Head, TOPICS, Unit, dense_scale, units};

use crate::random::Random;
use crate::rows::Row;

const EPOCHS: usize = 8;
/// The model is the mean of what it was after each epoch from this one on.
const MEAN_FROM: usize = 2;
/// How far a step goes at first.
const RATE: f32 = 1.0;
/// The same for features that are not hashed, which are few and strong.
const DENSE_STEP: f32 = 0.04;
const TOGETHER_STEP: f32 = 0.15;
/// What a weight loses in an epoch, hashed ones by head.
const DECAY_HASHED: [f32; HEADS] = [0.2, 0.2, 0.05, 0.1];
const DECAY_DENSE: f32 = 0.01;
/// The share of features that are left out each time an example is seen, hashed ones by head, and others: no word
/// alone may decide, which sources that were not seen gain by.
const LEFT_OUT_HASHED: [f32; HEADS] = [0.5, 0.3, 0.3, 0.0];
const LEFT_OUT_DENSE: [f32; HEADS] = [0.1, 0.0, 0.0, 0.0];
/// A feature is learnt only from at least so many different texts: nothing of one text can be read from the model.
const SEEN: u16 = 4;

/// The features of a block or of its worst sentence.
pub(crate) struct Example {
    hashed: Vec<u32>,
    dense: Vec<u32>,
    together: Vec<u32>,
    pub(crate) labels: [Option<bool>; HEADS],
    pub(crate) source: usize,
    pub(crate) group: usize,
    /// The same for all units of a row.
    pub(crate) row: usize,
    whole: bool,
}

/// A head of a model in the making.
pub(crate) struct Plain {
    pub(crate) bias: f32,
    pub(crate) hashed: Vec<f32>,
    pub(crate) dense: Vec<f32>,
}

impl Plain {
    fn new() -> Self {
        Self { bias: 0.0, hashed: vec![0.0; BUCKETS], dense: vec![0.0; DENSE] }
    }

    fn add(&mut self, other: &Self, share: f32) {
        self.bias += other.bias * share;
        let hashed = self.hashed.iter_mut().zip(&other.hashed);
        for (mine, other) in hashed.chain(self.dense.iter_mut().zip(&other.dense)) {
            *mine += other * share;
        }
    }

    pub(crate) fn score(&self, example: &Example) -> f32 {
        self.of(&example.hashed, &example.dense, &example.together)
    }

    fn of(&self, hashed: &[u32], dense: &[u32], together: &[u32]) -> f32 {
        let sum = |weights: &[f32], features: &[u32]| features.iter().map(|&at| weights[at as usize]).sum::<f32>();
        self.bias
            + sum(&self.hashed, hashed) * scale(hashed)
            + sum(&self.dense, dense) * dense_scale(dense.len())
            + sum(&self.dense, together) * scale(together)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few thousand")]
fn scale(features: &[u32]) -> f32 {
    1.0 / (features.len().max(1) as f32).sqrt()
}

/// The features of every sentence of every row, and of every row.
pub(crate) fn examples(rows: &[Row], sources: &mut Vec<String>) -> Vec<Example> {
    let mut out = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let source = sources.iter().position(|known| *known == row.source).unwrap_or_else(|| {
            sources.push(row.source.clone());
            sources.len() - 1
        });
        units(&row.text, |unit: Unit<Vec<u32>>| {
            let (mut dense, mut together) = (Vec::new(), Vec::new());
            unit.dense(|feature| dense.push(u32::try_from(feature).unwrap_or_default()));
            unit.together(|feature| together.push(u32::try_from(feature).unwrap_or_default()));
            let (labels, group) = (row.labels.0, row.group);
            out.push(Example { hashed: unit.hashed, dense, together, labels, source, group, row: index, whole: false });
        });
        // The whole comes last.
        if let Some(last) = out.last_mut().filter(|last| last.row == index) {
            last.whole = true;
        }
    }
    out
}

/// Which features are in enough texts.
fn frequent(examples: &[Example], use_row: &(dyn Fn(&Example) -> bool + Sync)) -> (Vec<bool>, Vec<bool>) {
    let mut hashed = vec![(0_u16, usize::MAX); BUCKETS];
    let mut dense = vec![(0_u16, usize::MAX); DENSE];
    let count = |counts: &mut Vec<(u16, usize)>, features: &[u32], group: usize| {
        for &feature in features {
            let (count, last) = &mut counts[feature as usize];
            if *last != group {
                (*count, *last) = (count.saturating_add(1), group);
            }
        }
    };
    for example in examples.iter().filter(|example| example.whole && use_row(example)) {
        count(&mut hashed, &example.hashed, example.group);
        count(&mut dense, &example.dense, example.group);
        count(&mut dense, &example.together, example.group);
    }
    let enough = |counts: Vec<(u16, usize)>| counts.into_iter().map(|(count, _)| count >= SEEN).collect();
    (enough(hashed), enough(dense))
}

/// Trains all heads on the examples that `use_row` lets pass.
pub(crate) fn train(examples: &[Example], weight: &[f32], use_row: &(dyn Fn(&Example) -> bool + Sync)) -> Vec<Plain> {
    let frequent = frequent(examples, use_row);
    let one = |head: usize| {
        let mut frequent = frequent.clone();
        // What has another topic was put there by somebody: that is what injections are, and nothing else.
        if head != Head::PromptInjection as usize {
            frequent.1[TOPICS].fill(false);
        }
        let usable = |i: &usize| use_row(&examples[*i]) && examples[*i].labels[head].is_some();
        let chosen: Vec<usize> = (0..examples.len()).filter(usable).collect();
        train_head(examples, &chosen, head, weight, &frequent)
    };
    let one = &one;
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..HEADS).map(|head| scope.spawn(move || one(head))).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

/// Trains twice: the second time also on the worst sentence of each row, as the first model sees it, since a text is
/// judged by its worst sentence.
fn train_head(
    examples: &[Example],
    chosen: &[usize],
    head: usize,
    weight: &[f32],
    frequent: &(Vec<bool>, Vec<bool>),
) -> Plain {
    let (mut wholes, sentences): (Vec<usize>, Vec<usize>) = chosen.iter().copied().partition(|&i| examples[i].whole);
    let first = descend(examples, &wholes, head, weight, frequent);
    let mut worst: HashMap<usize, (f32, usize)> = HashMap::new();
    for i in sentences {
        let score = first.score(&examples[i]);
        let best = worst.entry(examples[i].row).or_insert((score, i));
        if score > best.0 {
            *best = (score, i);
        }
    }
    let mut worst: Vec<usize> = worst.into_values().map(|(_, i)| i).collect();
    worst.sort_unstable();
    wholes.extend(worst);
    descend(examples, &wholes, head, weight, frequent)
}

#[expect(clippy::cast_precision_loss, reason = "a few epochs")]
fn descend(
    examples: &[Example],
    chosen: &[usize],
    head: usize,
    weight: &[f32],
    (hashed, dense): &(Vec<bool>, Vec<bool>),
) -> Plain {
    let (mut model, mut mean) = (Plain::new(), Plain::new());
    let mut random = Random::new(0x5163_4EA1_B0C5);
    let mut order = chosen.to_vec();
    let weights = balance(examples, chosen, head, weight);
    let [mut words, mut signs, mut pairs] = [const { Vec::new() }; 3];
    for epoch in 0..EPOCHS {
        random.shuffle(&mut order);
        let rate = RATE / (1.0 + epoch as f32 * 0.7);
        for &i in &order {
            let example = &examples[i];
            let positive = example.labels[head] == Some(true);
            let wanted = f32::from(u8::from(positive));
            random.thin(&example.hashed, LEFT_OUT_HASHED[head], &mut words);
            random.thin(&example.dense, LEFT_OUT_DENSE[head], &mut signs);
            random.thin(&example.together, LEFT_OUT_DENSE[head], &mut pairs);
            let guess = 1.0 / (1.0 + (-model.of(&words, &signs, &pairs)).exp());
            let pull = rate * weights[&(example.source, usize::from(positive))].min(8.0) * (wanted - guess);
            model.bias += pull * 0.1;
            let step = pull * DENSE_STEP * dense_scale(signs.len());
            for &feature in signs.iter().filter(|feature| dense[**feature as usize]) {
                model.dense[feature as usize] += step;
            }
            let step = pull * TOGETHER_STEP * scale(&pairs);
            for &feature in pairs.iter().filter(|feature| dense[**feature as usize]) {
                model.dense[feature as usize] += step;
            }
            let step = pull * scale(&words);
            for &bucket in words.iter().filter(|bucket| hashed[**bucket as usize]) {
                model.hashed[bucket as usize] += step;
            }
        }
        model.hashed.iter_mut().for_each(|weight| *weight *= 1.0 - DECAY_HASHED[head]);
        model.dense.iter_mut().for_each(|weight| *weight *= 1.0 - DECAY_DENSE);
        if epoch >= MEAN_FROM {
            mean.add(&model, 1.0 / (EPOCHS - MEAN_FROM) as f32);
        }
    }
    mean
}

/// What an example of each source counts: sources by the square root of their size, both labels the same in sum.
#[expect(clippy::cast_precision_loss, reason = "counts of a few thousand")]
fn balance(examples: &[Example], chosen: &[usize], head: usize, weight: &[f32]) -> HashMap<(usize, usize), f32> {
    let mut counts: HashMap<(usize, usize), f32> = HashMap::new();
    for &i in chosen {
        let side = usize::from(examples[i].labels[head] == Some(true));
        *counts.entry((examples[i].source, side)).or_default() += 1.0;
    }
    let share = |source: usize, count: f32| weight[source] * count.sqrt();
    let total: [f32; 2] = std::array::from_fn(|side| {
        let mut of_side: Vec<_> = counts.iter().filter(|((_, s), _)| *s == side).collect();
        of_side.sort_by_key(|((source, _), _)| *source);
        of_side.iter().map(|((source, _), count)| share(*source, **count)).sum()
    });
    let half = chosen.len() as f32 / 2.0;
    let each = |(&(source, side), &count): (&(usize, usize), &f32)| {
        ((source, side), half * share(source, count) / total[side] / count)
    };
    counts.iter().map(each).collect()
}
