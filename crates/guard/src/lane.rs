//! Policies by place and scanner, and what they make of hits.

use std::ops::Deref;
use std::sync::Arc;

use signalbox_types::{Action, Finding, Place, Role};

use crate::context::Context;
use crate::exception::{Exception, ExceptionConfig};
use crate::policy::{GuardConfig, PolicyConfig};
use crate::registry::{self, Entry};
use crate::scanner::{Hit, Scanner};
use crate::scanners::remote::{answers::Answers, is_failure};
use crate::term::Term;
use crate::vocabulary::Vocabulary;

/// Lanes by place.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    input: Lanes,
    output: Lanes,
    reads_context: bool,
    tells_roles: bool,
}

/// Lanes of a place.
#[derive(Debug, Default)]
struct Lanes {
    texts: Vec<Lane>,
    calls: Vec<Lane>,
}

impl Lanes {
    fn add(&mut self, scanner: &Runs, term: &Term, exceptions: &Arc<Vec<Exception>>) {
        let lanes = if scanner.is_for_calls() { &mut self.calls } else { &mut self.texts };
        match lanes.iter_mut().find(|lane| lane.scanner.is_same(scanner)) {
            Some(lane) => Arc::make_mut(&mut lane.terms).push(term.clone()),
            None => lanes.push(Lane {
                scanner: scanner.clone(),
                terms: Arc::new(vec![term.clone()]),
                exceptions: Arc::clone(exceptions),
            }),
        }
    }

    fn map(&self, lane: impl Fn(&Lane) -> Option<Lane>) -> Self {
        Self {
            texts: self.texts.iter().filter_map(&lane).collect(),
            calls: self.calls.iter().filter_map(&lane).collect(),
        }
    }
}

impl Compiled {
    /// What a configuration means. What is wrong in it is left out: it was checked before.
    pub(crate) fn new(config: &GuardConfig) -> Self {
        let mut compiled = Self::default();
        for policy in &config.policies {
            compiled.add(policy, &config.exceptions);
        }
        for lanes in [&mut compiled.input, &mut compiled.output] {
            lanes.texts.sort_by_key(|lane| lane.scanner.reads_findings());
        }
        compiled
    }

    fn lanes(&self, place: Place) -> &Lanes {
        match place {
            Place::Input => &self.input,
            Place::Output => &self.output,
        }
    }

    /// Those that look at texts.
    pub(crate) fn at(&self, place: Place) -> &[Lane] {
        &self.lanes(place).texts
    }

    /// Those that look at calls of tools.
    pub(crate) fn calls_at(&self, place: Place) -> &[Lane] {
        &self.lanes(place).calls
    }

    /// All of them.
    pub(crate) fn all_at(&self, place: Place) -> impl Iterator<Item = &Lane> {
        self.at(place).iter().chain(self.calls_at(place))
    }

    /// Builds what scanners build when it is first needed.
    pub(crate) fn warm(&self) {
        Place::ALL.iter().flat_map(|place| self.all_at(*place)).for_each(|lane| lane.scanner.warm());
    }

    /// Whether any of it depends on the call.
    pub(crate) fn reads_context(&self) -> bool {
        self.reads_context
    }

    /// Whether who says a text matters to any of it.
    pub(crate) fn tells_roles(&self) -> bool {
        self.tells_roles
    }

    /// What looks at what this one says to a model.
    pub(crate) fn said_by(&self, role: Role) -> Self {
        let (input, output) = (self.input.map(|lane| lane.said_by(role)), self.output.map(|lane| Some(lane.clone())));
        Self { input, output, reads_context: self.reads_context, tells_roles: false }
    }

    /// The same policies, as far as they are for one call, with the scanners that its texts want.
    pub(crate) fn within(&self, context: &Context<'_>) -> Self {
        let lanes = |lanes: &Lanes| lanes.map(|lane| lane.within(context));
        Self {
            input: lanes(&self.input),
            output: lanes(&self.output),
            reads_context: false,
            tells_roles: self.tells_roles,
        }
    }

    /// The same lanes, with scanners that know what was answered.
    pub(crate) fn answered(&self, answers: &Arc<Answers>) -> Self {
        let lane = |lane: &Lane| {
            let scanner = lane.scanner.answered(answers).map_or_else(|| lane.scanner.clone(), Runs::Made);
            Some(Lane { scanner, ..lane.clone() })
        };
        let (input, output) = (self.input.map(lane), self.output.map(lane));
        Self { input, output, reads_context: self.reads_context, tells_roles: self.tells_roles }
    }

    /// Without those that look at answers only; `None` if there are none.
    pub(crate) fn aside(&self) -> Option<Self> {
        let is_for_all = |lane: &Lane| !lane.scanner.is_for_answers();
        if Place::ALL.iter().flat_map(|place| self.at(*place)).all(is_for_all) {
            return None;
        }
        let lanes = |lanes: &Lanes| lanes.map(|lane| is_for_all(lane).then(|| lane.clone()));
        let (input, output) = (lanes(&self.input), lanes(&self.output));
        Some(Self { input, output, reads_context: self.reads_context, tells_roles: self.tells_roles })
    }

    fn add(&mut self, policy: &PolicyConfig, exceptions: &[ExceptionConfig]) {
        let Some(entry) = registry::entry(&policy.scanner) else { return };
        let scanner = match entry {
            Entry::Ready(scanner) => Runs::ready(scanner),
            Entry::Made(maker) => match maker.make(&policy.options) {
                Ok(scanner) => Runs::Made(scanner),
                Err(_) => return,
            },
        };
        let term = Term::compile(policy, scanner.about());
        let exceptions: Vec<_> =
            exceptions.iter().map(Exception::new).filter(|one| one.is_about(&policy.scanner)).collect();
        self.reads_context |=
            scanner.reads_context() || term.reads_context() || exceptions.iter().any(Exception::reads_context);
        self.tells_roles |= !policy.roles.is_empty();
        let exceptions = Arc::new(exceptions);
        for (place, lanes) in [(Place::Input, &mut self.input), (Place::Output, &mut self.output)] {
            if policy.on.contains(&place) {
                lanes.add(&scanner, &term, &exceptions);
            }
        }
    }
}

/// The scanner of a lane.
#[derive(Clone)]
pub(crate) enum Runs {
    /// With its own bit.
    Ready(&'static dyn Scanner, u64),
    Made(Arc<dyn Scanner>),
}

impl Runs {
    fn ready(scanner: &'static dyn Scanner) -> Self {
        let place = registry::ALL.iter().position(|known| std::ptr::eq(known.about(), scanner.about()));
        Self::Ready(scanner, place.map_or(0, |place| 1 << place))
    }

    /// Its bit in sets of scanners that look at nothing but the text; 0 if it is none of them.
    pub(crate) fn bit(&self) -> u64 {
        match self {
            Self::Ready(_, bit) => *bit,
            Self::Made(_) => 0,
        }
    }

    /// Whether one run of it does for both. What was made for a policy looks for that policy's things alone.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ready(one, _), Self::Ready(other, _)) => std::ptr::eq(one.about(), other.about()),
            _ => false,
        }
    }
}

impl Deref for Runs {
    type Target = dyn Scanner;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Ready(scanner, _) => *scanner,
            Self::Made(scanner) => &**scanner,
        }
    }
}

/// One scanner at one place, with all policies that want it: it runs once, whatever their number.
#[derive(Clone)]
pub(crate) struct Lane {
    pub(crate) scanner: Runs,
    terms: Arc<Vec<Term>>,
    exceptions: Arc<Vec<Exception>>,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").field("scanner", &self.scanner.about().name).field("terms", &self.terms.len()).finish()
    }
}

impl Lane {
    /// Whether any policy may do more than flag.
    pub(crate) fn acts(&self) -> bool {
        self.terms.iter().any(|term| term.action > Action::Flag)
    }

    /// Whether any policy does this.
    pub(crate) fn does(&self, action: Action) -> bool {
        self.terms.iter().any(|term| term.action == action)
    }

    /// The lane of one call; `None` if no policy is for it.
    fn within(&self, context: &Context<'_>) -> Option<Self> {
        let facts = &context.facts;
        let terms = match self.terms.iter().all(|term| term.is_for(facts)) {
            true => Arc::clone(&self.terms),
            false => Arc::new(self.terms.iter().filter(|term| term.is_for(facts)).cloned().collect()),
        };
        let exceptions = match self.exceptions.iter().any(Exception::reads_context) {
            true => Arc::new(self.exceptions.iter().filter_map(|one| one.within(facts)).collect()),
            false => Arc::clone(&self.exceptions),
        };
        let scanner = self.scanner.within(context).map_or_else(|| self.scanner.clone(), Runs::Made);
        (!terms.is_empty()).then_some(Self { scanner, terms, exceptions })
    }

    /// The lane of what this one says; `None` if no policy looks at it.
    fn said_by(&self, role: Role) -> Option<Self> {
        let terms = match self.terms.iter().all(|term| term.hears(role)) {
            true => Arc::clone(&self.terms),
            false => Arc::new(self.terms.iter().filter(|term| term.hears(role)).cloned().collect()),
        };
        (!terms.is_empty()).then(|| Self { terms, ..self.clone() })
    }

    /// What is done about a hit; `None` if no policy wants it. `base` is the offset of `text` in the stream.
    pub(crate) fn mark(&self, place: Place, text: &str, base: usize, hit: Hit) -> Option<Marked> {
        self.mark_with(place, text, base, hit, |text, hit| self.scanner.explain(text, hit))
    }

    /// The same of a hit in a call of a tool, of which there is more to say.
    pub(crate) fn mark_call(&self, place: Place, arguments: &str, hit: Hit, detail: String) -> Option<Marked> {
        self.mark_with(place, arguments, 0, hit, |_, _| Some(detail))
    }

    fn mark_with(
        &self,
        place: Place,
        text: &str,
        base: usize,
        hit: Hit,
        detail: impl FnOnce(&str, &Hit) -> Option<String>,
    ) -> Option<Marked> {
        let found = text.get(hit.start..hit.end)?;
        let failed = is_failure(hit.rule);
        let wanted = self.terms.iter().filter(|term| term.wants(&hit, found) || (failed && !term.lets_pass(found)));
        // Of several that do the same, the one that would do most, then the first, speaks.
        let term = wanted.rev().max_by_key(|term| (term.action, term.would))?;
        let excepted = self.exceptions.iter().find(|exception| exception.excepts(hit.rule.name, found));
        let finding = Finding {
            scanner: self.scanner.about().name.to_owned(),
            rule: hit.rule.name.to_owned(),
            severity: hit.rule.severity,
            confidence: hit.confidence,
            place,
            start: base + hit.start,
            end: base + hit.end,
            action: match term.action {
                _ if excepted.is_some() => Action::Flag,
                // Whatever would be done about what it finds, nobody knows what it would have found.
                Action::Flag => Action::Flag,
                _ if failed => Action::Block,
                action => action,
            },
            message: term.message(hit.rule, detail(text, &hit).as_deref(), excepted.map(Exception::reason)),
        };
        let reply = term.reply.clone().filter(|_| finding.action == Action::Rewrite);
        Some(Marked { finding, hit, reply })
    }
}

/// A hit that a policy wants.
#[derive(Debug)]
pub(crate) struct Marked {
    /// With offsets in the whole stream.
    pub(crate) finding: Finding,
    /// What is answered in place of all.
    pub(crate) reply: Option<Arc<str>>,
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

    /// Takes the next finding. `text` starts at `base` in the stream. Without a vocabulary, what would be tokenised is redacted.
    pub(crate) fn step(
        &mut self,
        text: &str,
        base: usize,
        marked: &Marked,
        vocabulary: Option<&mut Vocabulary>,
        out: &mut String,
    ) {
        let Finding { start, end, action, .. } = marked.finding;
        if !matches!(action, Action::Redact | Action::Tokenise) || end <= self.done {
            return;
        }
        self.copy_to(text, base, start, out);
        // Of what was replaced before, nothing is left to be put back.
        let value = text.get(start - base..end - base).filter(|_| action == Action::Tokenise && start >= self.done);
        match vocabulary.zip(value).and_then(|(vocabulary, value)| vocabulary.token(marked.hit.rule.name, value)) {
            Some(token) => out.push_str(token),
            None => marked.hit.write_replacement(out),
        }
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
