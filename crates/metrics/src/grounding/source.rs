//! What an answer is held against, with the places of its words.

use std::collections::{HashMap, HashSet};

use super::read::{Reader, Word};

/// Words that stand nearer than this say something of one another.
const NEAR: usize = 12;
/// A word that stands in more places is everywhere; the first ones are enough.
const MOST_PLACES: usize = 80;

/// The texts of the context as one.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) words: Vec<Word>,
    /// Places by stem, ascending; stems are small numbers.
    places: HashMap<u32, Vec<usize>>,
    /// Words in lower case.
    pub(super) lower: HashSet<String>,
    numbers: HashSet<u64>,
    pairs: HashSet<(u32, u32)>,
    gaps: HashSet<(u32, u32)>,
    /// How many negations stand before each place.
    negations: Vec<usize>,
    /// The first five letters of its longer words.
    beginnings: HashSet<String>,
}

impl Source {
    /// Reads the texts.
    pub(super) fn new(reader: &mut Reader, texts: &[&str]) -> Self {
        let words: Vec<Word> = texts.iter().flat_map(|text| reader.read(text)).collect();
        let mut places: HashMap<u32, Vec<usize>> = HashMap::new();
        let mut negations = vec![0];
        for (at, word) in words.iter().enumerate() {
            places.entry(word.stem).or_default().push(at);
            negations.push(negations[at] + usize::from(word.is_negation()));
        }
        let stems: Vec<u32> = words.iter().map(|word| word.stem).collect();
        Self {
            lower: words.iter().map(|word| word.lower.clone()).collect(),
            numbers: words.iter().filter_map(|word| word.number).collect(),
            pairs: stems.windows(2).map(|run| (run[0], run[1])).collect(),
            gaps: stems.windows(3).map(|run| (run[0], run[2])).collect(),
            beginnings: words.iter().filter_map(|word| beginning(&word.lower)).collect(),
            words,
            places,
            negations,
        }
    }

    /// Where a stem stands.
    pub(super) fn places(&self, stem: u32) -> &[usize] {
        let places = self.places.get(&stem).map_or(&[][..], Vec::as_slice);
        &places[..places.len().min(MOST_PLACES)]
    }

    /// Whether a stem stands in it.
    pub(super) fn has(&self, stem: u32) -> bool {
        self.places.contains_key(&stem)
    }

    /// Whether a number stands in it, in digits or in words.
    pub(super) fn has_number(&self, number: u64) -> bool {
        self.numbers.contains(&number)
    }

    /// How much a stem says: more the rarer it is.
    pub(super) fn weight(&self, stem: u32) -> f64 {
        let times = self.places.get(&stem).map_or(1, Vec::len);
        (1.0 + self.words.len().max(1) as f64 / times as f64).ln()
    }

    /// How many negations stand in a range of places.
    pub(super) fn negations(&self, from: usize, to: usize) -> usize {
        let count = |at: usize| self.negations[at.min(self.words.len())];
        count(to) - count(from).min(count(to))
    }

    /// Whether two stems follow one another.
    pub(super) fn has_pair(&self, one: u32, two: u32) -> bool {
        self.pairs.contains(&(one, two))
    }

    /// Whether two stems stand around one word.
    pub(super) fn has_gap(&self, one: u32, two: u32) -> bool {
        self.gaps.contains(&(one, two))
    }

    /// Whether a word begins as one of its words does.
    pub(super) fn has_beginning(&self, lower: &str) -> bool {
        beginning(lower).is_some_and(|beginning| self.beginnings.contains(&beginning))
    }

    /// How much of the weight of some stems stands near one place of `stem`, at best.
    pub(super) fn company(&self, stem: u32, others: &[u32]) -> f64 {
        let weights: Vec<(u32, f64)> = others.iter().map(|other| (*other, self.weight(*other))).collect();
        let all: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let near = |place: usize| -> f64 {
            let is_near = |other: u32| {
                let places = self.places.get(&other).map_or(&[][..], Vec::as_slice);
                let first = places.partition_point(|at| at + NEAR < place);
                places.get(first).is_some_and(|at| *at <= place + NEAR)
            };
            weights.iter().filter(|(other, _)| is_near(*other)).map(|(_, weight)| weight).sum()
        };
        let best = self.places(stem).iter().map(|place| near(*place)).fold(0.0, f64::max);
        if all > 0.0 { best / all } else { 1.0 }
    }

    /// How near two stems come.
    pub(super) fn distance(&self, one: u32, two: u32) -> usize {
        let others = self.places(two);
        let nearest = |place: usize| {
            let behind = others.partition_point(|at| *at < place);
            let around = [others.get(behind), behind.checked_sub(1).and_then(|at| others.get(at))];
            around.into_iter().flatten().map(|at| at.abs_diff(place)).min().unwrap_or(usize::MAX)
        };
        self.places(one).iter().map(|place| nearest(*place)).min().unwrap_or(usize::MAX)
    }

    /// The stretch that holds most of the weight of some stems: where it begins, and the share that it holds.
    pub(super) fn stretch(&self, stems: &HashSet<u32>, length: usize) -> (usize, f64) {
        const STEP: usize = 10;
        let mut weights: Vec<(u32, f64)> = stems.iter().map(|stem| (*stem, self.weight(*stem))).collect();
        // Sums of fractions depend on their order, and that of a set is another each time.
        weights.sort_unstable_by_key(|(stem, _)| *stem);
        let all: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let (mut best, mut place) = (0.0, 0);
        for start in (0..self.words.len().max(1)).step_by(STEP) {
            let held = |stem: u32| {
                let places = self.places.get(&stem).map_or(&[][..], Vec::as_slice);
                let first = places.partition_point(|at| *at < start);
                places.get(first).is_some_and(|at| *at < start + length)
            };
            let found = weights.iter().filter(|(stem, _)| held(*stem)).map(|(_, weight)| weight).sum();
            if found > best {
                (best, place) = (found, start);
            }
        }
        (place, if all > 0.0 { best / all } else { 1.0 })
    }
}

/// The first letters of a word that is long enough for them to say something.
fn beginning(lower: &str) -> Option<String> {
    const LETTERS: usize = 5;
    let begin: String = lower.chars().take(LETTERS).collect();
    (begin.chars().count() == LETTERS).then_some(begin)
}
