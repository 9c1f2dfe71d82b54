//! A running Signalbox, as a command line asks it for things of any size.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http::{HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::commands::client_key;

/// Where a Signalbox is when nobody says it.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:7300";
/// Answers that are read as a whole are no larger.
const LARGEST_ANSWER: usize = 16 << 20;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Error>;

/// Which Signalbox a command asks.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct At {
    /// The Signalbox to ask [default: http://127.0.0.1:7300]
    #[arg(long, env = "SIGNALBOX_URL")]
    url: Option<String>,
    /// A virtual key of it [default: SIGNALBOX_KEY]
    #[arg(long)]
    key: Option<String>,
}

impl At {
    pub(crate) fn remote(&self) -> Result<Remote> {
        Remote::new(self.url.as_deref(), self.key.clone())
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        self.url.as_deref().unwrap_or(DEFAULT_URL).trim_end_matches('/')
    }

    /// The key to it.
    pub(crate) fn client_key(&self) -> Result<String> {
        client_key(self.key.clone())
    }
}

/// One Signalbox and a key to it.
#[derive(Debug)]
pub(crate) struct Remote {
    http: Client<HttpConnector, Body>,
    url: String,
    bearer: HeaderValue,
}

impl Remote {
    pub(crate) fn new(url: Option<&str>, key: Option<String>) -> Result<Self> {
        let key = client_key(key)?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {key}"))
            .context("the key has characters that no header may have")?;
        bearer.set_sensitive(true);
        let url = url.unwrap_or(DEFAULT_URL).trim_end_matches('/').to_owned();
        Ok(Self { http: Client::builder(TokioExecutor::new()).build_http(), url, bearer })
    }

    /// Asks for something and hands on its body, whatever its size.
    pub(crate) async fn get(&self, path: &str) -> Result<Response<Incoming>> {
        self.send(Method::GET, path, "application/json", no_body()).await
    }

    /// Asks for JSON.
    pub(crate) async fn get_json(&self, path: &str) -> Result<Value> {
        json(self.get(path).await?.into_body()).await
    }

    /// Sends JSON and reads JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        json(self.post_for_body(path, body).await?.into_body()).await
    }

    /// Puts JSON in its place and reads JSON.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        json(self.send(Method::PUT, path, "application/json", whole(body)?).await?.into_body()).await
    }

    /// Sends JSON and hands on the body of the answer, piece by piece.
    pub(crate) async fn post_for_body(&self, path: &str, body: &Value) -> Result<Response<Incoming>> {
        self.send(Method::POST, path, "application/json", whole(body)?).await
    }

    /// Sends a stream of bytes and reads JSON.
    pub(crate) async fn upload(
        &self,
        path: &str,
        bytes: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<Value> {
        let body = StreamBody::new(bytes.map_ok(Frame::data).map_err(Error::from)).boxed_unsync();
        json(self.send(Method::POST, path, "application/octet-stream", body).await?.into_body()).await
    }

    async fn send(&self, method: Method, path: &str, kind: &'static str, body: Body) -> Result<Response<Incoming>> {
        let url = &self.url;
        let uri: Uri = format!("{url}{path}").parse().with_context(|| format!("`{url}` is no URL"))?;
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::AUTHORIZATION, self.bearer.clone())
            .header(header::CONTENT_TYPE, kind)
            .body(body)?;
        let response = self.http.request(request).await.with_context(|| {
            format!("can't reach Signalbox at {url}; is it running? Start it with `signalbox up`, or give `--url`")
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let answer = json(response.into_body()).await.unwrap_or_default();
        let text = |name: &str| answer["error"][name].as_str().map(str::to_owned);
        let message = text("message").unwrap_or_else(|| format!("Signalbox answered {status}"));
        match text("hint") {
            Some(hint) => bail!("{message}\n\nhint: {hint}"),
            None => bail!("{message}"),
        }
    }
}

fn whole(body: &Value) -> Result<Body> {
    Ok(Full::new(Bytes::from(serde_json::to_vec(body)?)).map_err(|never| match never {}).boxed_unsync())
}

fn no_body() -> Body {
    Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync()
}

#[expect(clippy::disallowed_methods, reason = "the body is limited")]
async fn json(body: Incoming) -> Result<Value> {
    let body = Limited::new(body, LARGEST_ANSWER).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
    serde_json::from_slice(&body.to_bytes()).context("Signalbox answered something else than JSON")
}
