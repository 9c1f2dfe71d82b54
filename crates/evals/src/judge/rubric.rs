//! What a judge is told: what to look at, what counts, and in which words to answer.

use serde::{Deserialize, Serialize};
use signalbox_metrics::{Direction, Input};

/// By what a judge judges. A file of it and a line in the registry are all that a rubric needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rubric {
    /// What its scores are called.
    pub name: String,
    /// One line: what it judges.
    #[serde(default)]
    pub summary: String,
    /// Where its criteria were published.
    #[serde(default)]
    pub source: String,
    /// What a case must have.
    pub inputs: Vec<Input>,
    /// What the judge sees if a case has it. A reference among it guides the judge.
    #[serde(default)]
    pub optional: Vec<Input>,
    /// What counts, in words for the judge.
    pub criteria: String,
    /// How to go about it, step by step.
    #[serde(default)]
    pub steps: Vec<String>,
    /// In which words to answer.
    pub scale: Scale,
    /// Which values are good.
    #[serde(default = "higher")]
    pub direction: Direction,
    /// What passes; inclusive. Of labels alone those that say `passes: true` do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

fn higher() -> Direction {
    Direction::Higher
}

/// In which words a judge answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scale {
    /// Yes, which is 1, or no, which is 0.
    Binary {
        /// What yes means.
        yes: String,
        /// What no means.
        no: String,
    },
    /// One of some levels in order.
    Ordinal {
        /// From the least to the most.
        levels: Vec<Level>,
    },
    /// Any number of a range.
    Numeric {
        /// The least.
        low: f64,
        /// The most.
        high: f64,
        /// What some of the numbers mean.
        #[serde(default)]
        anchors: Vec<Level>,
    },
    /// One of several kinds, in no order.
    Categorical {
        /// The kinds.
        labels: Vec<Category>,
    },
    /// Which of two answers is better: 1 if it is the first, 0 if it is the second, 0.5 if neither.
    Pairwise,
}

/// A level of a scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its number.
    pub value: f64,
    /// What it means.
    pub meaning: String,
}

/// A kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Its name.
    pub label: String,
    /// What it means.
    pub meaning: String,
    /// Good enough?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passes: Option<bool>,
}

/// What is wrong with a rubric: the field, what was expected and what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {problem}")]
pub struct RubricProblem {
    /// The field, with the way into it: `scale.levels[1].value`.
    pub field: String,
    /// What is wrong there.
    pub problem: String,
}

impl RubricProblem {
    fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// A rubric is a part of every prompt.
const MOST_BYTES: usize = 32 << 10;
const MOST_CHOICES: usize = 50;

impl Rubric {
    /// Whether it can be judged by.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), RubricProblem> {
        let wrong = |field: &str, problem: String| Err(RubricProblem::new(field, problem));
        let name = self.name.trim();
        if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
            return wrong("name", "expected 1 to 100 characters in one line".to_owned());
        }
        if self.criteria.trim().is_empty() {
            return wrong("criteria", "expected what counts, in words for the judge".to_owned());
        }
        let texts = [&self.criteria, &self.summary].into_iter().chain(&self.steps).map(String::len).sum::<usize>();
        if texts > MOST_BYTES {
            return wrong("criteria", format!("expected at most {MOST_BYTES} bytes with its steps, found {texts}"));
        }
        if self.inputs.is_empty() {
            return wrong("inputs", "expected at least one part of a case, such as `output`".to_owned());
        }
        if let Some(input) = self.shown().find(|input| matches!(input, Input::Logprobs)) {
            return wrong("inputs", format!("a judge can't read `{input}`"));
        }
        if let Some(twice) = self.optional.iter().find(|input| self.inputs.contains(input)) {
            return wrong("optional", format!("`{twice}` is among `inputs` already"));
        }
        if self.scale == Scale::Pairwise && !self.inputs.contains(&Input::Output) {
            return wrong("inputs", "of two answers, expected `output`".to_owned());
        }
        if self.threshold.is_some_and(|threshold| !threshold.is_finite()) {
            return wrong("threshold", "expected a number".to_owned());
        }
        self.scale.check()
    }

    /// Every part of a case that the judge sees, in the order in which people read them.
    pub fn shown(&self) -> impl Iterator<Item = Input> + '_ {
        let all = signalbox_metrics::case::INPUTS.into_iter();
        all.filter(|input| self.inputs.contains(input) || self.optional.contains(input))
    }

    /// The lowest and the highest value, if it has values.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        match &self.scale {
            Scale::Binary { .. } | Scale::Pairwise => Some((0.0, 1.0)),
            Scale::Ordinal { levels } => Some((levels.first()?.value, levels.last()?.value)),
            Scale::Numeric { low, high, .. } => Some((*low, *high)),
            Scale::Categorical { .. } => None,
        }
    }

    /// What passes: what it says, or else a yes, the upper half of a range, or a second answer that isn't better.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold.unwrap_or_else(|| match (&self.scale, self.range()) {
            (Scale::Binary { .. }, _) => f64::from(u8::from(self.direction == Direction::Higher)),
            (_, Some((low, high))) => low.midpoint(high),
            (_, None) => 0.0,
        })
    }
}

impl Scale {
    fn check(&self) -> Result<(), RubricProblem> {
        let wrong = |field: &str, problem: String| Err(RubricProblem::new(field, problem));
        let rising = |field: &str, levels: &[Level]| {
            let finite =
                |(at, level): (usize, &Level)| (!level.value.is_finite()).then(|| (at, "expected a number".to_owned()));
            let falls = |(at, pair): (usize, &[Level])| match pair {
                [before, after] if before.value >= after.value => {
                    Some((at + 1, format!("expected more than {}, found {}", before.value, after.value)))
                }
                _ => None,
            };
            let bad = levels.iter().enumerate().find_map(finite);
            match bad.or_else(|| levels.windows(2).enumerate().find_map(falls)) {
                Some((at, problem)) => Err(RubricProblem::new(format!("{field}[{at}].value"), problem)),
                None => Ok(()),
            }
        };
        match self {
            Self::Binary { .. } | Self::Pairwise => Ok(()),
            Self::Ordinal { levels } if !(2..=MOST_CHOICES).contains(&levels.len()) => {
                wrong("scale.levels", format!("expected 2 to {MOST_CHOICES}, found {}", levels.len()))
            }
            Self::Ordinal { levels } => rising("scale.levels", levels),
            Self::Numeric { low, high, .. } if !(low.is_finite() && high.is_finite() && low < high) => {
                wrong("scale.high", format!("expected more than `low`, which is {low}; found {high}"))
            }
            Self::Numeric { anchors, .. } => rising("scale.anchors", anchors),
            Self::Categorical { labels } if !(2..=MOST_CHOICES).contains(&labels.len()) => {
                wrong("scale.labels", format!("expected 2 to {MOST_CHOICES}, found {}", labels.len()))
            }
            Self::Categorical { labels } => {
                for (at, one) in labels.iter().enumerate() {
                    let field = format!("scale.labels[{at}].label");
                    if one.label.trim().is_empty() || one.label.chars().any(char::is_control) {
                        return wrong(&field, "expected a word or a few".to_owned());
                    }
                    let same = |other: &Category| other.label.eq_ignore_ascii_case(&one.label);
                    if labels.iter().take(at).any(same) {
                        return wrong(&field, format!("`{}` is there already", one.label));
                    }
                }
                Ok(())
            }
        }
    }

    /// The word for it, as files and the API write it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Binary { .. } => "binary",
            Self::Ordinal { .. } => "ordinal",
            Self::Numeric { .. } => "numeric",
            Self::Categorical { .. } => "categorical",
            Self::Pairwise => "pairwise",
        }
    }
}
