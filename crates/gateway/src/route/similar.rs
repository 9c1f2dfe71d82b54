//! How alike a question is to the examples of each target: words, pairs of words and pieces of words, weighed by how few
//! targets have them, compared by the angle between them. It knows spellings, not meanings: `bill` and `invoice` are two
//! words to it unless an example has both. Made once for a configuration; a comparison asks nobody.

use std::collections::HashMap;

use super::complexity::is_wide;
use super::strategies::hash;

/// So much of a question is compared, from its start.
const MOST_BYTES: usize = 4 << 10;
/// Pieces of words have so many characters.
const PIECES: [usize; 2] = [3, 4];
/// Beside its words, a text's pieces count less: they tell `invoices` and `invoice` to be alike, and `Austria` and
/// `Australia`, too.
const PIECE_WEIGHT: f32 = 0.35;
const PAIR_WEIGHT: f32 = 0.8;
/// Words that say nothing of what a text is about.
const EMPTY: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "could", "do", "does", "for", "from", "have", "hello",
    "hey", "hi", "how", "i", "if", "in", "is", "it", "its", "me", "my", "of", "on", "or", "our", "please", "so",
    "some", "tell", "that", "the", "there", "this", "to", "us", "was", "we", "what", "when", "where", "which", "who",
    "will", "with", "would", "you", "your", "der", "die", "das", "und", "ist", "ein", "eine", "ich", "le", "la", "les",
    "et", "un", "une", "est", "je", "el", "los", "las", "y", "es", "de", "del", "en",
];

/// The examples of every target.
#[derive(Debug)]
pub(super) struct Examples {
    /// By target, in their order; empty for one without.
    targets: Vec<Vec<Sparse>>,
    /// How much a feature says, by how few targets have it.
    worth: HashMap<u64, f32>,
    /// Of a feature that no example has.
    most_worth: f32,
}

/// Features and their weights, sorted by feature; its length is 1.
type Sparse = Vec<(u64, f32)>;

impl Examples {
    /// None if no target has any.
    pub(super) fn of<'a>(targets: impl Iterator<Item = &'a [String]>) -> Option<Self> {
        let raw: Vec<Vec<HashMap<u64, f32>>> =
            targets.map(|examples| examples.iter().map(|text| features(text)).collect()).collect();
        let with = raw.iter().filter(|examples| !examples.is_empty()).count();
        if with == 0 {
            return None;
        }
        let mut having: HashMap<u64, usize> = HashMap::new();
        for examples in &raw {
            let mut own: Vec<u64> = examples.iter().flat_map(|example| example.keys().copied()).collect();
            own.sort_unstable();
            own.dedup();
            own.into_iter().for_each(|feature| *having.entry(feature).or_default() += 1);
        }
        let worth = |count: usize| ((1.0 + with as f32) / (0.5 + count as f32)).ln().max(0.05);
        let mut made = Self {
            targets: Vec::new(),
            worth: having.into_iter().map(|(feature, count)| (feature, worth(count))).collect(),
            // What is in no example says that a text is about something else, but less than what is in one.
            most_worth: worth(1) * 0.5,
        };
        made.targets = raw.iter().map(|examples| examples.iter().map(|one| made.weighed(one)).collect()).collect();
        Some(made)
    }

    /// By target, in their order, from 0 to 1: how alike a text is to its examples.
    pub(super) fn similarities(&self, text: &str) -> Vec<f64> {
        let text = text.get(..text.floor_char_boundary(MOST_BYTES)).unwrap_or_default();
        let asked = self.weighed(&features(text));
        let of = |examples: &Vec<Sparse>| {
            let mut all: Vec<f32> = examples.iter().map(|example| product(example, &asked)).collect();
            all.sort_unstable_by(|left, right| right.total_cmp(left));
            // The nearest one counts most; others that are near, too, tell a chance from a subject.
            let weights = [0.7, 0.2, 0.1];
            let near: f32 = all.iter().zip(weights).map(|(one, weight)| one * weight).sum();
            let whole: f32 = weights.iter().take(all.len()).sum();
            if whole > 0.0 { f64::from(near / whole).clamp(0.0, 1.0) } else { 0.0 }
        };
        self.targets.iter().map(of).collect()
    }

    fn weighed(&self, features: &HashMap<u64, f32>) -> Sparse {
        let worth = |feature: &u64| self.worth.get(feature).copied().unwrap_or(self.most_worth);
        let mut all: Sparse = features.iter().map(|(feature, count)| (*feature, count * worth(feature))).collect();
        let length = all.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        if length > 0.0 {
            all.iter_mut().for_each(|(_, weight)| *weight /= length);
        }
        all.sort_unstable_by_key(|(feature, _)| *feature);
        all
    }
}

fn product(left: &Sparse, right: &Sparse) -> f32 {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    let mut sum = 0.0;
    while let (Some((one, weight)), Some((other, other_weight))) = (left.peek(), right.peek()) {
        match one.cmp(other) {
            std::cmp::Ordering::Less => drop(left.next()),
            std::cmp::Ordering::Greater => drop(right.next()),
            std::cmp::Ordering::Equal => {
                sum += weight * other_weight;
                left.next();
                right.next();
            }
        }
    }
    sum
}

/// What a text is made of, with how much of each.
fn features(text: &str) -> HashMap<u64, f32> {
    let lower = text.to_lowercase();
    let mut found: HashMap<u64, f32> = HashMap::new();
    let mut note = |kind: &str, feature: &str, weight: f32| {
        // Twice is not twice as much.
        let known = found.entry(hash(kind) ^ hash(feature)).or_insert(0.0);
        *known = if *known == 0.0 { weight } else { *known + weight * 0.25 };
    };
    let mut before: Option<&str> = None;
    for word in lower.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if word.chars().any(is_wide) {
            let chars: Vec<char> = word.chars().collect();
            chars.windows(2).for_each(|two| note("wide", &two.iter().collect::<String>(), 1.0));
            chars.iter().for_each(|one| note("wide", &one.to_string(), 0.4));
            continue;
        }
        if EMPTY.contains(&word) {
            continue;
        }
        note("word", word, 1.0);
        if let Some(before) = before {
            note("pair", &format!("{before} {word}"), PAIR_WEIGHT);
        }
        before = Some(word);
        let framed: Vec<char> = format!("<{word}>").chars().collect();
        for length in PIECES {
            framed.windows(length).for_each(|piece| note("piece", &piece.iter().collect::<String>(), PIECE_WEIGHT));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> Examples {
        let all: [&[&str]; 4] = [
            &[
                "I want my money back",
                "How do I get a refund for my order?",
                "Why was my card charged twice?",
                "Where can I find my invoice?",
            ],
            &[
                "My function returns the wrong value",
                "Write a unit test for this class",
                "How do I fix this compiler error?",
                "Refactor this code",
            ],
            &["Write a poem about autumn", "Tell me a bedtime story", "Suggest a name for my novel's hero"],
            &[],
        ];
        let all: Vec<Vec<String>> = all.iter().map(|one| one.iter().map(|text| (*text).to_owned()).collect()).collect();
        Examples::of(all.iter().map(Vec::as_slice)).unwrap()
    }

    #[test]
    fn questions_go_to_what_they_are_like() {
        let examples = examples();
        for (text, expected) in [
            ("can you refund the order from last week please", 0),
            ("I was charged two times on my credit card", 0),
            ("please send me the invoices of march", 0),
            ("the compiler gives me an error I don't understand", 1),
            ("could you write tests for my parser class", 1),
            ("this function has a wrong return value", 1),
            ("a short poem on rain", 2),
            ("make up a story for my kids at bedtime", 2),
        ] {
            let found = examples.similarities(text);
            let best = (0..found.len()).max_by(|left, right| found[*left].total_cmp(&found[*right])).unwrap();
            assert_eq!(best, expected, "{text}: {found:?}");
            assert!(found[best] > 0.1, "{text}: {found:?}");
            assert_eq!(found[3], 0.0);
        }
    }

    #[test]
    fn what_is_about_something_else_is_like_none() {
        let examples = examples();
        for text in ["what is the weather in Oslo tomorrow", "who won the match yesterday", "", "the of and", "🚂🚂🚂"]
        {
            let found = examples.similarities(text);
            assert!(found.iter().all(|one| *one < 0.1), "{text}: {found:?}");
        }
        let same = examples.similarities("Refactor this code");
        assert!(same[1] > 0.6, "{same:?}");
    }

    #[test]
    fn scripts_without_spaces_are_compared_too() {
        let all = [vec!["如何申请退款".to_owned()], vec!["写一首关于秋天的诗".to_owned()]];
        let examples = Examples::of(all.iter().map(Vec::as_slice)).unwrap();
        let found = examples.similarities("我想退款");
        assert!(found[0] > found[1] && found[0] > 0.1, "{found:?}");
        assert!(Examples::of([[].as_slice(), [].as_slice()].into_iter()).is_none());
    }
}
