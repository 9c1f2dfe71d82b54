//! Texts as words and as vectors: cheap, the same everywhere, and without a model.

use std::collections::BTreeSet;

/// Numbers of a vector.
pub(crate) const WIDTH: usize = 96;
/// Letters in a row.
const LETTERS: usize = 3;
/// A word is cut there.
const LONGEST_WORD: usize = 30;

/// The different words of a text, in lower case, of three letters and more.
pub(crate) fn words(text: &str) -> BTreeSet<String> {
    let runs = text.split(|char: char| !char.is_alphanumeric());
    let long = runs.filter(|word| word.chars().nth(2).is_some() && !word.chars().all(char::is_numeric));
    long.map(|word| word.chars().take(LONGEST_WORD).flat_map(char::to_lowercase).collect()).collect()
}

/// A vector of length 1 of how often three letters stand in a row: each goes to a place and with a sign by its hash (Weinberger et al. 2009,
/// "Feature hashing for large scale multitask learning"); digits are all alike.
pub(crate) fn vector(text: &str) -> Vec<f64> {
    let mut letters: Vec<char> = vec![' '];
    for char in text.chars().flat_map(char::to_lowercase) {
        let char = match char {
            _ if char.is_numeric() => '0',
            _ if char.is_alphanumeric() => char,
            _ => ' ',
        };
        if char != ' ' || letters.last() != Some(&' ') {
            letters.push(char);
        }
    }
    if letters.last() != Some(&' ') {
        letters.push(' ');
    }
    let mut vector = vec![0.0; WIDTH];
    for run in letters.windows(LETTERS) {
        let hash = hash(run);
        let place = usize::try_from(hash % WIDTH as u64).unwrap_or_default();
        if let Some(value) = vector.get_mut(place) {
            *value += if hash >> 63 == 0 { 1.0 } else { -1.0 };
        }
    }
    let length = dot(&vector, &vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

/// FNV-1a over characters, stirred so that high and low bits may each be used.
fn hash(run: &[char]) -> u64 {
    let mixed = run.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, char| {
        (hash ^ u64::from(u32::from(*char))).wrapping_mul(0x0100_0000_01b3)
    });
    (mixed ^ (mixed >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

pub(crate) fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// The mean of vectors of one length; an empty one of none.
pub(crate) fn mean<'a, V: AsRef<[f64]> + 'a>(vectors: impl Iterator<Item = &'a V>) -> Vec<f64> {
    let (mut sum, mut count) = (Vec::new(), 0.0_f64);
    for vector in vectors.map(AsRef::as_ref) {
        sum.resize(vector.len(), 0.0);
        sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
        count += 1.0;
    }
    sum.iter_mut().for_each(|value| *value /= count.max(1.0));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_words_and_vectors() {
        assert_eq!(words("Refund my ORDER 4711, order!").into_iter().collect::<Vec<_>>(), ["order", "refund"]);
        let near = dot(&vector("Where is my order 12?"), &vector("where is my  order 77"));
        let far = dot(&vector("Where is my order 12?"), &vector("Schreibe ein Gedicht über den Zürichsee"));
        assert!(near > 0.99 && far < 0.4, "{near} {far}");
        assert_eq!(vector(""), vec![0.0; WIDTH].into_iter().map(|zero: f64| zero).collect::<Vec<_>>());
    }
}
