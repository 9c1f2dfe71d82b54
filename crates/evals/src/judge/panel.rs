//! One judge or several, asked once or several times, and what follows from all that they say.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use signalbox_metrics::{Case, Direction, Input};
use signalbox_types::seam::{BoxFuture, Completer};
use signalbox_types::{ProjectId, ScoreSource};

use super::answer::Verdict;
use super::ask::{Ask, Refused, verified};
use super::family::family;
use super::opinion::{Flag, FlagKind, Judgement, Opinion, Tally};
use super::pair::{self, Side};
use super::prompt::{self, Example, Shown};
use super::rubric::{Rubric, RubricProblem, Scale};
use super::tally::{Vote, agreement, combined};
use crate::calibrate::Examples;
use crate::{Scored, Scorer, ScorerError};

/// Calls for one case that are under way at once.
const AT_ONCE: usize = 4;
const MOST_MODELS: usize = 10;
const MOST_SAMPLES: usize = 20;
/// At what temperature a judge is asked several times, unless the plan says it.
const SAMPLE_TEMPERATURE: f64 = 0.7;

/// Who judges, and how often.
#[derive(Debug, Clone)]
pub struct JudgePlan {
    /// Models or routes, as a caller of the gateway names them. Several make a panel.
    pub models: Vec<String>,
    /// So often each is asked; what it says most often, or on average, is its opinion.
    pub samples: usize,
    /// Without it 0, or 0.7 if a judge is asked several times.
    pub temperature: Option<f64>,
    /// The most that an answer may take.
    pub max_tokens: Option<u32>,
    /// How opinions become one; without it by the scale: the median of levels, the mean of numbers, else the majority.
    pub aggregate: Option<Aggregate>,
    /// Two answers are shown in the order of the case only, which halves the calls and trusts the judge not to mind it.
    pub one_order: bool,
    /// Of two answers, the judge is told how long they are.
    pub tell_lengths: bool,
    /// Who wrote what is judged, to warn of a judge of the same family.
    pub judged_model: Option<String>,
    /// Items that people judged, of which the judge is shown those that are most like the case.
    pub examples: Option<Arc<Examples>>,
    /// So many of them.
    pub most_examples: usize,
    /// What the calls' spans say besides.
    pub metadata: BTreeMap<String, String>,
}

impl JudgePlan {
    /// One judge, asked once.
    pub fn of(model: impl Into<String>) -> Self {
        Self {
            models: vec![model.into()],
            samples: 1,
            temperature: None,
            max_tokens: None,
            aggregate: None,
            one_order: false,
            tell_lengths: false,
            judged_model: None,
            examples: None,
            most_examples: 4,
            metadata: BTreeMap::new(),
        }
    }

    fn temperature(&self) -> f64 {
        self.temperature.unwrap_or(if self.samples > 1 { SAMPLE_TEMPERATURE } else { 0.0 })
    }

    fn check(&self, scale: &Scale) -> Result<(), RubricProblem> {
        let wrong = |field: &str, problem: String| Err(RubricProblem { field: field.to_owned(), problem });
        if !(1..=MOST_MODELS).contains(&self.models.len()) {
            return wrong("model", format!("expected 1 to {MOST_MODELS} models, found {}", self.models.len()));
        }
        if self.models.iter().any(|model| model.trim().is_empty()) {
            return wrong("model", "expected the name of a model or a route, found nothing".to_owned());
        }
        if !(1..=MOST_SAMPLES).contains(&self.samples) {
            return wrong("samples", format!("expected 1 to {MOST_SAMPLES}, found {}", self.samples));
        }
        let temperature = self.temperature();
        if !(0.0..=2.0).contains(&temperature) {
            return wrong("temperature", format!("expected 0 to 2, found {temperature}"));
        }
        if self.samples > 1 && temperature == 0.0 {
            return wrong("temperature", "several samples at 0 are all the same; expected more than 0".to_owned());
        }
        let of_words = matches!(scale, Scale::Categorical { .. } | Scale::Pairwise);
        if of_words && matches!(self.aggregate, Some(Aggregate::Mean | Aggregate::Median)) {
            return wrong("aggregate", format!("verdicts of a {} rubric have the majority only", scale.kind()));
        }
        Ok(())
    }
}

/// How several opinions become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Their mean.
    Mean,
    /// The one in the middle; of two in the middle their mean.
    Median,
    /// What most of them say; where two are said as often, what lies between, which is flagged.
    Majority,
}

impl Aggregate {
    fn of(scale: &Scale) -> Self {
        match scale {
            Scale::Binary { .. } | Scale::Categorical { .. } | Scale::Pairwise => Self::Majority,
            Scale::Ordinal { .. } => Self::Median,
            Scale::Numeric { .. } => Self::Mean,
        }
    }
}

/// A rubric, and who judges by it.
#[derive(Debug)]
pub struct Judge {
    name: String,
    rubric: Arc<Rubric>,
    threshold: f64,
    plan: JudgePlan,
    completer: Arc<dyn Completer>,
    project: ProjectId,
    /// By model.
    refused: Vec<Refused>,
}

impl Judge {
    /// A judge that is ready to be asked.
    ///
    /// # Errors
    /// The rubric or the plan has something that can't be.
    pub fn new(
        rubric: Rubric,
        plan: JudgePlan,
        completer: Arc<dyn Completer>,
        project: ProjectId,
    ) -> Result<Self, RubricProblem> {
        rubric.check()?;
        plan.check(&rubric.scale)?;
        let refused = plan.models.iter().map(|_| Refused::default()).collect();
        let (name, threshold) = (rubric.name.clone(), rubric.threshold());
        Ok(Self { name, rubric: Arc::new(rubric), threshold, plan, completer, project, refused })
    }

    /// The same under another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same with another threshold.
    #[must_use]
    pub fn passing(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// By what it judges.
    #[must_use]
    pub fn rubric(&self) -> &Rubric {
        &self.rubric
    }

    /// Whom it asks.
    #[must_use]
    pub fn plan(&self) -> &JudgePlan {
        &self.plan
    }

    /// Calls that one case takes, if nothing has to be asked again.
    #[must_use]
    pub fn calls(&self) -> usize {
        let orders = if self.rubric.scale == Scale::Pairwise && !self.plan.one_order { 2 } else { 1 };
        self.plan.models.len() * self.plan.samples * orders
    }

    /// Judges one case.
    ///
    /// # Errors
    /// The case lacks something; half of the judges or more could not be asked or gave no answer that can be read.
    pub async fn judge(&self, case: &Case) -> Result<Judgement, ScorerError> {
        self.judge_written_by(case, self.plan.judged_model.as_deref()).await
    }

    /// [`Judge::judge`], where it is known of each case which model wrote it.
    ///
    /// # Errors
    /// As there.
    pub async fn judge_written_by(&self, case: &Case, model: Option<&str>) -> Result<Judgement, ScorerError> {
        let shown = prompt::shown(&self.rubric, case)?;
        let (examples, looked_up, flag) = self.examples(case).await;
        let votes = (0..self.plan.models.len()).flat_map(|model| (0..self.plan.samples).map(move |one| (model, one)));
        let asked = votes.map(|vote| self.opinion(vote, &shown, &examples));
        let (mut opinions, mut errors) = (Vec::new(), Vec::new());
        let mut said = stream::iter(asked.collect::<Vec<_>>()).buffered(AT_ONCE);
        while let Some(one) = said.next().await {
            match one {
                Ok((judge, mut opinion)) => {
                    opinion.flags.extend(own_kind(model, &opinion));
                    opinions.push((judge, opinion));
                }
                Err(error) => errors.push(error),
            }
        }
        drop(said);
        if opinions.len() <= errors.len()
            && let Some(first) = errors.first()
        {
            return Err(first.clone());
        }
        let mut judgement = self.judgement(opinions, &errors, &shown)?;
        judgement.tally += &looked_up;
        judgement.flags.extend(flag);
        Ok(judgement)
    }

    /// What people said of other cases, what finding that took, and what to know of it.
    async fn examples(&self, case: &Case) -> (Vec<Example>, Tally, Option<Flag>) {
        let Some(examples) = &self.plan.examples else { return (Vec::new(), Tally::default(), None) };
        let near = examples.nearest(case, self.plan.most_examples).await;
        let as_shown = near.corrections.into_iter().filter_map(|one| {
            let shown = prompt::shown(&self.rubric, &one.case).ok()?;
            Some(Example { shown, verdict: one.verdict.clone(), reason: one.reason.clone() })
        });
        let told = |problem: String| {
            let message = format!("the examples are the nearest by letters, not by meaning: {problem}");
            Flag::new(FlagKind::ExamplesByLetters, message)
        };
        (as_shown.collect(), near.tally, near.problem.map(told))
    }

    async fn opinion(
        &self,
        (model, sample): (usize, usize),
        shown: &[Shown],
        examples: &[Example],
    ) -> Result<(usize, Opinion), ScorerError> {
        let asked = self.plan.models.get(model).zip(self.refused.get(model));
        let (name, refused) = asked.ok_or_else(|| ScorerError::Answer("no such judge".to_owned()))?;
        let ask = Ask {
            completer: &*self.completer,
            project: &self.project,
            rubric: &self.rubric,
            model: name,
            temperature: self.plan.temperature(),
            // Else a provider that keeps answers could give the same one each time.
            seed: (self.plan.samples > 1).then(|| i64::try_from(sample).unwrap_or(0)),
            max_tokens: self.plan.max_tokens,
            metadata: &self.plan.metadata,
            refused,
        };
        let lengths = if self.rubric.scale == Scale::Pairwise { pair::lengths(shown) } else { None };
        let note = |lengths: [usize; 2]| self.plan.tell_lengths.then(|| pair::length_note(lengths));
        let messages = prompt::messages(&self.rubric, shown, examples, lengths.and_then(note).as_deref());
        let told = ask.ask(messages).await?;
        let (mut evidence, mut strange) = verified(&told.answered.quotes, shown);
        let (mut tally, mut flags) = (told.tally, told.flags);
        let (value, label) = match &told.answered.verdict {
            Verdict::Value(value) => (Some(*value), None),
            Verdict::Label(label) => (None, Some(label.clone())),
            verdict => {
                let mut side = Side::of(verdict, false).unwrap_or(Side::Tie);
                if !self.plan.one_order {
                    let shown = prompt::swapped(shown);
                    let note = lengths.and_then(|[one, other]| note([other, one]));
                    let other = ask.ask(prompt::messages(&self.rubric, &shown, examples, note.as_deref())).await?;
                    let swapped = Side::of(&other.answered.verdict, true).unwrap_or(Side::Tie);
                    let (more, more_strange) = verified(&other.answered.quotes, &shown);
                    evidence = pair::both(evidence, more);
                    strange += more_strange;
                    tally += &other.tally;
                    flags.extend(other.flags.into_iter().filter(|flag| flag.kind == FlagKind::Repaired));
                    let (agreed, flag) = pair::agreed(side, swapped);
                    side = agreed;
                    flags.extend(flag);
                }
                flags.extend(lengths.and_then(|lengths| pair::longer_won(side, lengths)));
                (Some(side.value()), Some(side.word().to_owned()))
            }
        };
        if strange > 0 {
            let were = if strange == 1 { "1 quotation isn't" } else { &format!("{strange} quotations aren't") };
            flags.push(Flag::new(FlagKind::UnverifiedQuotes, format!("{were} in the texts and thrown away")));
        }
        let answered_by = told.answered_by;
        let reason = told.answered.reasoning.replace(char::is_control, " ");
        Ok((model, Opinion { model: name.clone(), answered_by, value, label, reason, evidence, flags, tally }))
    }

    fn judgement(
        &self,
        opinions: Vec<(usize, Opinion)>,
        errors: &[ScorerError],
        shown: &[Shown],
    ) -> Result<Judgement, ScorerError> {
        let aggregate = self.plan.aggregate.unwrap_or_else(|| Aggregate::of(&self.rubric.scale));
        // First each judge's own mind, so that all count the same.
        let of_judge = |model: usize| {
            let own: Vec<Vote> = opinions.iter().filter(|(one, _)| *one == model).map(|(_, one)| one.into()).collect();
            (!own.is_empty()).then(|| combined(&own, aggregate))
        };
        let minds: Vec<_> = (0..self.plan.models.len()).filter_map(of_judge).collect();
        let votes: Vec<_> = minds.iter().map(|(vote, _)| vote.clone()).collect();
        let (vote, divided) = combined(&votes, aggregate);
        if vote.value.is_none() && vote.label.is_none() {
            let said: Vec<_> = opinions.iter().filter_map(|(_, one)| one.label.as_deref()).collect();
            return Err(ScorerError::Answer(format!("no verdict has a majority: {}", said.join(", "))));
        }
        let opinions: Vec<Opinion> = opinions.into_iter().map(|(_, opinion)| opinion).collect();
        let (mut tally, mut flags) = (Tally::default(), Vec::new());
        for opinion in &opinions {
            tally += &opinion.tally;
            for flag in &opinion.flags {
                if !flags.contains(flag) {
                    flags.push(flag.clone());
                }
            }
        }
        if divided || minds.iter().any(|(_, divided)| *divided) {
            flags.push(Flag::new(FlagKind::NoMajority, "no verdict has a majority; what lies between counts"));
        }
        if let Some(first) = errors.first() {
            let asked = opinions.len() + errors.len();
            let message = format!("{} of {asked} opinions are missing: {first}", errors.len());
            flags.push(Flag::new(FlagKind::JudgeFailed, message));
        }
        // A tie may come of a panel, too.
        let side = [Side::First, Side::Second].into_iter().find(|side| vote.label.as_deref() == Some(side.word()));
        let is_pair = self.rubric.scale == Scale::Pairwise;
        let longer =
            side.filter(|_| is_pair).zip(pair::lengths(shown)).and_then(|(side, both)| pair::longer_won(side, both));
        flags.retain(|flag| flag.kind != FlagKind::LongerWon);
        flags.extend(longer);
        let far = |opinion: &Opinion| match (vote.value, opinion.value) {
            (Some(value), Some(own)) => (value - own).abs(),
            _ => f64::from(u8::from(opinion.label != vote.label)),
        };
        let nearest = opinions.iter().min_by(|one, other| far(one).total_cmp(&far(other)));
        Ok(Judgement {
            passed: self.passed(vote.value, vote.label.as_deref()),
            reason: nearest.map_or_else(String::new, |one| one.reason.clone()),
            evidence: nearest.map_or_else(Vec::new, |one| one.evidence.clone()),
            agreement: agreement(&opinions, &self.rubric.scale),
            value: vote.value,
            label: vote.label,
            flags,
            tally,
            opinions,
        })
    }

    fn passed(&self, value: Option<f64>, label: Option<&str>) -> Option<bool> {
        if let Scale::Categorical { labels } = &self.rubric.scale {
            let said = labels.iter().any(|one| one.passes.is_some());
            let passes = labels.iter().find(|one| Some(one.label.as_str()) == label)?.passes;
            return said.then(|| passes.unwrap_or(false));
        }
        Some(self.rubric.direction.passes(value?, self.threshold))
    }
}

fn own_kind(judged: Option<&str>, opinion: &Opinion) -> Option<Flag> {
    let judged = judged?;
    let (own, judges) = (family(judged)?, family(&opinion.answered_by).or_else(|| family(&opinion.model))?);
    let message = || format!("judge and `{judged}` are both {own}'s, and judges prefer their own kind");
    (own == judges).then(|| Flag::new(FlagKind::SelfPreference, message()))
}

impl Scorer for Judge {
    fn name(&self) -> &str {
        &self.name
    }

    fn inputs(&self) -> &[Input] {
        &self.rubric.inputs
    }

    fn direction(&self) -> Direction {
        self.rubric.direction
    }

    fn source(&self) -> ScoreSource {
        ScoreSource::Judge
    }

    fn score<'a>(&'a self, case: &'a Case) -> BoxFuture<'a, Result<Scored, ScorerError>> {
        Box::pin(async move {
            let Judgement { value, label, passed, reason, evidence, flags, tally, .. } = self.judge(case).await?;
            let flags: Vec<String> = flags.into_iter().map(|flag| flag.message).collect();
            let reason = if flags.is_empty() { reason } else { format!("{reason} ({})", flags.join("; ")) };
            Ok(Scored { value, label, passed, reason, evidence, cost: tally.cost })
        })
    }
}
