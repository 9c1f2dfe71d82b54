//! What people corrected, shown to the judge as examples: those that are most like the case. Likeness is one of letters: pieces of
//! three to five characters within words, weighed by how rare they are (TF-IDF), hashed into a fixed number of buckets. It knows no
//! synonyms and no other language; it needs no model.

use std::collections::HashMap;

use signalbox_metrics::{Case, Input};

/// A power of two: few pieces share a bucket.
const BUCKETS: u64 = 1 << 18;
/// Of longer texts the beginning counts.
const MOST_BYTES: usize = 16 << 10;
/// What has less in common than this is no example.
const LEAST: f64 = 0.02;

/// An item that people judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// The item.
    pub case: Case,
    /// What people say of it, as the judge would have to.
    pub verdict: String,
    /// Why.
    pub reason: Option<String>,
}

/// Items that people judged, found by likeness.
#[derive(Debug, Clone)]
pub struct Examples {
    corrections: Vec<Correction>,
    /// Of each, sorted by bucket, of length 1.
    vectors: Vec<Vec<(u64, f64)>>,
    /// How rare the pieces of a bucket are.
    rarity: HashMap<u64, f64>,
    unseen: f64,
}

impl Examples {
    /// Makes them ready to be looked up.
    #[must_use]
    pub fn new(corrections: Vec<Correction>) -> Self {
        let counts: Vec<HashMap<u64, f64>> = corrections.iter().map(|one| pieces(&text(&one.case))).collect();
        let mut documents: HashMap<u64, f64> = HashMap::new();
        for bucket in counts.iter().flat_map(HashMap::keys) {
            *documents.entry(*bucket).or_insert(0.0) += 1.0;
        }
        // Smooth, as scikit-learn's TfidfTransformer: as if one more item had every piece.
        let all = corrections.len() as f64 + 1.0;
        let rarity: HashMap<u64, f64> =
            documents.into_iter().map(|(bucket, n)| (bucket, (all / (n + 1.0)).ln() + 1.0)).collect();
        let mut examples = Self { corrections, vectors: Vec::new(), rarity, unseen: all.ln() + 1.0 };
        examples.vectors = counts.into_iter().map(|counts| examples.vector(counts)).collect();
        examples
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.corrections.len()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.corrections.is_empty()
    }

    /// Those that are most like a case, the nearest last, where the judge reads it last. The case itself is never among them: a judge
    /// that is told the answer shows nothing.
    #[must_use]
    pub fn nearest(&self, case: &Case, most: usize) -> Vec<&Correction> {
        let vector = self.vector(pieces(&text(case)));
        let same = |one: &Case| [Input::Input, Input::Output].iter().all(|input| one.find(*input) == case.find(*input));
        let others = self.corrections.iter().zip(&self.vectors).filter(|(one, _)| !same(&one.case));
        let mut found: Vec<(f64, &Correction)> = others.map(|(one, other)| (likeness(&vector, other), one)).collect();
        found.retain(|(likeness, _)| *likeness >= LEAST);
        found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        found.truncate(most);
        found.into_iter().rev().map(|(_, one)| one).collect()
    }

    fn vector(&self, counts: HashMap<u64, f64>) -> Vec<(u64, f64)> {
        let weigh = |(bucket, count): (u64, f64)| {
            (bucket, (1.0 + count.ln()) * self.rarity.get(&bucket).unwrap_or(&self.unseen))
        };
        let mut vector: Vec<(u64, f64)> = counts.into_iter().map(weigh).collect();
        let length = vector.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
        vector.sort_unstable_by_key(|(bucket, _)| *bucket);
        vector.iter_mut().for_each(|(_, weight)| *weight /= length);
        vector
    }
}

/// The cosine of two vectors of length 1.
fn likeness(one: &[(u64, f64)], other: &[(u64, f64)]) -> f64 {
    let (mut left, mut right, mut sum) = (one.iter().peekable(), other.iter().peekable(), 0.0);
    while let (Some((a, weight)), Some((b, other))) = (left.peek(), right.peek()) {
        match a.cmp(b) {
            std::cmp::Ordering::Less => {
                left.next();
            }
            std::cmp::Ordering::Greater => {
                right.next();
            }
            std::cmp::Ordering::Equal => {
                sum += weight * other;
                left.next();
                right.next();
            }
        }
    }
    sum
}

/// What an item is found by: what was asked and what was answered.
fn text(case: &Case) -> String {
    let mut text = String::new();
    for value in [Input::Input, Input::Output].into_iter().filter_map(|input| case.find(input)) {
        match value.as_str() {
            Some(said) => text.push_str(said),
            None => text.push_str(&value.to_string()),
        }
        text.push('\n');
    }
    text.truncate(text.floor_char_boundary(MOST_BYTES));
    text.to_lowercase()
}

/// Pieces of the words, by bucket.
fn pieces(text: &str) -> HashMap<u64, f64> {
    let mut counts = HashMap::new();
    for word in text.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty()) {
        // The ends of a word are pieces of their own.
        let letters: Vec<char> = std::iter::once(' ').chain(word.chars()).chain([' ']).collect();
        for size in 3..=5 {
            for piece in letters.windows(size) {
                *counts.entry(bucket(piece)).or_insert(0.0) += 1.0;
            }
        }
    }
    counts
}

/// FNV-1a.
fn bucket(piece: &[char]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for letter in piece {
        hash = (hash ^ u64::from(u32::from(*letter))).wrapping_mul(0x0000_0100_0000_01b3);
    }
    (hash ^ (hash >> 32)) % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn correction(output: &str) -> Correction {
        Correction { case: Case::new().with(Input::Output, output), verdict: "no".into(), reason: None }
    }

    #[test]
    fn the_nearest_are_found_and_never_the_case_itself() {
        let texts = [
            "Your parcel was delivered yesterday to a neighbour.",
            "Paris is the capital of France.",
            "Parcels are delivered by our neighbours in Paris.",
            "You can reset the password in the settings.",
        ];
        let examples = Examples::new(texts.map(correction).to_vec());
        let asked = Case::new().with(Input::Output, "The parcel wasn't delivered; a neighbour has it.");
        let near: Vec<_> =
            examples.nearest(&asked, 2).into_iter().map(|one| one.case.text(Input::Output).unwrap()).collect();
        assert_eq!(near, [texts[2], texts[0]]);
        let own = Case::new().with(Input::Output, texts[1]);
        assert!(examples.nearest(&own, 4).iter().all(|one| one.case != own));
        assert!(examples.nearest(&Case::new().with(Input::Output, "漢字"), 4).is_empty());
        assert!(Examples::new(vec![]).nearest(&own, 4).is_empty());
    }
}
