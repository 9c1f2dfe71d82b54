//! JSON over HTTP for targets: through the client that calls providers, with its limits and its TLS.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Uri};
use serde_json::{Value, json};
use signalbox_types::seam::SystemClock;
use signalbox_upstream::{Operation, Target, Upstream, UpstreamCall, UpstreamConfig};

/// What whoever is asked is called in errors.
const NAME: &str = "target";
/// More is no answer.
const MOST_BYTES: usize = 16 << 20;

/// One address.
#[derive(Debug)]
pub(super) struct Address {
    upstream: Upstream,
    path: Option<(String, Option<String>)>,
}

/// Why there is no answer, and whether another try may help.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) may_help: bool,
    pub(super) wait: Option<Duration>,
}

impl Refused {
    pub(super) fn finally(message: impl Into<String>) -> Self {
        Self { message: message.into(), may_help: false, wait: None }
    }
}

impl Address {
    /// Models at a base URL.
    pub(super) fn of_models(base_url: &str, key: Option<String>, limit: Duration) -> Result<Self, String> {
        let auth = if key.is_some() { "bearer" } else { "none" };
        let provider = json!({"dialect": "openai_chat", "base_url": base_url, "auth": auth, "api_key": key});
        Ok(Self { upstream: upstream(provider, limit)?, path: None })
    }

    /// An endpoint with its headers.
    pub(super) fn of_endpoint(url: &str, headers: &BTreeMap<String, String>, limit: Duration) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|_| format!("`{url}` is no URL"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(format!("`{url}` does not begin with http:// or https:// and a host"));
        };
        // A dialect in which nothing is added to the path.
        let provider = json!({
            "dialect": "cohere_v2", "base_url": format!("{scheme}://{authority}"), "auth": "none", "headers": headers,
        });
        let path = (uri.path().to_owned(), uri.query().map(str::to_owned));
        Ok(Self { upstream: upstream(provider, limit)?, path: Some(path) })
    }

    /// Asks once.
    pub(super) async fn ask(&self, body: &Value) -> Result<(Value, HeaderMap), Refused> {
        let target = self.upstream.provider(NAME).ok_or_else(|| Refused::finally("nobody can be asked"))?;
        let body = Bytes::from(body.to_string());
        let call = match &self.path {
            None => UpstreamCall::new(Operation::Chat, body),
            Some((path, query)) => UpstreamCall {
                below: Some(path.clone()),
                query: query.clone(),
                content_type: Some(HeaderValue::from_static("application/json")),
                ..UpstreamCall::new(Operation::Through, body)
            },
        };
        let model = String::new();
        let sent = self.upstream.send(&Target { model, ..target }, call).await;
        // Broken connections and silence may be better next time.
        let reply = sent.map_err(|error| Refused { message: error.to_string(), may_help: true, wait: None })?;
        let wait = reply.headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        if !reply.status.is_success() {
            let status = reply.status;
            let said = reply.body.read_at_most(4 << 10).await;
            let may_help = status.is_server_error() || matches!(status.as_u16(), 408 | 409 | 425 | 429);
            let message = format!("it answered {status}: {}", told(&said));
            return Err(Refused { message, may_help, wait: wait.map(Duration::from_secs) });
        }
        let headers = reply.headers.clone();
        let read = reply.body.read_all(MOST_BYTES).await;
        let bytes = read.map_err(|error| Refused { message: error.to_string(), may_help: true, wait: None })?;
        match serde_json::from_slice(&bytes) {
            Ok(answer) => Ok((answer, headers)),
            Err(_) => Err(Refused::finally(format!("it answered something else than JSON: {}", told(&bytes)))),
        }
    }
}

/// An error's own words, or the beginning of whatever there is.
fn told(body: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = answer["error"]["message"].as_str().or_else(|| answer["error"].as_str());
    let text = message.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
    let shown: String = text.chars().take(300).collect();
    shown.replace(char::is_control, " ")
}

fn upstream(mut provider: Value, limit: Duration) -> Result<Upstream, String> {
    let ms = format!("{}ms", limit.as_millis().max(1));
    provider["name"] = NAME.into();
    provider["timeouts"] = json!({"first_byte": ms, "idle": ms, "total": ms});
    let config: UpstreamConfig =
        serde_json::from_value(json!({"providers": [provider], "simulated": {"enabled": false}}))
            .map_err(|error| error.to_string())?;
    // Keys of providers in the environment are not ours to use.
    Upstream::new(&config, &|_| None, Arc::new(SystemClock::new())).map_err(|error| {
        let all: Vec<&str> = error.problems.iter().map(|problem| problem.message.as_str()).collect();
        all.join("; ")
    })
}
