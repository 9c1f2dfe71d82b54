//! Which of two answers is better. Judges prefer a place, and longer answers (Zheng et al. 2023, "Judging LLM-as-a-Judge with
//! MT-Bench and Chatbot Arena", <https://arxiv.org/abs/2306.05685>): so they are asked in both orders, and who wins in
//! one only hasn't won.

use signalbox_metrics::Evidence;

use super::answer::Verdict;
use super::opinion::{Flag, FlagKind};
use super::prompt::{ANSWERS, Shown};

/// Which of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    First,
    Second,
    Tie,
}

impl Side {
    /// What a judge said that saw them in this order.
    pub(super) fn of(verdict: &Verdict, swapped: bool) -> Option<Self> {
        Some(match (verdict, swapped) {
            (Verdict::First, false) | (Verdict::Second, true) => Self::First,
            (Verdict::Second, false) | (Verdict::First, true) => Self::Second,
            (Verdict::Tie, _) => Self::Tie,
            (Verdict::Value(_) | Verdict::Label(_), _) => return None,
        })
    }

    pub(super) fn value(self) -> f64 {
        match self {
            Self::First => 1.0,
            Self::Second => 0.0,
            Self::Tie => 0.5,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Tie => "tie",
        }
    }
}

/// What two opinions in both orders amount to.
pub(super) fn agreed(straight: Side, swapped: Side) -> (Side, Option<Flag>) {
    if straight == swapped {
        return (straight, None);
    }
    let message = format!(
        "asked in both orders, the judge said {} and {}: a tie, as the order decided",
        straight.word(),
        swapped.word()
    );
    (Side::Tie, Some(Flag::new(FlagKind::PositionDisagreement, message)))
}

/// Words of both answers, in the order of the case.
pub(super) fn lengths(shown: &[Shown]) -> Option<[usize; 2]> {
    let words =
        |label: &str| shown.iter().find(|one| one.label == label).map(|one| one.text.split_whitespace().count());
    let [one, other] = ANSWERS;
    Some([words(one)?, words(other)?])
}

/// For the judge, in the order in which it sees them.
pub(super) fn length_note([one, other]: [usize; 2]) -> String {
    format!(
        "For your information: {} has {one} words, {} has {other}. Don't prefer either for that.",
        ANSWERS.first().unwrap_or(&""),
        ANSWERS.last().unwrap_or(&"")
    )
}

/// One is this many times as long as the other before it is remarked.
const MUCH_LONGER: f64 = 1.5;

/// Whether the longer one won.
pub(super) fn longer_won(side: Side, [one, other]: [usize; 2]) -> Option<Flag> {
    let (won, lost) = match side {
        Side::First => (one, other),
        Side::Second => (other, one),
        Side::Tie => return None,
    };
    let much = won as f64 >= MUCH_LONGER * lost.max(1) as f64;
    let message = || format!("the longer answer won: {won} words against {lost}");
    much.then(|| Flag::new(FlagKind::LongerWon, message()))
}

/// Evidence of both orders, each place once.
pub(super) fn both(mut evidence: Vec<Evidence>, more: Vec<Evidence>) -> Vec<Evidence> {
    for place in more {
        let is_there = |one: &Evidence| (one.input, one.start, one.end) == (place.input, place.start, place.end);
        if !evidence.iter().any(is_there) {
            evidence.push(place);
        }
    }
    evidence
}
