//! What is looked for, where, and what is done about it: [`GuardConfig`] is what was typed,
//! [`Guard`] is what is meant.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use signalbox_types::{Action, Finding, Place, Verdict};

use crate::model::Notes;
use crate::registry;
use crate::scanner::{About, Hit, Scanner, Text};
use crate::window::Window;

/// Which scanners look at what, and what is done about what they find.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuardConfig {
    /// The policies. If several apply to one finding, the strongest action counts. An empty list
    /// switches the guard off. The built-in list flags secrets and hidden Unicode in what callers
    /// send, and redacts well-known key formats and hidden characters from what models answer.
    pub policies: Vec<PolicyConfig>,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// The scanner's name: `secrets`, `pii`, `code_injection`, `invisible_chars`, `prompt_injection`, `jailbreak`,
    /// `harmful_request` or `toxicity`.
    pub scanner: String,
    /// Where it looks: `input` (what the caller sends), `output` (what the model answers), or both.
    #[serde(default = "everywhere")]
    pub on: Vec<Place>,
    /// What is done: `flag` (record it), `redact` (replace it) or `block` (refuse the call, end the stream).
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
}

impl PolicyConfig {
    /// Everything that is wrong with it; `index` is its position in the list.
    fn problems(&self, index: usize) -> Vec<GuardError> {
        let mut problems = Vec::new();
        let mut wrong = |field: String, problem| {
            problems.push(GuardError { path: format!("policies[{index}].{field}"), problem });
        };
        match registry::find(&self.scanner).map(Scanner::about) {
            None => {
                let names = registry::ALL.iter().map(|scanner| scanner.about().name);
                let hint = Hint::nearest(&self.scanner, names);
                wrong("scanner".to_owned(), PolicyProblem::UnknownScanner { found: self.scanner.clone(), hint });
            }
            Some(about) => {
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
        if self.on.is_empty() {
            wrong("on".to_owned(), PolicyProblem::Nowhere);
        }
        let everything = |(_, pattern): &(usize, &String)| pattern.bytes().all(|byte| byte == b'*');
        for (place, pattern) in self.allow.iter().enumerate().filter(everything) {
            wrong(format!("allow[{place}]"), PolicyProblem::AllowsEverything(pattern.clone()));
        }
        problems
    }
}

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
        let policy = |scanner: &str, on, action| PolicyConfig {
            scanner: scanner.to_owned(),
            on: vec![on],
            action,
            rules: Vec::new(),
            min_confidence: None,
            allow: Vec::new(),
        };
        let hidden = ["bidi_control", "tag_characters", "variation_selectors"].map(str::to_owned).to_vec();
        Self {
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
    #[error("unknown scanner `{found}`{hint}")]
    UnknownScanner {
        /// What was typed.
        found: String,
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
    /// A confidence outside of 0 to 1.
    #[error("{0} is not between 0 and 1")]
    Confidence(String),
    /// A policy that looks nowhere.
    #[error("it is empty, so the policy would never apply; name `input`, `output` or both")]
    Nowhere,
    /// An exception that would except everything.
    #[error("`{0}` would allow everything; delete the policy instead")]
    AllowsEverything(String),
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

/// Compiled policies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Guard {
    compiled: Arc<Compiled>,
}

/// What was found in one text and what is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The strongest action of all findings.
    pub verdict: Verdict,
    /// What was found, by position.
    pub findings: Vec<Finding>,
    /// The text after redaction; `None` if nothing was redacted, or the text is blocked.
    pub redacted: Option<String>,
}

impl Guard {
    /// Makes policies out of what was typed, or says what is wrong first.
    ///
    /// # Errors
    /// The first of [`Guard::problems`].
    pub fn compile(config: &GuardConfig) -> Result<Self, GuardError> {
        if let Some(problem) = Self::problems(config).into_iter().next() {
            return Err(problem);
        }
        let mut compiled = Compiled::default();
        for policy in &config.policies {
            compiled.add(policy);
        }
        for lane in compiled.input.iter().chain(&compiled.output) {
            lane.scanner.warm();
        }
        Ok(Self { compiled: Arc::new(compiled) })
    }

    /// Everything that is wrong with what was typed.
    #[must_use]
    pub fn problems(config: &GuardConfig) -> Vec<GuardError> {
        config.policies.iter().enumerate().flat_map(|(index, policy)| policy.problems(index)).collect()
    }

    /// Whether any policy looks at this place.
    #[must_use]
    pub fn watches(&self, place: Place) -> bool {
        !self.compiled.at(place).is_empty()
    }

    /// Whether any policy may redact or block here, so that a stream has to be held back a little.
    #[must_use]
    pub fn acts_on(&self, place: Place) -> bool {
        self.compiled.at(place).iter().any(Lane::acts)
    }

    /// Looks at one whole text.
    #[must_use]
    pub fn check(&self, place: Place, text: &str) -> Check {
        let notes = Notes::default();
        let mut hits = Vec::new();
        let mut marked = Vec::new();
        for lane in self.compiled.at(place) {
            lane.scanner.scan(Text::whole(text).noted(&notes), &mut hits);
            marked.extend(hits.drain(..).filter_map(|hit| lane.mark(place, text, 0, hit)));
        }
        if marked.is_empty() {
            return Check { verdict: Verdict::Allow, findings: Vec::new(), redacted: None };
        }
        marked.sort_by_key(Marked::order);
        let verdict = marked.iter().map(|marked| Verdict::from(marked.finding.action)).max().unwrap_or(Verdict::Allow);
        let redacted = (verdict == Verdict::Redact).then(|| {
            let mut redactor = Redactor::default();
            let mut out = String::with_capacity(text.len());
            for marked in &marked {
                redactor.step(text, 0, marked, &mut out);
            }
            redactor.copy_to(text, 0, text.len(), &mut out);
            out
        });
        Check { verdict, findings: marked.into_iter().map(|marked| marked.finding).collect(), redacted }
    }

    /// A window for one stream of text.
    #[must_use]
    pub fn window(&self, place: Place) -> Window {
        Window::new(Arc::clone(&self.compiled), place)
    }
}

/// Lanes by place.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    input: Vec<Lane>,
    output: Vec<Lane>,
}

impl Compiled {
    pub(crate) fn at(&self, place: Place) -> &[Lane] {
        match place {
            Place::Input => &self.input,
            Place::Output => &self.output,
        }
    }

    fn add(&mut self, policy: &PolicyConfig) {
        let Some(scanner) = registry::find(&policy.scanner) else { return };
        let term = Term::compile(policy, scanner.about());
        for (place, lanes) in [(Place::Input, &mut self.input), (Place::Output, &mut self.output)] {
            if !policy.on.contains(&place) {
                continue;
            }
            match lanes.iter_mut().find(|lane| std::ptr::eq(lane.scanner.about(), scanner.about())) {
                Some(lane) => lane.terms.push(term.clone()),
                None => lanes.push(Lane { scanner, terms: vec![term.clone()] }),
            }
        }
    }
}

/// One scanner at one place, with all policies that want it: it runs once, whatever their number.
pub(crate) struct Lane {
    pub(crate) scanner: &'static dyn Scanner,
    terms: Vec<Term>,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").field("scanner", &self.scanner.about().name).field("terms", &self.terms.len()).finish()
    }
}

impl Lane {
    /// Whether any policy may redact or block.
    pub(crate) fn acts(&self) -> bool {
        self.terms.iter().any(|term| term.action > Action::Flag)
    }

    /// What is done about a hit; `None` if no policy wants it. `base` is the offset of `text` in the stream.
    pub(crate) fn mark(&self, place: Place, text: &str, base: usize, hit: Hit) -> Option<Marked> {
        let found = text.get(hit.start..hit.end)?;
        let action = self.terms.iter().filter(|term| term.wants(&hit, found)).map(|term| term.action).max()?;
        let finding = Finding {
            scanner: self.scanner.about().name.to_owned(),
            rule: hit.rule.name.to_owned(),
            severity: hit.rule.severity,
            confidence: hit.confidence,
            place,
            start: base + hit.start,
            end: base + hit.end,
            action,
            message: hit.rule.message.to_owned(),
        };
        Some(Marked { finding, hit })
    }
}

/// What one policy wants of a scanner.
#[derive(Clone)]
struct Term {
    action: Action,
    /// Names of rules; all if empty.
    rules: Vec<&'static str>,
    min_confidence: f32,
    allow: Vec<String>,
}

impl Term {
    fn compile(policy: &PolicyConfig, about: &'static About) -> Self {
        Self {
            action: policy.action,
            rules: policy.rules.iter().filter_map(|name| about.rule(name)).map(|rule| rule.name).collect(),
            min_confidence: policy.min_confidence.unwrap_or(0.0),
            allow: policy.allow.clone(),
        }
    }

    fn wants(&self, hit: &Hit, found: &str) -> bool {
        (self.rules.is_empty() || self.rules.contains(&hit.rule.name))
            && hit.confidence >= self.min_confidence
            && !self.allow.iter().any(|pattern| allows(pattern, found))
    }
}

/// Whether `text` is what `pattern` allows; `*` stands for anything. Linear: each piece is searched
/// once, after the one before it.
fn allows(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// A hit that a policy wants.
#[derive(Debug)]
pub(crate) struct Marked {
    /// With offsets in the whole stream.
    pub(crate) finding: Finding,
    hit: Hit,
}

impl Marked {
    /// Findings go by position; the longer of two first.
    pub(crate) fn order(&self) -> (usize, std::cmp::Reverse<usize>) {
        (self.finding.start, std::cmp::Reverse(self.finding.end))
    }
}

/// Copies text and puts replacements in. One rule makes the result independent of chunking: findings
/// are taken by position, and one that starts inside what was already replaced covers only the rest.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    /// Everything before this offset of the stream has been copied or replaced.
    done: usize,
}

impl Redactor {
    /// How far it is.
    pub(crate) fn done(&self) -> usize {
        self.done
    }

    /// Takes the next finding. `text` starts at `base` in the stream.
    pub(crate) fn step(&mut self, text: &str, base: usize, marked: &Marked, out: &mut String) {
        let Finding { start, end, action, .. } = marked.finding;
        if action != Action::Redact || end <= self.done {
            return;
        }
        self.copy_to(text, base, start, out);
        marked.hit.write_replacement(out);
        self.done = end;
    }

    /// Copies up to `to` in the stream.
    pub(crate) fn copy_to(&mut self, text: &str, base: usize, to: usize, out: &mut String) {
        if to > self.done {
            out.push_str(text.get(self.done - base..to - base).unwrap_or_default());
            self.done = to;
        }
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
