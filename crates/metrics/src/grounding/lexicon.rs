//! Lists of English words, by what they do in a sentence.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a word does. One word may be in several lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Role(u8);

impl Role {
    /// Says nothing by itself.
    pub(super) const STOP: Self = Self(1);
    /// Turns a statement round.
    pub(super) const NEGATION: Self = Self(2);
    /// The speaker.
    pub(super) const FIRST_PERSON: Self = Self(4);
    /// Has an opposite, or says how much: changing it changes what is claimed.
    pub(super) const POLAR: Self = Self(8);
    /// Says that something is said: summaries add such words without claiming anything.
    pub(super) const REPORT: Self = Self(16);

    /// Whether a word is in a list.
    pub(super) fn is(self, role: Self) -> bool {
        self.0 & role.0 != 0
    }
}

static WORDS: LazyLock<HashMap<&'static str, Role>> = LazyLock::new(|| {
    let mut words: HashMap<&'static str, Role> = HashMap::new();
    let mut role = Role::default();
    for line in include_str!("data/words.txt").lines() {
        if let Some(title) = line.strip_prefix("# ") {
            role = match title {
                "stop" => Role::STOP,
                "negation" => Role::NEGATION,
                "first_person" => Role::FIRST_PERSON,
                "polar" => Role::POLAR,
                _ => Role::REPORT,
            };
        } else {
            for word in line.split(' ').filter(|word| !word.is_empty()) {
                words.entry(word).or_default().0 |= role.0;
            }
        }
    }
    words
});

/// What a word in lower case does.
pub(super) fn role(word: &str) -> Role {
    let mut role = WORDS.get(word).copied().unwrap_or_default();
    if word.ends_with("n't") {
        role.0 |= Role::NEGATION.0;
    }
    role
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_roles() {
        assert!(role("the").is(Role::STOP) && !role("the").is(Role::POLAR));
        assert!(role("wouldn't").is(Role::NEGATION) && role("not").is(Role::NEGATION));
        assert!(role("increase").is(Role::POLAR) && role("mentions").is(Role::REPORT));
        assert!(role("i").is(Role::FIRST_PERSON));
    }
}
