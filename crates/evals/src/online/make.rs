//! The scorers of a rule, ready to score.

use std::fmt;
use std::sync::Arc;

use signalbox_metrics::{Input, Measure, Options};
use signalbox_types::{ProjectId, ScoreSource};

use super::rule::{RuleProblem, ScorerConfig};
use crate::safety::{find_metric, near_metric};
use crate::{Local, Scorer};

/// A scorer of a rule.
#[derive(Debug, Clone)]
pub enum Made {
    /// Gives its score at once: many are measured together, off the threads that serve calls.
    Fast(Arc<Local>),
    /// Asks somebody, who may want money for it.
    Asks(Arc<dyn Scorer>),
}

impl Made {
    fn scorer(&self) -> &dyn Scorer {
        match self {
            Self::Fast(local) => local.as_ref(),
            Self::Asks(scorer) => scorer.as_ref(),
        }
    }

    /// The name of its scores.
    #[must_use]
    pub fn name(&self) -> &str {
        self.scorer().name()
    }

    /// What a case must have.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        self.scorer().inputs()
    }

    pub(super) fn source(&self) -> ScoreSource {
        self.scorer().source()
    }
}

/// Makes a scorer that isn't a metric of the registry, if it is one that it knows.
pub type MakeScorer = dyn Fn(&ProjectId, &ScorerConfig) -> Option<Result<Arc<dyn Scorer>, RuleProblem>> + Send + Sync;

/// Where scorers are made.
#[derive(Clone, Default)]
pub struct Workshop {
    others: Option<Arc<MakeScorer>>,
}

impl fmt::Debug for Workshop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workshop").field("others", &self.others.is_some()).finish()
    }
}

impl Workshop {
    /// One that also makes what this function knows, by the name that stands in `metric`.
    #[must_use]
    pub fn with(others: Arc<MakeScorer>) -> Self {
        Self { others: Some(others) }
    }

    pub(super) fn make(&self, project: &ProjectId, config: &ScorerConfig) -> Result<Made, RuleProblem> {
        if let Some(made) = self.others.as_ref().and_then(|others| others(project, config)) {
            return made.map(Made::Asks);
        }
        let Some(about) = find_metric(&config.metric) else {
            let hint = near_metric(&config.metric).map(|near| format!("; did you mean `{near}`?"));
            let problem = format!("there is no metric `{}`{}", config.metric, hint.unwrap_or_default());
            return Err(RuleProblem::new("metric", problem));
        };
        let options: Options = config.options.clone().into_iter().collect();
        let measure = Measure::new(about, &options, config.threshold)
            .map_err(|error| RuleProblem::new(format!("options.{}", error.name), error.problem))?;
        Ok(Made::Fast(Arc::new(Local::new(config.name(), measure))))
    }
}
