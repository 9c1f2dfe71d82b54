//! Policies by place and scanner, and what they make of hits.

use std::ops::Deref;
use std::sync::Arc;

use signalbox_types::{Action, Finding, Place};

use crate::context::Context;
use crate::policy::PolicyConfig;
use crate::registry::{self, Entry};
use crate::scanner::{About, Hit, Rule, Scanner};

/// Lanes by place.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    input: Vec<Lane>,
    output: Vec<Lane>,
    reads_context: bool,
}

impl Compiled {
    pub(crate) fn at(&self, place: Place) -> &[Lane] {
        match place {
            Place::Input => &self.input,
            Place::Output => &self.output,
        }
    }

    /// Builds what scanners build when it is first needed.
    pub(crate) fn warm(&self) {
        self.input.iter().chain(&self.output).for_each(|lane| lane.scanner.warm());
    }

    /// Whether any scanner looks for something else in another call.
    pub(crate) fn reads_context(&self) -> bool {
        self.reads_context
    }

    /// The same policies, with the scanners that one call's texts want.
    pub(crate) fn within(&self, context: &Context<'_>) -> Self {
        let lanes = |lanes: &[Lane]| lanes.iter().map(|lane| lane.within(context)).collect();
        Self { input: lanes(&self.input), output: lanes(&self.output), reads_context: false }
    }

    /// Adds a policy. One that is wrong is left out: [`GuardConfig`](crate::GuardConfig) was checked before.
    pub(crate) fn add(&mut self, policy: &PolicyConfig) {
        let Some(entry) = registry::entry(&policy.scanner) else { return };
        let scanner = match entry {
            Entry::Ready(scanner) => Runs::Ready(scanner),
            Entry::Made(maker) => match maker.make(&policy.options) {
                Ok(scanner) => Runs::Made(scanner),
                Err(_) => return,
            },
        };
        self.reads_context |= scanner.reads_context();
        let term = Term::compile(policy, scanner.about());
        for (place, lanes) in [(Place::Input, &mut self.input), (Place::Output, &mut self.output)] {
            if !policy.on.contains(&place) {
                continue;
            }
            match lanes.iter_mut().find(|lane| lane.scanner.is_same(&scanner)) {
                Some(lane) => Arc::make_mut(&mut lane.terms).push(term.clone()),
                None => lanes.push(Lane { scanner: scanner.clone(), terms: Arc::new(vec![term.clone()]) }),
            }
        }
    }
}

/// The scanner of a lane.
#[derive(Clone)]
pub(crate) enum Runs {
    Ready(&'static dyn Scanner),
    Made(Arc<dyn Scanner>),
}

impl Runs {
    /// Whether one run of it does for both. What was made for a policy looks for that policy's things alone.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ready(one), Self::Ready(other)) => std::ptr::eq(one.about(), other.about()),
            _ => false,
        }
    }
}

impl Deref for Runs {
    type Target = dyn Scanner;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Ready(scanner) => *scanner,
            Self::Made(scanner) => &**scanner,
        }
    }
}

/// One scanner at one place, with all policies that want it: it runs once, whatever their number.
pub(crate) struct Lane {
    pub(crate) scanner: Runs,
    terms: Arc<Vec<Term>>,
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

    fn within(&self, context: &Context<'_>) -> Self {
        let scanner = self.scanner.within(context).map_or_else(|| self.scanner.clone(), Runs::Made);
        Self { scanner, terms: Arc::clone(&self.terms) }
    }

    /// What is done about a hit; `None` if no policy wants it. `base` is the offset of `text` in the stream.
    pub(crate) fn mark(&self, place: Place, text: &str, base: usize, hit: Hit) -> Option<Marked> {
        let found = text.get(hit.start..hit.end)?;
        let wanted = self.terms.iter().filter(|term| term.wants(&hit, found));
        // Of several that do the same, the one that would do most, then the first, speaks.
        let term = wanted.rev().max_by_key(|term| (term.action, term.would))?;
        let finding = Finding {
            scanner: self.scanner.about().name.to_owned(),
            rule: hit.rule.name.to_owned(),
            severity: hit.rule.severity,
            confidence: hit.confidence,
            place,
            start: base + hit.start,
            end: base + hit.end,
            action: term.action,
            message: term.message(hit.rule),
        };
        Some(Marked { finding, hit })
    }
}

/// What one policy wants of a scanner.
#[derive(Clone)]
struct Term {
    /// What it does: in shadow it only flags.
    action: Action,
    /// What it would do, were it not in shadow.
    would: Action,
    name: Option<String>,
    /// Names of rules; all if empty.
    rules: Vec<&'static str>,
    min_confidence: f32,
    allow: Vec<String>,
}

impl Term {
    fn compile(policy: &PolicyConfig, about: &'static About) -> Self {
        Self {
            action: if policy.shadow { Action::Flag } else { policy.action },
            would: policy.action,
            name: policy.name.clone(),
            rules: policy.rules.iter().filter_map(|name| about.rule(name)).map(|rule| rule.name).collect(),
            min_confidence: policy.min_confidence.unwrap_or(0.0),
            allow: policy.allow.clone(),
        }
    }

    /// What a finding says: what it means, and which policy sees to it.
    fn message(&self, rule: &Rule) -> String {
        let shadow = match (self.action == self.would, self.would) {
            (true, _) => None,
            (false, Action::Block) => Some("in shadow: it would be blocked"),
            (false, _) => Some("in shadow: it would be redacted"),
        };
        let policy = self.name.as_ref().map(|name| format!("policy `{name}`"));
        let told: Vec<&str> = policy.as_deref().into_iter().chain(shadow).collect();
        match told.is_empty() {
            true => rule.message.to_owned(),
            false => format!("{} ({}).", rule.message.trim_end_matches('.'), told.join(", ")),
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
pub(crate) fn allows(pattern: &str, text: &str) -> bool {
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
