//! What is looked for, where, and what is done about it, as it was typed: [`GuardConfig`], and everything that can be
//! wrong with it. What is meant is [`Guard`](crate::Guard).

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use signalbox_types::{Action, Place, Role};

use crate::condition::{Condition, FACTS};
use crate::exception::ExceptionConfig;
use crate::options::{OptionProblem, Options};
use crate::registry::{self, Entry};
use crate::scanner::Scanner;
use crate::service::ServiceConfig;

/// Which scanners look at what, and what is done about what they find.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuardConfig {
    /// The policies. If several apply to one finding, the strongest action counts. An empty list
    /// switches the guard off. The built-in list flags secrets and hidden Unicode in what callers
    /// send, and redacts well-known key formats and hidden characters from what models answer.
    pub policies: Vec<PolicyConfig>,
    /// What is no finding after all, for a while or for somebody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<ExceptionConfig>,
    /// Whom policies with the scanner `remote` may ask.
    #[serde(skip_serializing)]
    pub services: Vec<ServiceConfig>,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// The scanner's name: `secrets`, `pii`, `code_injection`, `invisible_chars`, `prompt_injection`, `jailbreak`,
    /// `harmful_request`, `toxicity`, `bias`, `urls`, `language`, `refusal` or `gibberish`;
    /// with `options`: `words`, `topics`, `length`, `json_schema`, `tool_policy`, `expression`, `system_prompt_leak`,
    /// `groundedness` or `remote`.
    pub scanner: String,
    /// Where it looks: `input` (what the caller sends), `output` (what the model answers), or both.
    #[serde(default = "everywhere")]
    pub on: Vec<Place>,
    /// Whose texts it looks at in what callers send: `system` (rules of the application, and definitions of tools), `user`,
    /// `assistant` and `tool`; all if empty. Rules of one's own often read like attacks: `[user, tool]` leaves them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// What is done: `flag` (record it), `tokenise` (put a placeholder in its place, and what it was back into the answer; for
    /// `input`), `redact` (replace it by a mark), `rewrite` (answer with `reply`) or `block` (refuse the call, end the stream).
    #[serde(default = "flag", deserialize_with = "action_by_name")]
    pub action: Action,
    /// Only these rules of the scanner; all if empty. Example: `[openai_api_key, private_key]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Only findings at least this sure, from 0 to 1. Well-known formats have 0.8 and more, a
    /// password-like value in an assignment about 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_confidence: Option<f32>,
    /// Texts that are no finding. `*` stands for anything. Example: `["sk-test-*"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// What people call the policy. It is told in its findings. Example: `no code names`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only record what would be done: nothing is redacted or blocked. Its findings say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// Which calls it is for: a condition in CEL over `key`, `project`, `model`, `route`, `endpoint`, `stream`, `user`,
    /// `session`, `environment`, `tags` and `metadata`. Example: `route == 'support' && !('internal' in tags)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The share of calls that it looks at, above 0 and up to 1. All calls of a trace are drawn together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<f32>,
    /// What `rewrite` answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Why it is there, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
    /// What the scanner is to look for, where it must be told: `GET /api/v1/guard` lists which options each scanner takes.
    /// Example: `{words: [acme, initech]}`.
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    #[schema(value_type = Object)]
    pub options: Options,
}

impl GuardConfig {
    /// These policies, without exceptions.
    #[must_use]
    pub fn of(policies: Vec<PolicyConfig>) -> Self {
        Self { policies, exceptions: Vec::new(), services: Vec::new() }
    }

    /// The same services, without what is asked of them.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self { services: self.services.clone(), ..Self::of(Vec::new()) }
    }

    /// These and others behind them. Who adds policies can name services, and add none.
    #[must_use]
    pub fn with(&self, more: &Self) -> Self {
        let mut all = self.clone();
        all.policies.extend(more.policies.iter().cloned());
        all.exceptions.extend(more.exceptions.iter().cloned());
        all
    }
}

impl PolicyConfig {
    /// A policy about all that a scanner finds.
    #[must_use]
    pub fn new(scanner: impl Into<String>, on: Vec<Place>, action: Action) -> Self {
        Self {
            scanner: scanner.into(),
            on,
            roles: Vec::new(),
            action,
            rules: Vec::new(),
            min_confidence: None,
            allow: Vec::new(),
            name: None,
            shadow: false,
            when: None,
            sample: None,
            reply: None,
            owner: None,
            rationale: None,
            options: Options::new(),
        }
    }

    /// Everything that is wrong with it; `index` is its position in the list.
    pub(crate) fn problems(&self, index: usize, services: &[ServiceConfig]) -> Vec<GuardError> {
        let mut problems = Vec::new();
        let mut wrong = |field: String, problem| {
            problems.push(GuardError { path: format!("policies[{index}].{field}"), problem });
        };
        match registry::entry(&self.scanner) {
            None => {
                wrong("scanner".to_owned(), PolicyProblem::unknown_scanner(&self.scanner));
            }
            Some(entry) => {
                let about = entry.about();
                match entry {
                    Entry::Made(maker) => {
                        let made = maker.make(&self.options).and_then(|scanner| is_there(&*scanner, services));
                        if let Err(problem) = made {
                            let dot = if problem.path.is_empty() { "" } else { "." };
                            wrong(format!("options{dot}{}", problem.path), PolicyProblem::Option(problem.message));
                        }
                    }
                    Entry::Ready(_) if !self.options.is_empty() => {
                        wrong("options".to_owned(), PolicyProblem::NoOptions(about.name.to_owned()));
                    }
                    Entry::Ready(_) => {}
                }
                for (place, name) in self.rules.iter().enumerate().filter(|(_, name)| about.rule(name).is_none()) {
                    let hint = Hint::nearest(name, about.rules.iter().map(|rule| rule.name));
                    let (scanner, found) = (about.name.to_owned(), name.clone());
                    wrong(format!("rules[{place}]"), PolicyProblem::UnknownRule { scanner, found, hint });
                }
            }
        }
        if let Some(found) = self.min_confidence.filter(|confidence| !(0.0..=1.0).contains(confidence)) {
            wrong("min_confidence".to_owned(), PolicyProblem::Confidence(found.to_string()));
        }
        if self.shadow && self.action == Action::Flag {
            wrong("shadow".to_owned(), PolicyProblem::IdleShadow);
        }
        if self.name.as_ref().is_some_and(|name| name.trim().is_empty() || name.len() > MAX_NAME_BYTES) {
            wrong("name".to_owned(), PolicyProblem::Name);
        }
        if self.on.is_empty() {
            wrong("on".to_owned(), PolicyProblem::Nowhere);
        }
        self.conduct(&mut wrong);
        let everything = |(_, pattern): &(usize, &String)| pattern.bytes().all(|byte| byte == b'*');
        for (place, pattern) in self.allow.iter().enumerate().filter(everything) {
            wrong(format!("allow[{place}]"), PolicyProblem::AllowsEverything(pattern.clone()));
        }
        problems
    }
}

impl PolicyConfig {
    /// What is wrong with what it does, and to whom.
    fn conduct(&self, wrong: &mut dyn FnMut(String, PolicyProblem)) {
        if let Some(Err(problem)) = self.when.as_ref().map(|when| Condition::of_policy(when, &FACTS)) {
            wrong("when".to_owned(), PolicyProblem::Option(problem));
        }
        if let Some(share) = self.sample.filter(|share| !(*share > 0.0 && *share <= 1.0)) {
            wrong("sample".to_owned(), PolicyProblem::Option(format!("{share} is not above 0 and up to 1")));
        }
        let is_said = self.reply.as_ref().is_some_and(|reply| !reply.trim().is_empty());
        match (&self.reply, self.action) {
            (_, Action::Rewrite) if !is_said => {
                let problem = "it is missing; `rewrite` answers with it";
                wrong("reply".to_owned(), PolicyProblem::Option(problem.to_owned()));
            }
            (Some(reply), Action::Rewrite) if reply.len() > MAX_REPLY_BYTES => {
                let problem = format!("expected at most {MAX_REPLY_BYTES} bytes, found {}", reply.len());
                wrong("reply".to_owned(), PolicyProblem::Option(problem));
            }
            (Some(_), action) if action != Action::Rewrite => {
                let problem = format!("action `{action}` gives no reply; leave it out, or use `rewrite`");
                wrong("reply".to_owned(), PolicyProblem::Option(problem));
            }
            _ => {}
        }
        if !self.roles.is_empty() && !self.on.contains(&Place::Input) {
            let problem = "what models answer is all the assistant's; leave it out, or use `on: [input]`";
            wrong("roles".to_owned(), PolicyProblem::Option(problem.to_owned()));
        }
        if self.action == Action::Tokenise && self.on.contains(&Place::Output) {
            let problem = "`tokenise` is for `input` alone, and puts back into answers by itself; use `on: [input]`";
            wrong("on".to_owned(), PolicyProblem::Option(problem.to_owned()));
        }
        let is_about_calls = registry::entry(&self.scanner).is_some_and(|entry| entry.about().name == "tool_policy");
        if is_about_calls && matches!(self.action, Action::Tokenise | Action::Redact) {
            let problem = "a call of a tool passes or doesn't; use `flag`, `rewrite` or `block`";
            wrong("action".to_owned(), PolicyProblem::Option(problem.to_owned()));
        }
    }
}

/// Whom a scanner asks must be known.
fn is_there(scanner: &dyn Scanner, services: &[ServiceConfig]) -> Result<(), OptionProblem> {
    let known = || services.iter().map(|service| service.name.as_str());
    let asked = scanner.question().map(|question| &*question.service);
    match asked.filter(|asked| !known().any(|name| name == *asked)) {
        None => Ok(()),
        Some(asked) => {
            let hint = Hint::nearest(asked, known());
            let message = format_args!("no service `{asked}` is configured (`guard.services`){hint}");
            Err(OptionProblem::new("service", message))
        }
    }
}

/// A reply that a person reads.
const MAX_REPLY_BYTES: usize = 8 * 1024;

/// A policy's name stands in every finding.
const MAX_NAME_BYTES: usize = 80;

fn everywhere() -> Vec<Place> {
    vec![Place::Input, Place::Output]
}

fn flag() -> Action {
    Action::Flag
}

/// Like the derived one, but with the nearest name in the message.
fn action_by_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Action, D::Error> {
    let name = String::deserialize(deserializer)?;
    let known = Action::ALL.iter().map(|action| action.as_str());
    Action::ALL.iter().copied().find(|action| action.as_str() == name).ok_or_else(|| {
        let hint = Hint::nearest(&name, known);
        serde::de::Error::custom(format_args!("unknown action `{name}`{hint}"))
    })
}

impl Default for GuardConfig {
    /// What a careful team would want on the first day, without breaking anything:
    /// * **input is only flagged.** A prompt with a key in it may be somebody debugging; refusing or
    ///   changing it would surprise, but the team must see it.
    /// * **output loses well-known key formats.** A key that a model repeats is a leak, and no answer
    ///   gets worse by a mark in its place. Guesses (a value after `password =`) are only flagged:
    ///   generated example code is full of them.
    /// * **output loses invisible characters that carry data or reorder text.** Their removal changes
    ///   nothing that a reader sees. The rest (look-alike letters, stray zero-widths) is flagged.
    fn default() -> Self {
        let policy = |scanner: &str, on, action| PolicyConfig::new(scanner, vec![on], action);
        let hidden = ["bidi_control", "tag_characters", "variation_selectors"].map(str::to_owned).to_vec();
        Self {
            exceptions: Vec::new(),
            services: Vec::new(),
            policies: vec![
                policy("secrets", Place::Input, Action::Flag),
                policy("secrets", Place::Output, Action::Flag),
                PolicyConfig { min_confidence: Some(0.8), ..policy("secrets", Place::Output, Action::Redact) },
                policy("invisible_chars", Place::Input, Action::Flag),
                policy("invisible_chars", Place::Output, Action::Flag),
                PolicyConfig { rules: hidden, ..policy("invisible_chars", Place::Output, Action::Redact) },
            ],
        }
    }
}

/// A policy that can't be meant as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct GuardError {
    /// Where: `policies[1].rules[0]`.
    pub path: String,
    /// What is wrong there.
    pub problem: PolicyProblem,
}

/// What can be wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyProblem {
    /// No scanner has this name.
    #[error("unknown scanner `{found}`{}{hint}", told.map(|told| format!("; {told}")).unwrap_or_default())]
    UnknownScanner {
        /// What was typed.
        found: String,
        /// Which scanner does what others call so.
        told: Option<&'static str>,
        /// What would be right.
        hint: Hint,
    },
    /// The scanner has no such rule.
    #[error("scanner `{scanner}` has no rule `{found}`{hint}")]
    UnknownRule {
        /// The scanner that was asked.
        scanner: String,
        /// What was typed.
        found: String,
        /// What would be right.
        hint: Hint,
    },
    /// An option that the scanner can't use.
    #[error("{0}")]
    Option(String),
    /// Options for a scanner that takes none.
    #[error("scanner `{0}` takes no options; leave them out")]
    NoOptions(String),
    /// A confidence outside of 0 to 1.
    #[error("{0} is not between 0 and 1")]
    Confidence(String),
    /// A shadow of what does nothing.
    #[error("action `flag` records and does nothing else, as it is; leave `shadow` out")]
    IdleShadow,
    /// A name that nobody can use.
    #[error("expected 1 to 80 bytes")]
    Name,
    /// A policy that looks nowhere.
    #[error("it is empty, so the policy would never apply; name `input`, `output` or both")]
    Nowhere,
    /// An exception that would except everything.
    #[error("`{0}` would allow everything; delete the policy instead")]
    AllowsEverything(String),
}

impl PolicyProblem {
    pub(crate) fn unknown_scanner(found: &str) -> Self {
        let told = registry::alias(found);
        let mut hint = Hint::nearest(found, registry::entries().iter().map(|entry| entry.about().name));
        if told.is_some() {
            hint.nearest = None;
        }
        Self::UnknownScanner { found: found.to_owned(), told, hint }
    }
}

/// What would have been right: the nearest name, if one is near, and all that are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The known name that looks most like what was typed.
    pub nearest: Option<String>,
    /// Every known name.
    pub known: Vec<String>,
}

impl Hint {
    pub(crate) fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let known: Vec<String> = known.map(str::to_owned).collect();
        let score = |name: &String| strsim::jaro_winkler(found, name);
        let best = known.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
        let nearest = best.filter(|name| score(name) > 0.75).cloned();
        Self { nearest, known }
    }
}

impl std::fmt::Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean `{nearest}`?")?;
        }
        write!(f, " (known: {})", self.known.join(", "))
    }
}
