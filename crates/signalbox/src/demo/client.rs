//! A plain HTTP client, as an application would have.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Answers larger than this are not ours.
const LARGEST_ANSWER: usize = 64 << 20;

/// Calls one Signalbox with one key.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: HyperClient<HttpConnector, Full<Bytes>>,
    url: String,
    key: String,
    /// Routes of the demo are there.
    routed: bool,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The body as JSON, or what it is instead.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("status {} without JSON", self.status))
    }
}

impl Client {
    pub(crate) fn new(url: &str, key: &str) -> Self {
        Self {
            http: HyperClient::builder(TokioExecutor::new()).build_http(),
            url: url.trim_end_matches('/').to_owned(),
            key: key.to_owned(),
            routed: false,
        }
    }

    /// The same for a Signalbox that has the demo's routes.
    pub(crate) fn routed(self) -> Self {
        Self { routed: true, ..self }
    }

    /// The route of this name, or the model where there is none.
    pub(crate) fn route_or(&self, route: &'static str, model: &'static str) -> &'static str {
        if self.routed { route } else { model }
    }

    /// Posts JSON; any status is an answer.
    #[expect(clippy::disallowed_methods, reason = "the body is limited")]
    pub(crate) async fn post(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Result<Reply> {
        let uri: Uri = format!("{}{path}", self.url).parse().with_context(|| format!("`{}` is no URL", self.url))?;
        let mut request = Request::new(Full::new(Bytes::from(serde_json::to_vec(body)?)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers(headers)?;
        let response = self.http.request(request).await.with_context(|| {
            format!(
                "can't reach Signalbox at {}; is it running? Start it with `signalbox up`, or give `--url`",
                self.url
            )
        })?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
        Ok(Reply { status, body: body.to_bytes() })
    }

    /// Posts JSON and expects success.
    pub(crate) async fn expect(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Result<Value> {
        let reply = self.post(path, body, headers).await?;
        if reply.status == StatusCode::UNAUTHORIZED {
            bail!("Signalbox at {} doesn't know this virtual key", self.url);
        }
        if !reply.status.is_success() {
            bail!("{path} answered {}: {}", reply.status, String::from_utf8_lossy(&reply.body));
        }
        reply.json()
    }

    fn headers(&self, extra: &[(&str, &str)]) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.key))
            .context("the key has characters that no header may have")?;
        bearer.set_sensitive(true);
        headers.insert(http::header::AUTHORIZATION, bearer);
        for (name, value) in extra {
            headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
        }
        Ok(headers)
    }

    /// A moment for people to think, or for tools to run.
    pub(super) async fn pause(milliseconds: u64) {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}
