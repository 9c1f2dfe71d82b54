//! Every scanner there is. Policies, docs, API and UI lists read this.

use crate::options::Maker;
use crate::scanner::{About, Scanner};
use crate::scanners::{
    bias::Bias, code_injection::CodeInjection, expression::ExpressionMaker, gibberish::Gibberish,
    groundedness::GroundednessMaker, harmful_request::HarmfulRequest, invisible_chars::InvisibleChars,
    jailbreak::Jailbreak, json_schema::JsonSchemaMaker, language::Language, length::LengthMaker, pii::Pii,
    prompt_injection::PromptInjection, refusal::Refusal, remote::RemoteMaker, secrets::Secrets,
    system_prompt_leak::SystemPromptLeakMaker, tool_policy::ToolPolicyMaker, topics::TopicsMaker, toxicity::Toxicity,
    urls::Urls, words::WordsMaker,
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
pub static MADE: &[&dyn Maker] = &[
    &ExpressionMaker,
    &GroundednessMaker,
    &JsonSchemaMaker,
    &LengthMaker,
    &RemoteMaker,
    &SystemPromptLeakMaker,
    &ToolPolicyMaker,
    &TopicsMaker,
    &WordsMaker,
];

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

/// The scanner that does what others call by this name, and how.
#[must_use]
pub(crate) fn alias(name: &str) -> Option<&'static str> {
    Some(match name {
        "competitor" | "competitors" | "custom_list" | "ban_competitors" | "ban_substrings" => {
            "`words` finds the names of a list (`options: {words: […]}`)"
        }
        "regex" | "ban_code" | "pattern" => "`words` takes regular expressions (`options: {patterns: […]}`)",
        "token" | "tokens" | "token_limit" => "`length` counts tokens (`options: {max_tokens: …}`)",
        "structure" | "json" | "structured_output" => "`json_schema` reads answers as JSON",
        "ban_topics" | "topic" => "`topics` finds topics by their words",
        "tools" | "tool_call" | "tool_calls" | "tool_permission" => "`tool_policy` looks at calls of tools",
        "indirect_injection" | "promptinjection" => "`prompt_injection` finds both kinds",
        "cel" | "condition" => "`expression` asks a condition in CEL",
        "webhook" | "external" | "vendor" | "http_check" => "`remote` asks a service over HTTP",
        "hallucination" | "faithfulness" => "`groundedness` holds an answer against its documents",
        "anonymize" | "presidio" | "personal_data" => "`pii` finds personal data",
        _ => return None,
    })
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
