//! What people corrected, shown to the judge as examples: those that are most like the case. Likeness is one of meaning, if an
//! embedding model is named, or else of letters: pieces of three to five characters within words, weighed by how rare they are
//! (TF-IDF), hashed into a fixed number of buckets. That knows no synonyms and no other language; it needs no model.

use std::collections::HashMap;

use signalbox_metrics::{Case, Input};

use super::meaning::Meaning;
use crate::embedding::EmbeddingModel;
use crate::judge::Tally;

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
    meaning: Option<Meaning>,
}

/// Items that are most like a case.
#[derive(Debug)]
pub struct Nearest<'a> {
    /// The nearest last, where the judge reads it last.
    pub corrections: Vec<&'a Correction>,
    /// What asking an embedding model took.
    pub tally: Tally,
    /// Why these are nearest by letters, though they should be by meaning.
    pub problem: Option<String>,
}

impl Examples {
    /// Makes them ready to be looked up.
    #[must_use]
    pub fn new(corrections: Vec<Correction>) -> Self {
        let counts: Vec<HashMap<u64, f64>> =
            corrections.iter().map(|one| pieces(&text(&one.case).to_lowercase())).collect();
        let mut documents: HashMap<u64, f64> = HashMap::new();
        for bucket in counts.iter().flat_map(HashMap::keys) {
            *documents.entry(*bucket).or_insert(0.0) += 1.0;
        }
        // Smooth, as scikit-learn's TfidfTransformer: as if one more item had every piece.
        let all = corrections.len() as f64 + 1.0;
        let rarity: HashMap<u64, f64> =
            documents.into_iter().map(|(bucket, n)| (bucket, (all / (n + 1.0)).ln() + 1.0)).collect();
        let mut examples = Self { corrections, vectors: Vec::new(), rarity, unseen: all.ln() + 1.0, meaning: None };
        examples.vectors = counts.into_iter().map(|counts| examples.vector(counts)).collect();
        examples
    }

    /// The same, found by what they mean to an embedding model. It is asked for all of them with the first case, once, and for each
    /// case.
    #[must_use]
    pub fn by_meaning(mut self, model: EmbeddingModel) -> Self {
        self.meaning = Some(Meaning::new(model));
        self
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

    /// Those that are most like a case. The case itself is never among them: a judge that is told the answer shows nothing. If the
    /// embedding model can't be asked, letters decide.
    pub async fn nearest(&self, case: &Case, most: usize) -> Nearest<'_> {
        let (said, mut tally) = (text(case), Tally::default());
        let mut problem = None;
        if let Some(meaning) = self.meaning.as_ref().filter(|_| !self.is_empty() && !said.trim().is_empty()) {
            match meaning.likeness(said.clone(), &self.corrections, &mut tally).await {
                // What means something else altogether is no example.
                Ok(likeness) => {
                    let corrections = self.best(case, most, &likeness, 0.0);
                    return Nearest { corrections, tally, problem };
                }
                Err(error) => problem = Some(error.message),
            }
        }
        let vector = self.vector(pieces(&said.to_lowercase()));
        let likeness: Vec<Option<f64>> = self.vectors.iter().map(|other| Some(likeness(&vector, other))).collect();
        Nearest { corrections: self.best(case, most, &likeness, LEAST), tally, problem }
    }

    /// Those with the highest likeness, the highest last.
    fn best(&self, case: &Case, most: usize, likeness: &[Option<f64>], least: f64) -> Vec<&Correction> {
        let same = |one: &Case| [Input::Input, Input::Output].iter().all(|input| one.find(*input) == case.find(*input));
        let others = self.corrections.iter().zip(likeness).filter(|(one, _)| !same(&one.case));
        let mut found: Vec<(f64, &Correction)> =
            others.filter_map(|(one, likeness)| Some(((*likeness)?, one))).collect();
        found.retain(|(likeness, _)| *likeness >= least);
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
pub(super) fn text(case: &Case) -> String {
    let mut text = String::new();
    for value in [Input::Input, Input::Output].into_iter().filter_map(|input| case.find(input)) {
        match value.as_str() {
            Some(said) => text.push_str(said),
            None => text.push_str(&value.to_string()),
        }
        text.push('\n');
    }
    text.truncate(text.floor_char_boundary(MOST_BYTES));
    text
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
    use std::sync::Arc;

    use signalbox_testkit::ScriptedEmbedder;
    use signalbox_types::seam::Embedder;
    use signalbox_types::{ErrorClass, ProjectId};

    use super::*;

    fn case(output: &str) -> Case {
        Case::new().with(Input::Output, output)
    }

    fn correction(output: &str) -> Correction {
        Correction { case: case(output), verdict: "no".into(), reason: None }
    }

    async fn near(examples: &Examples, asked: &Case, most: usize) -> Vec<String> {
        let near = examples.nearest(asked, most).await;
        near.corrections.iter().map(|one| one.case.text(Input::Output).unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn the_nearest_are_found_and_never_the_case_itself() {
        let texts = [
            "Your parcel was delivered yesterday to a neighbour.",
            "Paris is the capital of France.",
            "Parcels are delivered by our neighbours in Paris.",
            "You can reset the password in the settings.",
        ];
        let examples = Examples::new(texts.map(correction).to_vec());
        let asked = case("The parcel wasn't delivered; a neighbour has it.");
        assert_eq!(near(&examples, &asked, 2).await, [texts[2], texts[0]]);
        let own = case(texts[1]);
        assert!(!near(&examples, &own, 4).await.contains(&texts[1].to_owned()));
        assert!(near(&examples, &case("漢字"), 4).await.is_empty());
        assert!(near(&Examples::new(vec![]), &own, 4).await.is_empty());
    }

    /// Knows animals from vehicles, whatever they are called; knows nothing of anything else.
    fn kinds(text: &str) -> Vec<f64> {
        let has = |words: &[&str]| f64::from(u8::from(words.iter().any(|word| text.contains(word))));
        vec![has(&["dog", "hound", "cat"]), has(&["car", "lorry"]), 0.1]
    }

    fn by_meaning(embedder: &Arc<ScriptedEmbedder>) -> Examples {
        let texts = ["The dog barks.", "A lorry passes by.", " ", "The hounds bark.", "The car park is full of barks."];
        let embedder: Arc<dyn Embedder> = Arc::<ScriptedEmbedder>::clone(embedder);
        let model = EmbeddingModel::new(embedder, ProjectId::new("p"), "m");
        Examples::new(texts.map(correction).to_vec()).by_meaning(model)
    }

    #[tokio::test]
    async fn meaning_is_asked_of_the_model_once_for_all_corrections() {
        let embedder = ScriptedEmbedder::ruled(kinds);
        let examples = by_meaning(&embedder);
        let asked = case("Barks: our cat.");
        let told = near(&examples, &asked, 2).await;
        assert!(
            told.contains(&"The dog barks.".to_owned()) && told.contains(&"The hounds bark.".to_owned()),
            "{told:?}"
        );
        assert_eq!(near(&examples, &case("A car."), 1).await.len(), 1);
        let sizes: Vec<usize> = embedder.asked().iter().map(|(_, _, texts)| texts.len()).collect();
        assert_eq!(sizes, [1, 4, 1], "each case, and the corrections that say something once");
        let own = examples.nearest(&case("The dog barks."), 4).await;
        assert!(own.corrections.iter().all(|one| one.case != case("The dog barks.")));
        assert_eq!((own.tally.calls, own.problem), (1, None));
        assert!(near(&examples, &case(" "), 4).await.is_empty());
        assert_eq!(embedder.asked().len(), 4, "nothing is asked about what says nothing");
    }

    #[tokio::test]
    async fn letters_decide_where_the_model_can_not_be_asked_and_that_is_said() {
        let embedder = ScriptedEmbedder::ruled(kinds);
        let examples = by_meaning(&embedder);
        embedder.fail(ErrorClass::RateLimited, "the budget is spent");
        let asked = case("A passing lorry, by and by.");
        let told = examples.nearest(&asked, 1).await;
        assert_eq!(told.corrections[0].case, case("A lorry passes by."));
        assert_eq!(told.problem.as_deref(), Some("`m` gave no embeddings: the budget is spent"));
        assert_eq!(examples.nearest(&asked, 1).await.problem, None, "the next case tries again");
        embedder.answer_as("another");
        let problem = examples.nearest(&asked, 1).await.problem.unwrap();
        assert!(problem.contains("two models, `m-0613` and `another`"), "{problem}");
    }
}
