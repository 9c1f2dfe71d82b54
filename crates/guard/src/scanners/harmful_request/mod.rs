//! Requests for plainly harmful help, without any disguise.
//!
//! One head of the trained model, and its patterns: see [`crate::model`].

use signalbox_types::Severity;

use crate::model::{self, Head, Scan};
use crate::scanner::{About, Hit, Rule, Scanner, Text, rule};

#[cfg(test)]
mod tests;

/// Finds requests for help with crimes, weapons, violence, hate or self-harm.
#[derive(Debug, Clone, Copy)]
pub struct HarmfulRequest;

static RULES: &[Rule] = &[
    rule("crime", Severity::High, "A request for help with a crime. Refuse it, or show it to a person."),
    rule(
        "cybercrime",
        Severity::High,
        "A request for help with an attack on computers. Refuse it, or show it to a person.",
    ),
    rule(
        "learned",
        Severity::Medium,
        "The trained model takes this for a harmful request. Look at it before acting on it.",
    ),
    rule("weapons", Severity::High, "A request for help with a weapon. Refuse it, or show it to a person."),
];

static SCAN: Scan = Scan { head: Head::HarmfulRequest, rules: RULES };

static ABOUT: About = About {
    name: "harmful_request",
    summary: "Finds requests for help with crimes, weapons, violence, hate or self-harm.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: 0,
    hold: Scan::HOLD,
};

impl Scanner for HarmfulRequest {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        model::scan(&SCAN, text, hits)
    }

    fn shares_notes(&self) -> bool {
        true
    }

    fn score(&self, text: Text<'_>, _hits: &[Hit]) -> f32 {
        model::score(&SCAN, text)
    }
}
