//! Every scanner there is. Policies, docs, API and UI lists read this.

use crate::scanner::Scanner;
use crate::scanners::{
    bias::Bias, code_injection::CodeInjection, gibberish::Gibberish, harmful_request::HarmfulRequest,
    invisible_chars::InvisibleChars, jailbreak::Jailbreak, language::Language, pii::Pii,
    prompt_injection::PromptInjection, refusal::Refusal, secrets::Secrets, toxicity::Toxicity, urls::Urls,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_by_name_and_rules_sorted() {
        assert!(ALL.is_sorted_by_key(|scanner| scanner.about().name));
        for scanner in ALL {
            let about = scanner.about();
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
