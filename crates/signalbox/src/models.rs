//! Models behind an address that speaks OpenAI's chat API, asked from the command line: a running Signalbox, or anything else.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use backon::{BackoffBuilder as _, ExponentialBuilder};
use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde_json::{Value, json};
use signalbox_prices::PriceBook;
use signalbox_types::seam::{BoxFuture, Completed, Completer, Completion, CompletionError, SystemClock};
use signalbox_types::{ErrorClass, Money, ProjectId};
use signalbox_upstream::{Operation, Target, Upstream, UpstreamCall, UpstreamConfig};
use signalbox_wire::{Dialect, codec, completion};

use crate::config;
use crate::remote::DEFAULT_URL;

/// What the provider is called here, in errors.
const PROVIDER: &str = "models";
/// More is no answer.
const MOST_BYTES: usize = 4 << 20;
/// So often a call is tried.
const MOST_TRIES: usize = 4;
/// The longest wait between two tries, whatever the other side asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Whoever answers at an address.
#[derive(Debug)]
pub(crate) struct Models {
    upstream: Upstream,
    prices: PriceBook,
}

impl Models {
    /// Those at `url`, with the key in the environment variable `key_env`. Without an address, a Signalbox on this machine and its
    /// key.
    pub(crate) fn at(url: Option<&str>, key_env: Option<&str>) -> Result<Self> {
        let own = format!("{DEFAULT_URL}/v1");
        let key = match (key_env, url) {
            (Some(name), _) => {
                let key = config::environment(name).filter(|key| !key.trim().is_empty());
                Some(key.with_context(|| format!("the environment variable {name} has no key"))?)
            }
            (None, None) => Some(crate::commands::client_key(None)?),
            (None, Some(_)) => None,
        };
        Self::with_key(url.unwrap_or(&own), key)
    }

    /// Those at `url`, with this key.
    pub(crate) fn with_key(url: &str, key: Option<String>) -> Result<Self> {
        let provider = json!({
            "name": PROVIDER, "dialect": "openai_chat", "base_url": url,
            "auth": if key.is_some() { "bearer" } else { "none" }, "api_key": key,
        });
        let upstream = alone(&provider).map_err(|problem| anyhow!("the base URL `{url}` can't be used: {problem}"))?;
        Ok(Self { upstream, prices: PriceBook::builtin() })
    }

    async fn patiently(&self, ask: Completion) -> Result<Completed, CompletionError> {
        let mut waits =
            ExponentialBuilder::default().with_min_delay(Duration::from_secs(1)).with_max_times(MOST_TRIES - 1).build();
        loop {
            let error = match self.once(&ask).await {
                Ok(completed) => return Ok(completed),
                Err(error) => error,
            };
            let may_help = matches!(
                error.class,
                ErrorClass::RateLimited
                    | ErrorClass::Overloaded
                    | ErrorClass::UpstreamOverloaded
                    | ErrorClass::UpstreamError
                    | ErrorClass::UpstreamTimeout
            );
            let Some(wait) = waits.next().filter(|_| may_help) else { return Err(error) };
            tokio::time::sleep(error.retry_after_s.map_or(wait, Duration::from_secs).min(LONGEST_WAIT)).await;
        }
    }

    async fn once(&self, ask: &Completion) -> Result<Completed, CompletionError> {
        let failed = |class, message: String| CompletionError { class, message, retry_after_s: None };
        let target = self.upstream.provider(PROVIDER);
        let target = target.ok_or_else(|| failed(ErrorClass::Internal, "nobody can be asked".to_owned()))?;
        let target = Target { model: ask.model.clone(), ..target };
        let body = completion::ask(ask).map_err(|error| failed(ErrorClass::InvalidRequest, error.to_string()))?;
        let sent = self.upstream.send(&target, UpstreamCall::new(Operation::Chat, body)).await;
        let reply = sent.map_err(|error| failed(error.class(), error.to_string()))?;
        if !reply.status.is_success() {
            let body = reply.body.read_at_most(MOST_BYTES).await;
            let class = codec(Dialect::OpenaiChat).decode_error(reply.status.as_u16(), &body).class;
            return Err(completion::refused(class, &body, header(&reply.headers, RETRY_AFTER.as_str())));
        }
        let body = reply.body.read_all(MOST_BYTES).await.map_err(|error| failed(error.class(), error.to_string()))?;
        let completed = completion::answered(&body)?;
        let told = header(&reply.headers, "x-signalbox-cost-usd").and_then(Money::from_dollars);
        let model = if completed.model.is_empty() { &ask.model } else { &completed.model };
        let cost = told.or_else(|| self.prices.price(None, model, &completed.usage).map(|cost| cost.total));
        Ok(Completed { cost, trace_id: header(&reply.headers, "x-signalbox-trace-id"), ..completed })
    }
}

/// An upstream with this provider and no other. `Err` says what is wrong with it.
pub(crate) fn alone(provider: &Value) -> Result<Upstream, String> {
    let config: UpstreamConfig =
        serde_json::from_value(json!({"providers": [provider], "simulated": {"enabled": false}}))
            .map_err(|error| error.to_string())?;
    // Keys of other providers in the environment are not ours to use.
    Upstream::new(&config, &|_| None, Arc::new(SystemClock::new())).map_err(|error| {
        let all: Vec<&str> = error.problems.iter().map(|problem| problem.message.as_str()).collect();
        all.join("; ")
    })
}

fn header<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

impl Completer for Models {
    fn complete<'a>(&'a self, _: &'a ProjectId, ask: Completion) -> BoxFuture<'a, Result<Completed, CompletionError>> {
        Box::pin(self.patiently(ask))
    }
}
