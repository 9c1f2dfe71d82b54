//! Compiled policies, and what they say of whole texts.

use std::sync::Arc;

use signalbox_types::{Action, Finding, Place, Role, Verdict};

use crate::context::Context;
use crate::lane::{Compiled, Lane, Marked, Redactor};
use crate::memory;
use crate::model::Notes;
use crate::policy::{GuardConfig, GuardError};
use crate::scanner::{Hit, Text, ToolCall};
use crate::scanners::remote::answers::{Answers, Question};
use crate::together;
use crate::vocabulary::Vocabulary;
use crate::window::Window;

/// Compiled policies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Guard {
    compiled: Arc<Compiled>,
    /// For what goes along with answers; the same, if nothing looks at answers only.
    aside: Arc<Compiled>,
    config: Arc<GuardConfig>,
}

/// Tells microseconds; of long texts, to several threads.
pub type Clock<'a> = dyn Fn() -> f64 + Sync + 'a;

/// What was found in one text and what is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The strongest action of all findings.
    pub verdict: Verdict,
    /// What was found, by position.
    pub findings: Vec<Finding>,
    /// The text after redaction; `None` if nothing was redacted, or the text is blocked.
    pub redacted: Option<String>,
    /// What is answered in place of all, if a policy rewrites and none blocks.
    pub reply: Option<Arc<str>>,
}

/// What one scanner did with a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lap {
    /// Its name.
    pub scanner: &'static str,
    /// How much the text looks like what it is for, from 0 to 1, also where that is too little for a hit.
    pub score: f32,
    /// Microseconds that it took. What several scanners share counts for the first of them. At long texts several are
    /// at work at once.
    pub us: f64,
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
        Ok(Self::of_checked(config))
    }

    /// The same of what was once found to be right, and may name a service that has gone since: as good as one that never answers.
    #[must_use]
    pub fn of_checked(config: &GuardConfig) -> Self {
        let compiled = Compiled::new(config);
        compiled.warm();
        Self::of(compiled, Arc::new(config.clone()))
    }

    fn of(compiled: Compiled, config: Arc<GuardConfig>) -> Self {
        let aside = compiled.aside().map(Arc::new);
        let compiled = Arc::new(compiled);
        Self { aside: aside.unwrap_or_else(|| Arc::clone(&compiled)), compiled, config }
    }

    /// Everything that is wrong with what was typed.
    #[must_use]
    pub fn problems(config: &GuardConfig) -> Vec<GuardError> {
        let services = &config.services;
        let policies = config.policies.iter().enumerate().flat_map(|(index, policy)| policy.problems(index, services));
        let exceptions = config.exceptions.iter().enumerate().flat_map(|(index, one)| one.problems(index));
        let before = |index: usize| services.get(..index).unwrap_or_default();
        let services = services.iter().enumerate().flat_map(|(index, one)| one.problems(index, before(index)));
        policies.chain(exceptions).chain(services).collect()
    }

    /// What was typed.
    #[must_use]
    pub fn config(&self) -> &GuardConfig {
        &self.config
    }

    /// Whether [`Guard::within`] may give another guard.
    #[must_use]
    pub fn reads_context(&self) -> bool {
        self.compiled.reads_context()
    }

    /// The guard for the texts of one call.
    #[must_use]
    pub fn within(&self, context: &Context<'_>) -> Self {
        if !self.reads_context() {
            return self.clone();
        }
        Self::of(self.compiled.within(context), Arc::clone(&self.config))
    }

    /// Whether who says a text matters to any policy: then it is the guard of [`Guard::said_by`] that looks at it.
    #[must_use]
    pub fn tells_roles(&self) -> bool {
        self.compiled.tells_roles()
    }

    /// The guard for texts that this one says to a model.
    #[must_use]
    pub fn said_by(&self, role: Role) -> Self {
        Self::of(self.compiled.said_by(role), Arc::clone(&self.config))
    }

    /// Whether anybody must be asked about the texts of this place before they are looked at: then it is a guard
    /// [`answered`](Guard::answered) that looks.
    #[must_use]
    pub fn asks(&self, place: Place) -> bool {
        self.compiled.at(place).iter().any(|lane| lane.scanner.question().is_some())
    }

    /// What must be asked, of each text.
    #[must_use]
    pub fn questions(&self, place: Place) -> Vec<Question> {
        let mut questions = Vec::new();
        for question in self.compiled.at(place).iter().filter_map(|lane| lane.scanner.question()) {
            if !questions.contains(question) {
                questions.push(question.clone());
            }
        }
        questions
    }

    /// Whether what has to be asked about here has to wait for the answer.
    #[must_use]
    pub fn waits(&self, place: Place) -> bool {
        self.compiled.at(place).iter().any(|lane| lane.acts() && lane.scanner.question().is_some())
    }

    /// The guard that knows what was answered. Answers that are still to come may be put in while it looks at streams.
    #[must_use]
    pub fn answered(&self, answers: &Arc<Answers>) -> Self {
        Self::of(self.compiled.answered(answers), Arc::clone(&self.config))
    }

    /// The guard for what goes along with an answer: thoughts, refusals, arguments of tools.
    #[must_use]
    pub fn aside(&self) -> Self {
        Self { compiled: Arc::clone(&self.aside), ..self.clone() }
    }

    /// Whether any policy looks at this place.
    #[must_use]
    pub fn watches(&self, place: Place) -> bool {
        self.compiled.all_at(place).next().is_some()
    }

    /// Whether any policy looks at calls of tools here.
    #[must_use]
    pub fn watches_calls(&self, place: Place) -> bool {
        !self.compiled.calls_at(place).is_empty()
    }

    /// Whether any policy looks at answers only, so that they must be told from what goes along with them.
    #[must_use]
    pub fn tells_answers(&self) -> bool {
        !Arc::ptr_eq(&self.compiled, &self.aside)
    }

    /// Whether any policy does this here.
    #[must_use]
    pub fn does(&self, action: Action, place: Place) -> bool {
        self.compiled.all_at(place).any(|lane| lane.does(action))
    }

    /// Whether any policy may redact or block here, so that a stream has to be held back a little.
    #[must_use]
    pub fn acts_on(&self, place: Place) -> bool {
        self.compiled.all_at(place).any(Lane::acts)
    }

    /// Looks at one whole text.
    #[must_use]
    pub fn check(&self, place: Place, text: &str) -> Check {
        self.look(place, text, None, None).0
    }

    /// The same, where what a policy tokenises gets placeholders of this vocabulary.
    #[must_use]
    pub fn check_with(&self, place: Place, text: &str, vocabulary: &mut Vocabulary) -> Check {
        self.look(place, text, Some(vocabulary), None).0
    }

    /// Looks at one complete call of a tool.
    #[must_use]
    pub fn check_call(&self, place: Place, call: &ToolCall<'_>) -> Check {
        let mut found = Vec::new();
        let mut marked = Vec::new();
        for lane in self.compiled.calls_at(place) {
            lane.scanner.judge(call, &mut found);
            let text = if call.arguments.is_empty() { " " } else { call.arguments };
            let mark = |(hit, detail): (Hit, String)| {
                // Nothing can be found in no arguments but the call itself.
                let hit = if call.arguments.is_empty() { Hit { start: 0, end: 1, ..hit } } else { hit };
                lane.mark_call(place, text, hit, detail)
            };
            marked.extend(found.drain(..).filter_map(mark));
        }
        conclude(call.arguments, marked, None)
    }

    /// Looks at one whole text, and says how sure each scanner is and how long it took. `clock` tells microseconds.
    #[must_use]
    pub fn measure(
        &self,
        place: Place,
        text: &str,
        vocabulary: &mut Vocabulary,
        clock: &Clock<'_>,
    ) -> (Check, Vec<Lap>) {
        self.look(place, text, Some(vocabulary), Some(clock))
    }

    fn look(
        &self,
        place: Place,
        text: &str,
        vocabulary: Option<&mut Vocabulary>,
        clock: Option<&Clock<'_>>,
    ) -> (Check, Vec<Lap>) {
        let lanes = self.compiled.at(place);
        let (first, last) = lanes.split_at(lanes.partition_point(|lane| !lane.scanner.reads_findings()));
        // Answers don't come again, and who wants to know the time wants that of scanning.
        let remembers = place == Place::Input && clock.is_none() && first.iter().any(|lane| lane.scanner.bit() != 0);
        let key = if remembers { memory::key(text) } else { None };
        let clean = key.as_ref().map_or(0, memory::clean);
        let first: Vec<&Lane> = first.iter().filter(|lane| lane.scanner.bit() & clean == 0).collect();
        let mut seen = together::gather(
            text,
            &first,
            |lane| lane.scanner.shares_notes(),
            |seen: &mut Seen, lane, text| seen.add(lane, place, text, clock),
            Seen::extend,
            clock,
        );
        if let Some(key) = key.filter(|_| seen.clean != 0) {
            memory::remember(key, seen.clean);
        }
        for lane in last {
            let found: Vec<Finding> = seen.marked.iter().map(|marked| marked.finding.clone()).collect();
            seen.add(lane, place, Text::whole(text).with_findings(&found), clock);
        }
        (conclude(text, seen.marked, vocabulary), seen.laps)
    }

    /// A window for one stream of text.
    #[must_use]
    pub fn window(&self, place: Place) -> Window {
        Window::new(Arc::clone(&self.compiled), place)
    }
}

/// What scanners have seen in a whole text.
#[derive(Default)]
struct Seen {
    marked: Vec<Marked>,
    laps: Vec<Lap>,
    hits: Vec<Hit>,
    /// The scanners that have found nothing.
    clean: u64,
}

impl Seen {
    fn add(&mut self, lane: &Lane, place: Place, text: Text<'_>, clock: Option<&Clock<'_>>) {
        let began = clock.map(|clock| clock());
        lane.scanner.scan(text, &mut self.hits);
        if let (Some(clock), Some(began)) = (clock, began) {
            let before = lane.scanner.waited().as_secs_f64() * 1e6 + text.notes().map_or(0.0, Notes::take_us);
            let us = clock() - began + before;
            let score = lane.scanner.score(text, &self.hits);
            self.laps.push(Lap { scanner: lane.scanner.about().name, score, us });
        }
        if self.hits.is_empty() {
            self.clean |= lane.scanner.bit();
        }
        self.marked.extend(self.hits.drain(..).filter_map(|hit| lane.mark(place, text.as_str(), 0, hit)));
    }

    fn extend(&mut self, other: Self) {
        self.marked.extend(other.marked);
        self.laps.extend(other.laps);
        self.clean |= other.clean;
    }
}

/// What follows from what was found in a whole text.
fn conclude(text: &str, mut marked: Vec<Marked>, mut vocabulary: Option<&mut Vocabulary>) -> Check {
    if marked.is_empty() {
        return Check { verdict: Verdict::Allow, findings: Vec::new(), redacted: None, reply: None };
    }
    marked.sort_by_key(Marked::order);
    let action = marked.iter().map(|marked| marked.finding.action).max().unwrap_or(Action::Flag);
    let verdict = Verdict::from(action);
    let redacted = (verdict == Verdict::Redact).then(|| {
        let mut redactor = Redactor::default();
        let mut out = String::with_capacity(text.len());
        for marked in &marked {
            redactor.step(text, 0, marked, vocabulary.as_deref_mut(), &mut out);
        }
        redactor.copy_to(text, 0, text.len(), &mut out);
        out
    });
    let reply = marked.iter().find_map(|marked| marked.reply.clone()).filter(|_| action == Action::Rewrite);
    Check { verdict, findings: marked.into_iter().map(|marked| marked.finding).collect(), redacted, reply }
}

#[cfg(test)]
#[path = "conduct_tests.rs"]
mod conduct_tests;
#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
