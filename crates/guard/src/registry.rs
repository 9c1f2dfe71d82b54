//! Every scanner there is. Policies, docs, API and UI lists read this.

use crate::options::Maker;
use crate::scanner::{About, Scanner};
use crate::scanners::{
    bias::Bias, code_injection::CodeInjection, gibberish::Gibberish, groundedness::GroundednessMaker,
    harmful_request::HarmfulRequest, invisible_chars::InvisibleChars, jailbreak::Jailbreak, language::Language,
    length::LengthMaker, pii::Pii, prompt_injection::PromptInjection, refusal::Refusal, secrets::Secrets,
    system_prompt_leak::SystemPromptLeakMaker, toxicity::Toxicity, urls::Urls, words::WordsMaker,
};

/// Every scanner. Sorted by name; the order is the order in the docs.
pub static ALL: &[&dyn Scanner] = &[
    &Bias,
    &CodeInjection,
    &Gibberish,
    &HarmfulRequest,
    &InvisibleChars,
    &Jailbreak,
    &Language,
    &Pii,
    &PromptInjection,
    &Refusal,
    &Secrets,
    &Toxicity,
    &Urls,
];

/// The scanner with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Scanner> {
    ALL.iter().copied().find(|scanner| scanner.about().name == name)
}

/// Every scanner that a policy must tell what to look for. Sorted by name, too.
pub static MADE: &[&dyn Maker] = &[&GroundednessMaker, &LengthMaker, &SystemPromptLeakMaker, &WordsMaker];

/// A scanner, or what makes one.
#[derive(Clone, Copy)]
pub enum Entry {
    /// It knows what to look for.
    Ready(&'static dyn Scanner),
    /// It must be told.
    Made(&'static dyn Maker),
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Entry").field(&self.about().name).finish()
    }
}

impl Entry {
    /// What it is.
    #[must_use]
    pub fn about(self) -> &'static About {
        match self {
            Self::Ready(scanner) => scanner.about(),
            Self::Made(maker) => maker.about(),
        }
    }
}

/// Every entry, sorted by name.
#[must_use]
pub fn entries() -> Vec<Entry> {
    let ready = ALL.iter().copied().map(Entry::Ready);
    let mut all: Vec<Entry> = ready.chain(MADE.iter().copied().map(Entry::Made)).collect();
    all.sort_by_key(|entry| entry.about().name);
    all
}

/// The entry with this name.
#[must_use]
pub fn entry(name: &str) -> Option<Entry> {
    let made = || MADE.iter().copied().find(|maker| maker.about().name == name).map(Entry::Made);
    find(name).map(Entry::Ready).or_else(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_by_name_and_rules_sorted() {
        assert!(ALL.is_sorted_by_key(|scanner| scanner.about().name));
        assert!(MADE.is_sorted_by_key(|maker| maker.about().name));
        let entries = entries();
        assert!(entries.windows(2).all(|pair| pair[0].about().name < pair[1].about().name), "{entries:?}");
        for entry in entries {
            let about = entry.about();
            assert!(about.rules.is_sorted_by(|a, b| a.name < b.name), "{}: rules sorted, no name twice", about.name);
            for rule in about.rules {
                assert!(rule.message.len() > 20, "{}.{}: says what it means and what to do", about.name, rule.name);
            }
        }
    }

    #[test]
    fn finds_by_name() {
        assert_eq!(find("secrets").map(|scanner| scanner.about().name), Some("secrets"));
        assert!(find("nothing").is_none());
    }
}
