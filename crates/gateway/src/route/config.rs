//! `routes:` in `signalbox.yaml`. The doc comments are the manual.

use schemars::JsonSchema;
use serde::Deserialize;
use signalbox_types::ErrorClass;
use signalbox_upstream::{HumanDuration, TargetProbeConfig};

use super::needs::Ability;
use crate::call::CallError;

/// A name under which callers reach several targets. They ask for it as for a model; a route's name comes before a
/// model's, so that a route may also stand in front of a model.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// What callers write as `model`. Example: `chat`.
    pub name: String,
    /// In which order the targets are asked: `priority` (as they are listed), `weighted` (by chance, as `weight` says),
    /// `round_robin`, `least_latency` (who answered fastest of late; the first token counts for streams), `least_busy`
    /// (who has the fewest calls), `cheapest` (by the price book), `sticky` (the same session, or user, goes to the same
    /// target), `complexity` (the weakest target whose `complexity_up_to` is enough for how hard the call looks),
    /// `semantic` (whose `examples` the question is most like), `experiment` (by the arm that the caller belongs to).
    /// Whatever it is, only targets that fit the call and are healthy are asked. Default `priority`.
    #[serde(default)]
    pub strategy: StrategyName,
    /// Who may answer.
    pub targets: Vec<TargetConfig>,
    /// For `strategy: semantic`: a question that is less like every example than this (0 to 1) goes to the targets without
    /// examples. Default 0.15.
    #[serde(default)]
    pub min_similarity: Option<f64>,
    /// For `strategy: experiment`: its arms, and who gets the same one each time.
    #[serde(default)]
    pub experiment: Option<ExperimentConfig>,
    /// How often a target that failed is asked again before the next one is.
    #[serde(default)]
    pub retry: RetryConfig,
    /// After which failures the next target is asked. `context_length` is the provider's refusal of a call that is too
    /// long for its model; `guardrail`, that a policy blocked the target's whole answer (what of a stream went out can't be
    /// taken back): then the next target is asked, or, if there is none, the same one again, as `retry` says.
    /// Default: all but `context_length`, `guardrail` and `not_found`.
    #[serde(default = "default_fallbacks")]
    pub fallback_on: Vec<FallbackOn>,
    /// How long callers of this route wait at most.
    #[serde(default)]
    pub timeouts: RouteTimeouts,
    /// What happens to a call whose caller hangs up: `cancel` ends it at the provider, and what it used is estimated;
    /// `drain` reads the answer to its end, within `drain_time`, and books what the provider says. Default `cancel`.
    #[serde(default)]
    pub on_disconnect: OnDisconnect,
    /// How long an answer that nobody waits for is read, with `on_disconnect: drain`. Default `60s`.
    #[serde(default)]
    pub drain_time: Option<HumanDuration>,
    /// When a target is left alone for a while.
    #[serde(default)]
    pub breaker: BreakerConfig,
    /// What a target's API can't say of a call's settings (`seed`, `logprobs`, a tool that only the caller's provider has …) is
    /// left out and named in the header `x-signalbox-dropped`, in place of an error. What is said (messages, pictures,
    /// documents) is never left out. Default `false`.
    #[serde(default)]
    pub lenient: bool,
    /// Asks a second target when the first one is slow to answer; the first good answer counts, the other call is
    /// cancelled.
    #[serde(default)]
    pub hedge: Option<HedgeConfig>,
    /// Sends a copy of some calls to another target, for comparison. Its answer goes to nobody; it is recorded as a span
    /// of its own below the call's, and its tokens don't count in sums.
    #[serde(default)]
    pub mirror: Option<MirrorConfig>,
}

/// One target of a route.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// The provider's name. Example: `openai`.
    pub provider: String,
    /// The model as that provider calls it. Example: `gpt-4o-mini`.
    pub model: String,
    /// Its share of the calls, for `weighted`, `least_busy` and `sticky`. With 0 it is asked only when the others can't
    /// be. Default 1.
    #[serde(default)]
    pub weight: Option<f64>,
    /// Which calls it takes, as an expression in CEL over `model`, `tokens` (of the input, estimated), `max_tokens`,
    /// `stream`, `user`, `session`, `key` (the virtual key's name), `environment`, `tags` and `metadata` (of the body).
    /// Example: `metadata.tier == "gold" && tokens < 8000`.
    /// What is not there can be asked for with `has(metadata.tier)`; where an expression fails, the target doesn't take
    /// the call. Default: every call.
    #[serde(default)]
    pub when: Option<String>,
    /// How long its calls may be, input and wanted output together, in tokens. Longer ones go to targets with more room.
    /// The input is estimated: a token per four bytes of the request. Default: no limit.
    #[serde(default)]
    pub context_tokens: Option<u64>,
    /// What its model can't do; calls that need it go to other targets: `tools`, `images`, `audio`, `documents`,
    /// `structured_output`. Default: nothing.
    #[serde(default)]
    pub lacks: Vec<Ability>,
    /// For `strategy: complexity`: how hard a call may look for it, from 0 (a greeting) to 1. A call goes to the target with
    /// the least number that is enough. Example: `0.2`. Default: any call.
    #[serde(default)]
    pub complexity_up_to: Option<f64>,
    /// For `strategy: semantic`: questions that it is for, five to twenty of them. Example: `[Where is my invoice?, I was
    /// charged twice]`. Default: it is for what is like no other target's.
    #[serde(default)]
    pub examples: Vec<String>,
    /// For `strategy: experiment`: the arm that it belongs to. The first target of an arm gets its calls, the next ones
    /// are asked when it fails.
    #[serde(default)]
    pub arm: Option<String>,
    /// How many of this route's calls it gets at once. When all targets have theirs, calls wait in line. Default: no
    /// limit.
    #[serde(default)]
    pub max_concurrency: Option<usize>,
    /// How many calls may wait for it; the next one is refused with 503. Each virtual key has a line of its own; they are
    /// served in turn, and when all is full, the longest line gives way. Default 100.
    #[serde(default)]
    pub max_queue: Option<usize>,
    /// Asks its model now and then for one token (or, with `ask: embeddings`, for the embedding of one word), since a provider
    /// may be well while one of its models isn't. What it answers counts in place of what the provider's own `probe` says.
    /// Example: `{every: 60s}`. Default: the provider's `probe` speaks for it.
    #[serde(default)]
    pub probe: Option<TargetProbeConfig>,
}

/// The word for a strategy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StrategyName {
    /// As they are listed.
    #[default]
    Priority,
    /// By chance, as their weights say.
    Weighted,
    /// In turn.
    RoundRobin,
    /// The fastest first.
    LeastLatency,
    /// The one with the fewest calls first.
    LeastBusy,
    /// The cheapest first.
    Cheapest,
    /// The same session or user goes to the same one.
    Sticky,
    /// By how hard a call looks.
    Complexity,
    /// By what a question is like.
    Semantic,
    /// By arms of an experiment.
    Experiment,
}

/// Named arms that callers are divided over.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExperimentConfig {
    /// The arms; spans and answers carry the name (`signalbox.route.arm`, `x-signalbox-arm`).
    pub arms: Vec<ArmConfig>,
    /// Who gets the same arm each time: `user` (of the body or `x-signalbox-user-id`), `session`, `key` (the virtual key), or
    /// `call` (nobody: each call is drawn). A call that names no user or session is drawn. Default `user`.
    #[serde(default)]
    pub sticky_by: StickyBy,
}

/// One arm of an experiment.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArmConfig {
    /// Its name. Example: `new-prompt`.
    pub name: String,
    /// Its share. Default 1.
    #[serde(default = "all")]
    pub weight: f64,
}

/// Who gets the same arm each time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StickyBy {
    /// The caller's user.
    #[default]
    User,
    /// The caller's session.
    Session,
    /// The virtual key.
    Key,
    /// Nobody.
    Call,
}

/// Tries on the same target.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// How often the same target is asked again, after failures that may be gone then. Default 1.
    pub attempts: u32,
    /// The wait before the first of them; it doubles with each, and is jittered. `Retry-After` is honoured. Default
    /// `200ms`.
    pub base: HumanDuration,
    /// The longest wait. A provider that asks for more isn't asked again. Default `5s`.
    pub max: HumanDuration,
    /// How many retries and hedges there may be for each call, over all calls of the route: at 0.2, one for five calls,
    /// so that an outage doesn't multiply the load. Default 0.2.
    pub budget: f64,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { attempts: 1, base: millis(200), max: millis(5_000), budget: 0.2 }
    }
}

/// A failure after which the next target is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FallbackOn {
    /// The provider asks to slow down.
    RateLimited,
    /// It took too long.
    UpstreamTimeout,
    /// It could not be reached.
    UpstreamUnreachable,
    /// It failed, or sent what its dialect doesn't allow.
    UpstreamError,
    /// It is overloaded.
    UpstreamOverloaded,
    /// It refused our credential.
    UpstreamAuth,
    /// It doesn't know the model.
    NotFound,
    /// The call is too long for its model.
    ContextLength,
    /// A policy blocked its answer.
    Guardrail,
}

impl FallbackOn {
    pub(super) fn of(error: &CallError) -> Option<Self> {
        match error.class {
            ErrorClass::RateLimited => Some(Self::RateLimited),
            ErrorClass::UpstreamTimeout => Some(Self::UpstreamTimeout),
            ErrorClass::UpstreamUnreachable => Some(Self::UpstreamUnreachable),
            ErrorClass::UpstreamError => Some(Self::UpstreamError),
            ErrorClass::UpstreamOverloaded => Some(Self::UpstreamOverloaded),
            ErrorClass::UpstreamAuth => Some(Self::UpstreamAuth),
            ErrorClass::NotFound => Some(Self::NotFound),
            ErrorClass::GuardrailBlocked => Some(Self::Guardrail),
            ErrorClass::InvalidRequest | ErrorClass::RequestTooLarge if is_too_long(error) => Some(Self::ContextLength),
            _ => None,
        }
    }
}

/// OpenAI's code, and Anthropic's words.
fn is_too_long(error: &CallError) -> bool {
    error.detail.code.as_deref() == Some("context_length_exceeded")
        || error.detail.message.starts_with("prompt is too long")
}

fn default_fallbacks() -> Vec<FallbackOn> {
    use FallbackOn::{
        RateLimited, UpstreamAuth, UpstreamError, UpstreamOverloaded, UpstreamTimeout, UpstreamUnreachable,
    };
    vec![RateLimited, UpstreamTimeout, UpstreamUnreachable, UpstreamError, UpstreamOverloaded, UpstreamAuth]
}

/// How long callers of a route wait at most. What is left out has no limit beyond the provider's own.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RouteTimeouts {
    /// For one try, up to the first content of a stream or the end of an answer that is none. Then the next one begins.
    #[serde(rename = "try")]
    pub one_try: Option<HumanDuration>,
    /// For all tries together and the answer's last byte.
    pub total: Option<HumanDuration>,
    /// In the line before a target that has no room. Default `5s`.
    pub queue: Option<HumanDuration>,
}

/// What happens to a call whose caller hangs up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDisconnect {
    /// It is ended at the provider.
    #[default]
    Cancel,
    /// It is read to its end.
    Drain,
}

/// When a target is left alone for a while. Then one call tries it; if that goes well, it is back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// So many failures in a row. Default 5.
    pub failures: u32,
    /// Such a share of its latest calls failed (0 to 1), and another target is healthy. Default 0.5.
    pub failure_rate: f64,
    /// How long it is left alone; each time it fails again, twice as long, up to six times. Default `10s`.
    pub cooldown: HumanDuration,
    /// How long a target that is back takes to get its whole `weight` again, from a tenth of it on, so that it isn't
    /// overrun while it is still cold. Counts for `weighted`, `least_busy` and `sticky`. Example: `30s`. Default: at once.
    pub slow_start: Option<HumanDuration>,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failures: 5, failure_rate: 0.5, cooldown: millis(10_000), slow_start: None }
    }
}

/// A second call when the first one is slow.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HedgeConfig {
    /// How long the first one may take to answer. Example: `800ms`.
    pub after: HumanDuration,
}

/// A copy of some calls for another target.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MirrorConfig {
    /// The provider's name.
    pub provider: String,
    /// The model as that provider calls it.
    pub model: String,
    /// Which share of the calls is copied: 0 to 1. Default 1.
    #[serde(default = "all")]
    pub sample: f64,
}

fn all() -> f64 {
    1.0
}

fn millis(ms: u64) -> HumanDuration {
    HumanDuration(std::time::Duration::from_millis(ms))
}
