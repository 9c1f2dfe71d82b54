//! Asks one model of a provider whether it answers: a provider may be well while one of its models isn't.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use signalbox_types::seam::Clock;

use super::{Asked, Asks, Probe, ProbeStatus, keep_asking};
use crate::config::{HumanDuration, ProbeConfig};
use crate::{Provider, Target};

/// How a target is asked whether its model answers. What isn't said is as in its provider's `probe`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TargetProbeConfig {
    /// How often, give or take a tenth. Default `30s`.
    pub every: Option<HumanDuration>,
    /// What it is asked for: `chat`, one token, or `embeddings`, of one word. Each costs a little. Default `chat`.
    pub ask: TargetAsk,
    /// How long it may take. Default `5s`.
    pub timeout: Option<HumanDuration>,
    /// So many in a row that fail make it unwell. Default 2.
    pub failures: Option<u32>,
    /// So many in a row that don't make it well again. Default 1.
    pub successes: Option<u32>,
}

/// What a target is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetAsk {
    /// One token.
    #[default]
    Chat,
    /// The embedding of one word.
    Embeddings,
}

impl TargetProbeConfig {
    /// The field that is zero and must not be.
    #[must_use]
    pub fn zero(&self) -> Option<&'static str> {
        let is_zero = |time: Option<HumanDuration>| time.is_some_and(|time| time.0.is_zero());
        let all = [
            ("every", is_zero(self.every)),
            ("timeout", is_zero(self.timeout)),
            ("failures", self.failures == Some(0)),
            ("successes", self.successes == Some(0)),
        ];
        all.into_iter().find(|(_, is_zero)| *is_zero).map(|(field, _)| field)
    }
}

/// Asks one target now and then, as long as it is kept.
#[derive(Debug)]
pub struct TargetProbe {
    config: TargetProbeConfig,
    target: Target,
    probe: Probe,
}

impl TargetProbe {
    /// Asks nobody yet. The configuration must have no zero.
    #[must_use]
    pub fn new(config: TargetProbeConfig, target: &Target) -> Self {
        let usual = ProbeConfig::default();
        let general = target.provider.probe.as_ref();
        let model = target.model.clone();
        let probe = Probe::asking(
            match config.ask {
                TargetAsk::Chat => Asks::Model(model),
                TargetAsk::Embeddings => Asks::Embeddings(model),
            },
            config.every.map(|time| time.0).or_else(|| general.map(|probe| probe.every)).unwrap_or(usual.every.0),
            config.timeout.map(|time| time.0).or_else(|| general.map(|probe| probe.timeout)).unwrap_or(usual.timeout.0),
            config.failures.or_else(|| general.map(|probe| probe.failures)).unwrap_or(usual.failures),
            config.successes.or_else(|| general.map(|probe| probe.successes)).unwrap_or(usual.successes),
        );
        Self { config, target: target.clone(), probe }
    }

    /// It is one of this configuration.
    #[must_use]
    pub fn is_of(&self, config: TargetProbeConfig) -> bool {
        self.config == config
    }

    /// Begins to ask, if nobody does yet. Ends when nobody keeps it any more. Within a runtime.
    pub fn keep(self: &Arc<Self>, clock: &Arc<dyn Clock>) {
        keep_asking(self, clock);
    }

    /// What it said last; none if it was not asked yet.
    #[must_use]
    pub fn status(&self) -> Option<ProbeStatus> {
        self.probe.status()
    }

    /// Why it is taken to be unwell, if it is.
    #[must_use]
    pub fn unwell(&self) -> Option<String> {
        self.probe.unwell()
    }
}

impl Asked for TargetProbe {
    fn probe(&self) -> Option<&Probe> {
        Some(&self.probe)
    }

    fn provider(&self) -> &Provider {
        &self.target.provider
    }

    fn title(&self) -> String {
        format!("target `{}/{}`", self.target.provider.name, self.target.model)
    }
}
