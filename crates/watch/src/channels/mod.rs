//! The ways to tell somebody, one file each: what is sent, and what the answers mean. Nothing here waits or tries again: that is the
//! outbox's.

mod alertmanager;
mod email;
mod opsgenie;
mod pagerduty;
mod slack;
#[cfg(test)]
mod tests;
mod webhook;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use signalbox_types::Secret;
use signalbox_types::seam::BoxFuture;

use crate::config::{ChannelConfig, Via};
use crate::notice::Notice;

pub(crate) use email::problems as email_problems;
pub(crate) use slack::ACKNOWLEDGE;
pub(crate) use webhook::signing_key;

/// What is sent over HTTP.
pub struct HttpRequest {
    /// Where to: it may hold a secret.
    pub url: Secret,
    /// Headers: they may hold secrets.
    pub headers: Vec<(String, Secret)>,
    /// JSON.
    pub body: Bytes,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl HttpRequest {
    fn json(url: impl Into<String>, body: &Value) -> Self {
        let headers = vec![("content-type".to_owned(), Secret::new("application/json".to_owned()))];
        Self { url: Secret::new(url.into()), headers, body: Bytes::from(body.to_string()) }
    }

    fn with(mut self, name: &str, value: Secret) -> Self {
        self.headers.push((name.to_owned(), value));
        self
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u64>,
    /// The body, as far as it was read.
    pub body: Bytes,
}

/// Posts. It waits for a bounded time, follows nothing and shows no secret in an error.
pub trait Http: Send + Sync + fmt::Debug {
    /// Sends with POST and reads the answer.
    fn post(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, String>>;
}

/// Whether another try can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Yes, in a while.
    Later,
    /// Yes, not before that.
    After(Duration),
    /// No.
    Never,
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// In words, without secrets.
    pub message: String,
    /// Whether another try can help.
    pub again: Again,
}

impl Failure {
    fn new(message: impl Into<String>, again: Again) -> Self {
        Self { message: message.into(), again }
    }
}

/// A message was taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// What later messages of the incident refer to, e.g. a thread.
    pub reference: Option<String>,
}

/// A way to tell somebody. It sends once; who wants to try again, sends again: the same message with the same key.
pub trait Channel: Send + Sync + fmt::Debug {
    /// Sends a message. `reference` is what the first message of the incident was answered with.
    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        reference: Option<&'a str>,
        http: &'a dyn Http,
    ) -> BoxFuture<'a, Result<Taken, Failure>>;

    /// Whether what it was told of stays open on the other side until somebody says that it is over.
    fn keeps_open(&self) -> bool {
        false
    }
}

/// The channel that a configuration means.
///
/// # Errors
/// It can't be used; `WatchConfig::problems` says the same.
pub(crate) fn channel(config: &ChannelConfig) -> Result<Arc<dyn Channel>, String> {
    Ok(match &config.via {
        Via::Webhook(one) => Arc::new(webhook::Webhook(one.clone())),
        Via::Slack(one) => Arc::new(slack::Slack(one.clone())),
        Via::Pagerduty(one) => Arc::new(pagerduty::Pagerduty(one.clone())),
        Via::Opsgenie(one) => Arc::new(opsgenie::Opsgenie(one.clone())),
        Via::Alertmanager(one) => Arc::new(alertmanager::Alertmanager(one.clone())),
        Via::Email(one) => Arc::new(email::Email::new(one)?),
    })
}

/// Posts, and takes every status but 2xx for a failure.
async fn post(http: &dyn Http, request: HttpRequest) -> Result<HttpAnswer, Failure> {
    let answer = http.post(request).await.map_err(|error| Failure::new(error, Again::Later))?;
    let status = answer.status;
    if (200..300).contains(&status) {
        return Ok(answer);
    }
    let again = match (status, answer.retry_after_s) {
        (408 | 425 | 429 | 500.., Some(seconds)) => Again::After(Duration::from_secs(seconds.min(3_600))),
        (408 | 425 | 429 | 500.., None) => Again::Later,
        _ => Again::Never,
    };
    let said = String::from_utf8_lossy(&answer.body);
    let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
    let said = if said.trim().is_empty() { "no explanation".to_owned() } else { said };
    Err(Failure::new(format!("it answered with status {status}: {said}"), again))
}

fn below(base: &str, path: &str) -> String {
    format!("{}{path}", base.trim_end_matches('/'))
}

/// So many characters at most, the last one telling that there were more.
fn at_most(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(chars.saturating_sub(1)).collect();
    cut.push('…');
    cut
}
