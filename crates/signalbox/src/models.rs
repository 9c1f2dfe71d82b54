//! Models behind an address that speaks OpenAI's API of chats and embeddings, asked from the command line: a running Signalbox, or anything else.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use backon::{BackoffBuilder as _, ExponentialBuilder};
use bytes::Bytes;
use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde_json::{Value, json};
use signalbox_evals::EmbeddingModel;
use signalbox_prices::PriceBook;
use signalbox_types::seam::{
    BoxFuture, Completed, Completer, Completion, CompletionError, Embedded, Embedder, SystemClock,
};
use signalbox_types::{ErrorClass, Money, ProjectId, Usage};
use signalbox_upstream::{Operation, Target, Upstream, UpstreamCall, UpstreamConfig};
use signalbox_wire::{Dialect, codec, completion, embeddings};

use crate::config;
use crate::remote::DEFAULT_URL;

/// What the provider is called here, in errors.
const PROVIDER: &str = "models";
/// More is no answer.
const MOST_BYTES: usize = 4 << 20;
/// Vectors are long: so much takes the most texts of a call with some 5,000 numbers each.
const MOST_EMBEDDED_BYTES: usize = 16 << 20;
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

    /// One of them that makes vectors.
    pub(crate) fn embedding_model(self: Arc<Self>, name: &str) -> EmbeddingModel {
        EmbeddingModel::new(self, local_project(), name)
    }

    async fn complete_once(&self, ask: &Completion) -> Result<Completed, CompletionError> {
        let body = completion::ask(ask)
            .map_err(|error| CompletionError::new(ErrorClass::InvalidRequest, error.to_string()))?;
        let (headers, body) = self.call(&ask.model, UpstreamCall::new(Operation::Chat, body), MOST_BYTES).await?;
        let completed = completion::answered(&body)?;
        let cost = self.cost(&headers, &completed.model, &ask.model, &completed.usage);
        Ok(Completed { cost, trace_id: header(&headers, "x-signalbox-trace-id"), ..completed })
    }

    async fn embed_once(&self, model: &str, texts: &[String]) -> Result<Embedded, CompletionError> {
        let call = UpstreamCall::new(Operation::Embeddings, embeddings::ask(model, texts)?);
        let (headers, body) = self.call(model, call, MOST_EMBEDDED_BYTES).await?;
        let embedded = embeddings::answered(&body, texts.len())?;
        let cost = self.cost(&headers, &embedded.model, model, &embedded.usage);
        Ok(Embedded { cost, ..embedded })
    }

    /// Sends a call, and reads an answer of at most so many bytes.
    async fn call(&self, model: &str, call: UpstreamCall, most: usize) -> Result<(HeaderMap, Bytes), CompletionError> {
        let target = self.upstream.provider(PROVIDER);
        let target = target.ok_or_else(|| CompletionError::new(ErrorClass::Internal, "nobody can be asked"))?;
        let target = Target { model: model.to_owned(), ..target };
        let sent = self.upstream.send(&target, call).await;
        let reply = sent.map_err(|error| CompletionError::new(error.class(), error.to_string()))?;
        if !reply.status.is_success() {
            let body = reply.body.read_at_most(MOST_BYTES).await;
            let class = codec(Dialect::OpenaiChat).decode_error(reply.status.as_u16(), &body).class;
            return Err(completion::refused(class, &body, header(&reply.headers, RETRY_AFTER.as_str())));
        }
        let body =
            reply.body.read_all(most).await.map_err(|error| CompletionError::new(error.class(), error.to_string()))?;
        Ok((reply.headers, body))
    }

    /// What a Signalbox says that an answer cost, or else what is known of the model that answered.
    fn cost(&self, headers: &HeaderMap, answered_by: &str, asked: &str, usage: &Usage) -> Option<Money> {
        let told = header(headers, "x-signalbox-cost-usd").and_then(Money::from_dollars);
        let model = if answered_by.is_empty() { asked } else { answered_by };
        told.or_else(|| self.prices.price(None, model, usage).map(|cost| cost.total))
    }
}

/// Asks up to [`MOST_TRIES`] times, if another try may help.
async fn patiently<T, F>(once: impl Fn() -> F + Send + Sync) -> Result<T, CompletionError>
where
    T: Send,
    F: Future<Output = Result<T, CompletionError>> + Send,
{
    let mut waits =
        ExponentialBuilder::default().with_min_delay(Duration::from_secs(1)).with_max_times(MOST_TRIES - 1).build();
    loop {
        let error = match once().await {
            Ok(answer) => return Ok(answer),
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

/// For whom models are asked from the command line; whoever answers knows better, by the key.
pub(crate) fn local_project() -> ProjectId {
    ProjectId::new("local")
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
        Box::pin(async move { patiently(|| self.complete_once(&ask)).await })
    }
}

impl Embedder for Models {
    fn embed<'a>(
        &'a self,
        _: &'a ProjectId,
        model: &'a str,
        texts: &'a [String],
    ) -> BoxFuture<'a, Result<Embedded, CompletionError>> {
        Box::pin(patiently(move || self.embed_once(model, texts)))
    }
}

#[cfg(test)]
mod tests {
    use signalbox_upstream::simulated;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn texts_are_embedded_over_openais_api() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(simulated::serve(listener, simulated::SimOptions::default(), std::future::pending()));
        let models = Models::with_key(&url, None).unwrap();
        let project = local_project();
        let texts = ["refund for my order", "the refund of my order", "weather in Oslo"].map(str::to_owned);
        let told = models.embed(&project, "embed", &texts).await.unwrap();
        let like = |one: usize, other: usize| -> f64 {
            told.vectors[one].iter().zip(&told.vectors[other]).map(|(one, other)| one * other).sum()
        };
        assert!(like(0, 1) > like(0, 2) + 0.3, "{} {}", like(0, 1), like(0, 2));
        assert!(told.model == "embed" && told.usage.input_tokens > Some(0), "{told:?}");
        let error = models.embed(&project, "embed", &[]).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::InvalidRequest);
    }
}
