//! Compiled policies, and what they say of whole texts.

use std::sync::Arc;

use signalbox_types::{Finding, Place, Verdict};

use crate::context::Context;
use crate::lane::{Compiled, Lane, Marked, Redactor};
use crate::model::Notes;
use crate::policy::{GuardConfig, GuardError};
use crate::scanner::{Hit, Text};
use crate::window::Window;

/// Compiled policies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Guard {
    compiled: Arc<Compiled>,
    config: Arc<GuardConfig>,
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

/// What one scanner did with a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lap {
    /// Its name.
    pub scanner: &'static str,
    /// How much the text looks like what it is for, from 0 to 1, also where that is too little for a hit.
    pub score: f32,
    /// Microseconds that it took. What several scanners share counts for the first of them.
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
        let mut compiled = Compiled::default();
        for policy in &config.policies {
            compiled.add(policy);
        }
        compiled.warm();
        Ok(Self { compiled: Arc::new(compiled), config: Arc::new(config.clone()) })
    }

    /// Everything that is wrong with what was typed.
    #[must_use]
    pub fn problems(config: &GuardConfig) -> Vec<GuardError> {
        config.policies.iter().enumerate().flat_map(|(index, policy)| policy.problems(index)).collect()
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
        Self { compiled: Arc::new(self.compiled.within(context)), config: Arc::clone(&self.config) }
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
        self.look(place, text, |_, _, _| ())
    }

    /// Looks at one whole text, and says how sure each scanner is and how long it took. `clock` tells microseconds.
    #[must_use]
    pub fn measure(&self, place: Place, text: &str, clock: &dyn Fn() -> f64) -> (Check, Vec<Lap>) {
        let mut laps = Vec::new();
        let mut began = clock();
        let check = self.look(place, text, |lane, text, hits| {
            let us = clock() - began;
            let score = lane.scanner.score(text, hits);
            laps.push(Lap { scanner: lane.scanner.about().name, score, us });
            began = clock();
        });
        (check, laps)
    }

    fn look(&self, place: Place, text: &str, mut seen: impl FnMut(&Lane, Text<'_>, &[Hit])) -> Check {
        let notes = Notes::default();
        let mut hits = Vec::new();
        let mut marked = Vec::new();
        for lane in self.compiled.at(place) {
            let whole = Text::whole(text).noted(&notes);
            lane.scanner.scan(whole, &mut hits);
            seen(lane, whole, &hits);
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

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
