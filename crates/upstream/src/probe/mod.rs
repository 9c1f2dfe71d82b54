//! Asks a provider now and then whether it is well, if its configuration says so. What it answers is seen on the status page,
//! and by routes, which leave one alone that isn't. Costs nothing by default: the list of models is asked for.

mod target;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use parking_lot::Mutex;
use serde::Serialize;
use signalbox_types::seam::Clock;
use signalbox_types::{Message, Part, Role, Timestamp};
use signalbox_wire::{ChatRequest, Dialect, codec, embeddings};

pub use target::{TargetAsk, TargetProbe, TargetProbeConfig};

use crate::config::{Limits, ProbeConfig};
use crate::provider::Transport;
use crate::{Operation, Provider, SendError, UpstreamCall};

/// How a provider's health is asked for, and what it answered.
#[derive(Debug)]
pub(crate) struct Probe {
    every: Duration,
    timeout: Duration,
    asks: Asks,
    failures: u32,
    successes: u32,
    is_kept: AtomicBool,
    /// Read for each call of a route; the rest only by people.
    is_unwell: AtomicBool,
    seen: Mutex<Option<ProbeStatus>>,
}

#[derive(Debug)]
enum Asks {
    Path(String),
    /// A token of it.
    Model(String),
    /// Numbers of it.
    Embeddings(String),
}

/// More of what a provider says about a failure isn't read.
const MOST_ERROR_BYTES: usize = 8 << 10;
/// More of it isn't shown.
const MOST_ERROR_CHARS: usize = 200;

/// What a provider answers when it is asked whether it is well.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ProbeStatus {
    /// It is taken to be well.
    pub well: bool,
    /// When it was last asked.
    pub time: Timestamp,
    /// How long the answer took, in milliseconds.
    pub took_ms: f64,
    /// How many of the latest times it failed in a row.
    pub failures_in_a_row: u32,
    /// How many of the latest times it didn't.
    pub successes_in_a_row: u32,
    /// What it failed with, the last time that it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Probe {
    /// `models` is where its list of models is. `Err` is the field below `probe`, what is wrong, and a hint.
    pub(crate) fn new(own: &ProbeConfig, models: Option<&str>) -> Result<Self, (&'static str, String, String)> {
        let zero = [
            ("every", own.every.0.is_zero()),
            ("timeout", own.timeout.0.is_zero()),
            ("failures", own.failures == 0),
            ("successes", own.successes == 0),
        ];
        if let Some((field, _)) = zero.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err((field, "it is zero".to_owned(), "write more than that, or leave it out".to_owned()));
        }
        let asks = match (&own.path, &own.model) {
            (Some(_), Some(_)) => {
                let message = "`path` and `model` stand beside each other".to_owned();
                return Err(("", message, "leave one of them out".to_owned()));
            }
            (None, Some(model)) => Asks::Model(model.clone()),
            (Some(path), None) if path.starts_with('/') && path.parse::<http::Uri>().is_ok() => {
                Asks::Path(path.clone())
            }
            (Some(path), None) => {
                return Err(("path", format!("`{path}` is no path"), "write one like `/health`".to_owned()));
            }
            (None, None) => {
                let Some(models) = models else {
                    let message = "it has no list of models that could be asked for".to_owned();
                    return Err(("", message, "write a `path`, like `/health`".to_owned()));
                };
                Asks::Path(models.to_owned())
            }
        };
        Ok(Self::asking(asks, own.every.0, own.timeout.0, own.failures, own.successes))
    }

    fn asking(asks: Asks, every: Duration, timeout: Duration, failures: u32, successes: u32) -> Self {
        Self {
            every,
            timeout,
            asks,
            failures,
            successes,
            is_kept: AtomicBool::new(false),
            is_unwell: AtomicBool::new(false),
            seen: Mutex::new(None),
        }
    }

    pub(crate) fn status(&self) -> Option<ProbeStatus> {
        self.seen.lock().clone()
    }

    pub(crate) fn unwell(&self) -> Option<String> {
        if !self.is_unwell.load(Ordering::Relaxed) {
            return None;
        }
        let seen = self.seen.lock();
        let message = seen.as_ref().and_then(|seen| seen.message.as_deref()).unwrap_or_default();
        let who = match &self.asks {
            Asks::Path(_) => "it".to_owned(),
            Asks::Model(model) | Asks::Embeddings(model) => format!("its model `{model}`"),
        };
        Some(format!("{who} fails when it is asked whether it is well: {message}"))
    }

    /// Gives true if it is something else now than before.
    fn note(&self, failure: Option<String>, took: Duration, time: Timestamp) -> bool {
        let mut seen = self.seen.lock();
        let before = seen.as_ref();
        let (failed, went) = before.map_or((0, 0), |seen| (seen.failures_in_a_row, seen.successes_in_a_row));
        let (failed, went) =
            if failure.is_some() { (failed.saturating_add(1), 0) } else { (0, went.saturating_add(1)) };
        let was_well = before.is_none_or(|seen| seen.well);
        let well = if was_well { failed < self.failures } else { went >= self.successes };
        let message = failure.or_else(|| before.and_then(|seen| seen.message.clone()));
        *seen = Some(ProbeStatus {
            well,
            time,
            took_ms: (took.as_secs_f64() * 1e6).round() / 1e3,
            failures_in_a_row: failed,
            successes_in_a_row: went,
            message,
        });
        self.is_unwell.store(!well, Ordering::Relaxed);
        well != was_well
    }

    /// `None` if the provider's dialect can't say it.
    fn call(&self, provider: &Provider) -> Option<(UpstreamCall, String)> {
        let (mut call, model) = match &self.asks {
            Asks::Path(path) => {
                let call = UpstreamCall {
                    method: Method::GET,
                    below: Some(path.clone()),
                    ..UpstreamCall::new(Operation::Through, Bytes::new())
                };
                return Some((call, String::new()));
            }
            Asks::Model(model) => (UpstreamCall::new(Operation::Chat, chat(provider, model)?), model),
            Asks::Embeddings(model) => (numbers(provider, model)?, model),
        };
        provider.fit(&mut call);
        Some((call, model.clone()))
    }

    /// Asks once.
    async fn ask(&self, provider: &Provider, clock: &dyn Clock) -> Option<String> {
        let Transport::Http(http) = &provider.transport else { return None };
        let Some((call, model)) = self.call(provider) else { return Some("its dialect can't ask so".to_owned()) };
        let limits = Limits { first_byte: self.timeout, total: None, ..provider.limits };
        let asked = async {
            let (mut reply, mut lease) = http.send(call, &model, &limits, &provider.health, clock).await?;
            let status = reply.status().as_u16();
            // It is busy, and well enough to say so.
            let failed = status != 429 && status >= 400;
            let words = match failed && !matches!(self.asks, Asks::Path(_)) {
                true => lease.read_at_most(reply.body_mut(), MOST_ERROR_BYTES).await,
                false => Bytes::new(),
            };
            Ok::<_, SendError>(failed.then_some((status, words)))
        };
        match tokio::time::timeout(self.timeout, asked).await {
            Err(_) => Some(format!("no answer within {} ms", self.timeout.as_millis())),
            Ok(Err(error)) => Some(provider.text_without_credentials(error.to_string())),
            Ok(Ok(None)) => None,
            Ok(Ok(Some((status, words)))) => told(provider, status, &words),
        }
    }
}

/// What a refusal says, if it is one of the model.
fn told(provider: &Provider, status: u16, words: &[u8]) -> Option<String> {
    let words = match words.is_empty() {
        true => String::new(),
        false => codec(provider.dialect).decode_error(status, words).message,
    };
    // One that thinks before it speaks finds a token too short, and has been reached.
    let limits =
        ["max_tokens", "max_completion_tokens", "max_output_tokens", "maxoutputtokens", "maxtokens", "output limit"];
    let small = words.to_ascii_lowercase();
    if matches!(status, 400 | 422) && limits.iter().any(|limit| small.contains(limit)) {
        return None;
    }
    let words: String = provider.text_without_credentials(words).chars().take(MOST_ERROR_CHARS).collect();
    Some(if words.is_empty() { format!("HTTP status {status}") } else { format!("HTTP status {status}: {words}") })
}

/// One token of this model.
fn chat(provider: &Provider, model: &str) -> Option<Bytes> {
    let mut request = ChatRequest::new(provider.dialect, model);
    let part = Part::Text { content: "ping".to_owned() };
    request.messages.push(Message { role: Role::User, parts: vec![part], name: None, finish_reason: None });
    request.origins.push("messages[0]".to_owned());
    // The least that OpenAI's newer API takes.
    request.max_tokens = Some(if provider.dialect == Dialect::OpenaiResponses { 16 } else { 1 });
    request.old_max_tokens = provider.max_tokens_field == crate::MaxTokensField::MaxTokens;
    codec(provider.dialect).encode_request(&request).ok()
}

/// The embedding of a word by this model.
fn numbers(provider: &Provider, model: &str) -> Option<UpstreamCall> {
    use embeddings::Form;
    let asked = serde_json::json!({"model": model, "input": ["ping"]}).to_string();
    let form = provider.embeddings_form(Form::Openai)?;
    let request = embeddings::decode_request(Form::Openai, asked.as_bytes()).ok()?;
    let operation = match form {
        Form::Cohere => Operation::CohereEmbed,
        Form::Gemini => Operation::EmbeddingsBatch,
        _ => Operation::Embeddings,
    };
    Some(UpstreamCall::new(operation, embeddings::encode_request(form, &request).ok()?))
}

/// Who is asked.
trait Asked: Send + Sync + 'static {
    fn probe(&self) -> Option<&Probe>;
    fn provider(&self) -> &Provider;
    /// As the log calls it.
    fn title(&self) -> String;
}

impl Asked for Provider {
    fn probe(&self) -> Option<&Probe> {
        self.probe.as_ref()
    }

    fn provider(&self) -> &Provider {
        self
    }

    fn title(&self) -> String {
        format!("provider `{}`", self.name)
    }
}

/// Begins to, if it is wanted and nobody does it yet. Ends when the provider is no longer configured and its last call has
/// ended.
pub(crate) fn keep(provider: &Arc<Provider>, clock: &Arc<dyn Clock>) {
    keep_asking(provider, clock);
}

fn keep_asking<T: Asked>(asked: &Arc<T>, clock: &Arc<dyn Clock>) {
    let Some(probe) = asked.probe() else { return };
    if probe.is_kept.swap(true, Ordering::Relaxed) {
        return;
    }
    let (asked, clock) = (Arc::downgrade(asked), Arc::clone(clock));
    tokio::spawn(async move {
        while let Some(one) = asked.upgrade() {
            let Some(probe) = one.probe() else { return };
            let began = clock.elapsed();
            let failure = probe.ask(one.provider(), &*clock).await;
            let took = clock.elapsed().saturating_sub(began);
            let why = failure.clone().unwrap_or_default();
            if probe.note(failure, took, clock.now()) {
                let (provider, title) = (&one.provider().name, one.title());
                match probe.unwell() {
                    Some(_) => tracing::warn!(%provider, "{title} is unwell: {why}"),
                    None => tracing::info!(%provider, "{title} is well again"),
                }
            }
            // Jittered, so that not everybody asks at the same time.
            let pause = probe.every.mul_f64(0.9 + 0.2 * fastrand::f64());
            drop(one);
            tokio::time::sleep(pause).await;
        }
    });
}
