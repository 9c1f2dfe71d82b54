//! Tokens that are fetched, kept, and fetched anew before they expire. Whoever comes when one is due fetches it; the
//! others go on with the one that there is, or wait for it if there is none.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, HeaderValue};
use http::uri::{PathAndQuery, Scheme};
use http::{Method, Request, Uri};
use http_body_util::Full;
use parking_lot::RwLock;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use signalbox_types::Secret;
use signalbox_types::seam::Clock;

use crate::SendError;
use crate::client::{Connector, Network, Outgoing, reason_of};
use crate::hide::without;

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(15);
const MAX_ANSWER_BYTES: usize = 64 << 10;
/// Tokens of an hour are fetched anew when so much of it is left; shorter ones after four fifths of their time.
const EARLY: Duration = Duration::from_secs(300);
/// So long the old token is used before another try, where a fetch has failed.
const PAUSE: Duration = Duration::from_secs(30);

/// What is asked of the token endpoint: the form's fields, made anew each time (a signed claim has a date).
pub(crate) type Ask = Box<dyn Fn(i64) -> Result<Vec<(&'static str, Secret)>, String> + Send + Sync>;

/// Where tokens come from.
pub(crate) struct TokenSource {
    provider: Arc<str>,
    connector: Connector,
    host: HeaderValue,
    path: Uri,
    ask: Ask,
    known: RwLock<Option<Token>>,
    /// How many fetches have failed, and why the last one did.
    failed: RwLock<(u64, String)>,
    fetching: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenSource").field("host", &self.host).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    /// On the measuring clock.
    since: Duration,
    due: Duration,
    expires: Duration,
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    expires_in: Option<u64>,
    error: Option<serde_json::Value>,
    error_description: Option<String>,
}

impl TokenSource {
    /// For an absolute URL. `Err` says what is wrong with it.
    pub(crate) fn new(provider: &Arc<str>, url: &str, network: &Network, ask: Ask) -> Result<Self, String> {
        let wrong = || format!("`{url}` is no URL of a token endpoint");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?.clone();
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(wrong());
        }
        // Errors name the host.
        if authority.as_str().contains('@') {
            return Err("it holds a user name or password".to_owned());
        }
        let origin = Uri::builder()
            .scheme(uri.scheme().cloned().unwrap_or(Scheme::HTTPS))
            .authority(authority.clone())
            .path_and_query(PathAndQuery::from_static("/"))
            .build()
            .map_err(|_| wrong())?;
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str).parse().map_err(|_| wrong())?;
        Ok(Self {
            provider: Arc::clone(provider),
            connector: Connector::new(origin, network)?,
            host: HeaderValue::try_from(authority.as_str()).map_err(|_| wrong())?,
            path,
            ask,
            known: RwLock::new(None),
            failed: RwLock::default(),
            fetching: tokio::sync::Mutex::new(()),
        })
    }

    /// The header with a token that holds.
    ///
    /// # Errors
    /// There is none that holds, and none could be fetched.
    pub(crate) async fn header(&self, clock: &dyn Clock) -> Result<HeaderValue, SendError> {
        let fresh = |token: &Token| clock.elapsed() < token.due;
        let known = self.known.read().clone();
        if let Some(token) = known.as_ref().filter(|token| fresh(token)) {
            return Ok(token.header.clone());
        }
        let holds = known.filter(|token| clock.elapsed() < token.expires);
        let failed_before = self.failed.read().0;
        let _turn = match &holds {
            None => self.fetching.lock().await,
            Some(token) => match self.fetching.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(token.header.clone()),
            },
        };
        // Somebody else may have fetched it meanwhile.
        let known = self.known.read().clone();
        if let Some(token) = known.filter(fresh) {
            return Ok(token.header);
        }
        // Or has failed to: who waited for that shares it, or the last of many would wait for the patience of all.
        let failed = self.failed.read().clone();
        if holds.is_none() && failed.0 > failed_before {
            return Err(self.none(failed.1));
        }
        match (self.fetch(clock).await, holds) {
            (Ok(token), _) => {
                *self.known.write() = Some(token.clone());
                Ok(token.header)
            }
            (Err(reason), Some(token)) => {
                tracing::warn!(provider = %self.provider, %reason, "no new token could be fetched, the old one still holds");
                let header = token.header.clone();
                *self.known.write() = Some(Token { due: clock.elapsed() + PAUSE, ..token });
                Ok(header)
            }
            (Err(reason), None) => {
                let mut failed = self.failed.write();
                *failed = (failed.0 + 1, reason.clone());
                Err(self.none(reason))
            }
        }
    }

    fn none(&self, reason: String) -> SendError {
        let host = String::from_utf8_lossy(self.host.as_bytes()).into_owned();
        SendError::Token { provider: Arc::clone(&self.provider), host, reason }
    }

    /// The token that goes out now.
    pub(super) fn secret(&self) -> Option<Secret> {
        let known = self.known.read();
        let header = known.as_ref()?.header.to_str().ok()?;
        Some(Secret::new(header.trim_start_matches("Bearer ").to_owned()))
    }

    /// The provider refused the token, which may have been taken back: the next call fetches another, unless this one has
    /// just been fetched.
    pub(super) fn refused(&self, clock: &dyn Clock) {
        let mut known = self.known.write();
        if known.as_ref().is_some_and(|token| clock.elapsed() >= token.since + PAUSE) {
            *known = None;
        }
    }

    async fn fetch(&self, clock: &dyn Clock) -> Result<Token, String> {
        let asked = clock.elapsed();
        let fields = (self.ask)(clock.now().as_secs())?;
        let form: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value.expose(), NON_ALPHANUMERIC)))
            .collect();
        let mut request = Request::new(Outgoing::Whole(Full::new(Bytes::from(form.join("&")))));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        self.connector.prepare(&mut request);
        let exchange = async {
            let connection = self.connector.connect(&self.provider, CONNECT).await;
            let mut connection = connection.map_err(|error| error.to_string())?;
            let (head, mut body) = connection.send(request).await.map_err(|error| reason_of(&error))?.into_parts();
            let mut bytes = BytesMut::new();
            while let Some(frame) = std::future::poll_fn(|context| connection.poll_body(&mut body, context)).await {
                if let Ok(data) = frame.map_err(|error| reason_of(&error))?.into_data() {
                    bytes.extend_from_slice(&data);
                }
                if bytes.len() > MAX_ANSWER_BYTES {
                    return Err("its answer is too long".to_owned());
                }
            }
            Ok((head.status, bytes))
        };
        let timed_out = |_| format!("it did not answer within {} s", ANSWER.as_secs());
        let (status, bytes) = tokio::time::timeout(ANSWER, exchange).await.map_err(timed_out)??;
        let answer: Option<Answer> = serde_json::from_slice(&bytes).ok();
        let Some(answer) = answer else {
            return Err(format!("it answered with status {} and no token", status.as_u16()));
        };
        match answer.access_token.filter(|_| status.is_success()) {
            None => {
                let word = answer.error.as_ref().and_then(serde_json::Value::as_str).map(str::to_owned);
                let said = answer.error_description.or(word).unwrap_or_else(|| "no token".to_owned());
                // Some say what they don't like by showing it.
                let secret = |name: &str| matches!(name, "assertion" | "client_secret" | "refresh_token");
                let said = without(said, fields.iter().filter(|(name, _)| secret(name)).map(|(_, value)| value));
                let said: String = said.chars().filter(|char| !char.is_control()).take(300).collect();
                Err(format!("it answered with status {}: {said}", status.as_u16()))
            }
            Some(token) => {
                let mut header = HeaderValue::try_from(format!("Bearer {token}"))
                    .map_err(|_| "its token holds characters that no header may carry".to_owned())?;
                header.set_sensitive(true);
                let lasts = Duration::from_secs(answer.expires_in.unwrap_or(3_600));
                let early = EARLY.min(lasts / 5);
                Ok(Token { header, since: asked, due: asked + lasts.saturating_sub(early), expires: asked + lasts })
            }
        }
    }
}
