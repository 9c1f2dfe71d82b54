//! The arms of a route that is an experiment: names, shares, and how many calls each got.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::Route;
use super::config::ExperimentConfig;

#[derive(Debug)]
pub(super) struct Arm {
    pub(super) name: Arc<str>,
    pub(super) weight: f64,
    /// Calls so far; outlives a configuration.
    calls: Arc<AtomicU64>,
}

/// An arm of an experiment, as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ArmStatus {
    /// Its name.
    pub name: String,
    /// Its share, as a weight.
    pub weight: f64,
    /// Calls of callers that belong to it since the process began, whoever answered them.
    pub calls: u64,
}

impl Arm {
    pub(super) fn all(config: Option<&ExperimentConfig>, before: Option<&Route>) -> Vec<Self> {
        let arms = config.map(|config| config.arms.as_slice()).unwrap_or_default();
        let before = before.map(|before| before.arms.as_slice()).unwrap_or_default();
        let arm = |arm: &super::ArmConfig| {
            let before = before.iter().find(|before| *before.name == *arm.name);
            let calls = before.map(|before| Arc::clone(&before.calls)).unwrap_or_default();
            Self { name: arm.name.as_str().into(), weight: arm.weight, calls }
        };
        arms.iter().map(arm).collect()
    }

    pub(super) fn share(&self) -> (Arc<str>, f64) {
        (Arc::clone(&self.name), self.weight)
    }

    pub(super) fn status(&self) -> ArmStatus {
        ArmStatus { name: self.name.to_string(), weight: self.weight, calls: self.calls.load(Ordering::Relaxed) }
    }
}

impl Route {
    /// The arm of a name, which gets a call.
    pub(super) fn arm(&self, name: &str) -> Option<Arc<str>> {
        let arm = self.arms.iter().find(|arm| *arm.name == *name)?;
        arm.calls.fetch_add(1, Ordering::Relaxed);
        Some(Arc::clone(&arm.name))
    }
}
