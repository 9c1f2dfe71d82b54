//! The gateway's numbers for `/metrics`. Every name stands in [`Name`], and nowhere else.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use parking_lot::RwLock;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::call::{Call, Outcome};
use crate::checks::Asked;
use crate::route::RouteNumbers;

/// Every metric of the gateway. Prometheus adds `_total` to the name of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Calls, by how they ended.
    Requests,
    /// How long calls took.
    Duration,
    /// How long callers waited for the first content.
    FirstToken,
    /// Sizes of calls in tokens.
    TokenUsage,
    /// Tokens, by class.
    Tokens,
    /// What calls cost.
    Cost,
    /// Calls under way.
    InFlight,
    /// Finished calls that wait to be written down.
    SettleQueue,
    /// Spans that could not be kept.
    Shed,
    /// Tries of routes, by how they ended.
    Tries,
    /// Calls of routes that went on to another target.
    Fallbacks,
    /// Targets that are left alone.
    Breaker,
    /// What routes had no room for.
    RouteShed,
    /// Texts that services were asked about.
    RemoteChecks,
}

impl Name {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::Requests,
        Self::Duration,
        Self::FirstToken,
        Self::TokenUsage,
        Self::Tokens,
        Self::Cost,
        Self::InFlight,
        Self::SettleQueue,
        Self::Shed,
        Self::Tries,
        Self::Fallbacks,
        Self::Breaker,
        Self::RouteShed,
        Self::RemoteChecks,
    ];

    /// The name as it is registered.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "signalbox_gateway_requests",
            Self::Duration => "gen_ai_client_operation_duration_seconds",
            Self::FirstToken => "gen_ai_server_time_to_first_token_seconds",
            Self::TokenUsage => "gen_ai_client_token_usage",
            Self::Tokens => "signalbox_gateway_tokens",
            Self::Cost => "signalbox_gateway_cost_usd",
            Self::InFlight => "signalbox_gateway_in_flight_requests",
            Self::SettleQueue => "signalbox_gateway_settle_queue_calls",
            Self::Shed => "signalbox_gateway_shed_spans",
            Self::Tries => "signalbox_gateway_tries",
            Self::Fallbacks => "signalbox_gateway_fallbacks",
            Self::Breaker => "signalbox_gateway_breaker_open",
            Self::RouteShed => "signalbox_gateway_route_shed",
            Self::RemoteChecks => "signalbox_guard_remote",
        }
    }

    /// The help text.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Requests => "Calls through the gateway, by path, provider, model, status and error class",
            Self::Duration => "Duration of a call, from its first byte in to its last byte out",
            Self::FirstToken => "Time from the first byte of a call in to the first content out",
            Self::TokenUsage => "Tokens of a call, cached input and reasoning included",
            Self::Tokens => "Tokens, by class; input includes cached, output includes reasoning",
            Self::Cost => "Cost of calls by the price book, in US dollars",
            Self::InFlight => "Calls under way",
            Self::SettleQueue => "Finished calls that wait to be written down",
            Self::Tries => "Tries of routes, by provider and outcome; `mirror` tells copies from the calls themselves",
            Self::Fallbacks => "Times that a call of a route went on to another target after a failure",
            Self::Breaker => "1 while a target is left alone after failures, else 0",
            Self::RouteShed => {
                "What a route had no room for: calls in a target's line, copies, answers without a caller"
            }
            Self::RemoteChecks => "Texts that remote checks were asked about, by service and what came of it",
            Self::Shed => "Calls that were answered but could not be written down, because a queue was full",
        }
    }
}

/// Boundaries of `gen_ai.client.operation.duration` in the OpenTelemetry GenAI conventions.
const DURATION_BOUNDARIES: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/// Boundaries of `gen_ai.server.time_to_first_token`.
const FIRST_TOKEN_BOUNDARIES: [f64; 16] =
    [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Boundaries of `gen_ai.client.token.usage`.
const TOKEN_BOUNDARIES: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// A label value that is shared instead of copied.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Word(pub(crate) Arc<str>);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        encoder.write_str(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    path: &'static str,
    provider: Word,
    model: Word,
    status: u32,
    error_type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GenAiLabels {
    gen_ai_operation_name: &'static str,
    gen_ai_provider_name: Word,
    gen_ai_request_model: Word,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    gen_ai_operation_name: &'static str,
    gen_ai_provider_name: Word,
    gen_ai_request_model: Word,
    error_type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenUsageLabels {
    gen_ai_operation_name: &'static str,
    gen_ai_provider_name: Word,
    gen_ai_request_model: Word,
    gen_ai_token_type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    provider: Word,
    model: Word,
    r#type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CostLabels {
    provider: Word,
    model: Word,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ShedLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, Copy)]
struct Boundaries(&'static [f64]);

impl MetricConstructor<Histogram> for Boundaries {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// Why a call was not written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shed {
    /// The settle queue was full.
    SettleQueue,
    /// The span sink was full.
    Sink,
    /// Making the span failed by a fault of ours.
    Fault,
}

impl Shed {
    fn as_str(self) -> &'static str {
        match self {
            Self::SettleQueue => "settle_queue",
            Self::Sink => "span_queue",
            Self::Fault => "fault",
        }
    }
}

/// The gateway's numbers. A clone counts into the same ones.
#[derive(Debug, Clone)]
pub struct GatewayMetrics {
    requests: Family<RequestLabels, Counter>,
    duration: Family<DurationLabels, Histogram, Boundaries>,
    first_token: Family<GenAiLabels, Histogram, Boundaries>,
    token_usage: Family<TokenUsageLabels, Histogram, Boundaries>,
    tokens: Family<TokenLabels, Counter>,
    cost: Family<CostLabels, Counter<f64, AtomicU64>>,
    in_flight: Gauge,
    settle_queue: Gauge,
    shed: Family<ShedLabels, Counter>,
    routes: RouteNumbers,
    checks: Asked,
    models: Arc<ModelLabels>,
}

impl GatewayMetrics {
    pub(crate) fn new(max_model_labels: usize) -> Self {
        Self {
            requests: Family::default(),
            duration: Family::new_with_constructor(Boundaries(&DURATION_BOUNDARIES)),
            first_token: Family::new_with_constructor(Boundaries(&FIRST_TOKEN_BOUNDARIES)),
            token_usage: Family::new_with_constructor(Boundaries(&TOKEN_BOUNDARIES)),
            tokens: Family::default(),
            cost: Family::default(),
            in_flight: Gauge::default(),
            settle_queue: Gauge::default(),
            shed: Family::default(),
            routes: RouteNumbers::default(),
            checks: Asked::default(),
            models: Arc::new(ModelLabels::new(max_model_labels)),
        }
    }

    /// Shows them in a registry.
    pub fn register(&self, registry: &mut Registry) {
        for name in Name::ALL {
            let (text, help) = (name.as_str(), name.help());
            match name {
                Name::Requests => registry.register(text, help, self.requests.clone()),
                Name::Duration => registry.register(text, help, self.duration.clone()),
                Name::FirstToken => registry.register(text, help, self.first_token.clone()),
                Name::TokenUsage => registry.register(text, help, self.token_usage.clone()),
                Name::Tokens => registry.register(text, help, self.tokens.clone()),
                Name::Cost => registry.register(text, help, self.cost.clone()),
                Name::InFlight => registry.register(text, help, self.in_flight.clone()),
                Name::SettleQueue => registry.register(text, help, self.settle_queue.clone()),
                Name::Shed => registry.register(text, help, self.shed.clone()),
                Name::Tries => registry.register(text, help, self.routes.tries.clone()),
                Name::Fallbacks => registry.register(text, help, self.routes.fallbacks.clone()),
                Name::Breaker => registry.register(text, help, self.routes.breaker.clone()),
                Name::RouteShed => registry.register(text, help, self.routes.shed.clone()),
                Name::RemoteChecks => registry.register(text, help, self.checks.clone()),
            }
        }
    }

    /// How many answered calls could not be written down.
    #[must_use]
    pub fn shed_spans(&self) -> u64 {
        [Shed::SettleQueue, Shed::Sink, Shed::Fault]
            .into_iter()
            .filter_map(|reason| self.shed.get(&ShedLabels { reason: reason.as_str() }).map(|counter| counter.get()))
            .sum()
    }

    /// How many calls are under way.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        u64::try_from(self.in_flight.get()).unwrap_or(0)
    }

    /// How many finished calls wait to be written down.
    #[must_use]
    pub fn settle_queue(&self) -> u64 {
        u64::try_from(self.settle_queue.get()).unwrap_or(0)
    }

    pub(crate) fn began(&self) {
        self.in_flight.inc();
    }

    /// One more; says how many wait now.
    pub(crate) fn queued(&self) -> usize {
        usize::try_from(self.settle_queue.inc()).unwrap_or(0) + 1
    }

    pub(crate) fn unqueued(&self) {
        self.settle_queue.dec();
    }

    /// Ended calls that wait to be written down.
    pub(crate) fn waiting(&self) -> usize {
        usize::try_from(self.settle_queue.get()).unwrap_or(0)
    }

    pub(crate) fn count_shed(&self, reason: Shed) {
        self.shed.get_or_create(&ShedLabels { reason: reason.as_str() }).inc();
    }

    /// The numbers of remote checks.
    pub(crate) fn checks(&self) -> &Asked {
        &self.checks
    }

    /// The numbers of routes.
    pub(crate) fn routes(&self) -> &RouteNumbers {
        &self.routes
    }

    /// Counts a call that made no span: the model list.
    pub(crate) fn looked_up(&self, path: &'static str, status: u16, error_type: &'static str) {
        let labels = RequestLabels {
            path,
            provider: self.models.none(),
            model: self.models.none(),
            status: u32::from(status),
            error_type,
        };
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts a call that has ended.
    pub(crate) fn ended(&self, call: &Call, outcome: &Outcome, took: Duration) {
        self.in_flight.dec();
        let error_type = match outcome {
            Outcome::Answered => "",
            Outcome::Failed(error) => error.class.as_str(),
        };
        let (provider, model) = match &call.target {
            Some(target) => {
                let model = self.models.label(&target.model, matches!(outcome, Outcome::Answered));
                (Word(Arc::clone(&target.provider.name)), model)
            }
            None => (self.models.none(), self.models.none()),
        };
        let status = call.status.map_or(499, |status| u32::from(status.as_u16()));
        let path = call.endpoint.path();
        let labels = RequestLabels { path, provider: provider.clone(), model: model.clone(), status, error_type };
        self.requests.get_or_create(&labels).inc();
        // Without a target there was no generation to measure.
        if call.target.is_some() {
            self.measured(call, provider, model, error_type, took);
        }
    }

    fn measured(&self, call: &Call, provider: Word, model: Word, error_type: &'static str, took: Duration) {
        let operation = call.endpoint.operation_name(&call.method);
        self.duration
            .get_or_create(&DurationLabels {
                gen_ai_operation_name: operation,
                gen_ai_provider_name: provider.clone(),
                gen_ai_request_model: model.clone(),
                error_type,
            })
            .observe(took.as_secs_f64());
        if let Some(first_token) = call.first_token {
            let labels = GenAiLabels {
                gen_ai_operation_name: operation,
                gen_ai_provider_name: provider.clone(),
                gen_ai_request_model: model.clone(),
            };
            self.first_token.get_or_create(&labels).observe(first_token.as_secs_f64());
        }
        let usage = &call.usage;
        for (kind, tokens) in [("input", usage.input_tokens), ("output", usage.output_tokens)] {
            let Some(tokens) = tokens else { continue };
            let labels = TokenUsageLabels {
                gen_ai_operation_name: operation,
                gen_ai_provider_name: provider.clone(),
                gen_ai_request_model: model.clone(),
                gen_ai_token_type: kind,
            };
            self.token_usage.get_or_create(&labels).observe(tokens as f64);
        }
        let classes = [
            ("input", usage.input_tokens),
            ("output", usage.output_tokens),
            ("cache_read", usage.cache_read_tokens),
            ("cache_write", usage.cache_write_tokens),
            ("reasoning", usage.reasoning_tokens),
        ];
        for (kind, tokens) in classes {
            let Some(tokens) = tokens.filter(|tokens| *tokens > 0) else { continue };
            let labels = TokenLabels { provider: provider.clone(), model: model.clone(), r#type: kind };
            self.tokens.get_or_create(&labels).inc_by(tokens);
        }
        if let Some(cost) = &call.cost {
            self.cost.get_or_create(&CostLabels { provider, model }).inc_by(cost.total.as_dollars());
        }
    }
}

/// Model names come from callers, so the number of those that become a label is bounded, and a
/// name that never worked gets none.
#[derive(Debug)]
struct ModelLabels {
    known: RwLock<HashSet<Arc<str>>>,
    most: usize,
    other: Arc<str>,
    none: Arc<str>,
}

impl ModelLabels {
    fn new(most: usize) -> Self {
        Self { known: RwLock::default(), most, other: "other".into(), none: "".into() }
    }

    fn none(&self) -> Word {
        Word(Arc::clone(&self.none))
    }

    fn label(&self, model: &str, answered: bool) -> Word {
        if let Some(known) = self.known.read().get(model) {
            return Word(Arc::clone(known));
        }
        if answered {
            let mut known = self.known.write();
            if known.len() < self.most {
                let model: Arc<str> = model.into();
                known.insert(Arc::clone(&model));
                return Word(model);
            }
        }
        Word(Arc::clone(&self.other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_labels_are_bounded_and_earned() {
        let labels = ModelLabels::new(2);
        let check = |model: &str, answered, expected: &str| assert_eq!(&*labels.label(model, answered).0, expected);
        check("a", false, "other");
        check("a", true, "a");
        check("b", true, "b");
        check("c", true, "other");
        check("a", false, "a");
    }

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = GatewayMetrics::new(1);
        metrics.looked_up("/v1/models", 200, "");
        metrics.count_shed(Shed::Sink);
        assert_eq!(metrics.shed_spans(), 1);
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        // A family shows itself with its first member.
        for name in [Name::Requests, Name::InFlight, Name::SettleQueue, Name::Shed] {
            assert!(text.contains(&format!("# TYPE {}", name.as_str())), "{} in {text}", name.as_str());
        }
    }
}
