//! Sees whether the same call was sent before, by its `Idempotency-Key`: then that one's answer is waited for, or is there
//! already. Only of whole answers: a stream that breaks off is begun anew.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, StatusCode};
use signalbox_types::ErrorClass;

use crate::Gateway;
use crate::call::{Call, CallError, Input};
use crate::endpoint::Endpoint;
use crate::idempotency::{Again, Fingerprint, Found, Keep};
use crate::offload::offload;
use crate::until::Until;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// As long as the longest key that other APIs take.
const MOST_KEY_BYTES: usize = 255;

/// Whether there is an answer. If not, others that come with the same key will wait for this call's.
///
/// # Errors
/// The key is none, or stands for another call.
pub(crate) async fn again(call: &mut Call, gateway: &Gateway) -> Result<bool, CallError> {
    let Some(key) = key(call)? else { return Ok(false) };
    let Some(project) = call.principal.as_ref().map(|principal| principal.project.clone()) else { return Ok(false) };
    let name = (project, key);
    let whole = Whole::of(call);
    let fingerprint = offload(whole.body.len(), move || whole.fingerprint()).await?;
    let config = &gateway.config;
    let until = Until::of_caller(&call.headers);
    let keep = Keep {
        time: Duration::from_millis(config.idempotency_keep_ms),
        most_bytes: config.idempotency_bytes,
        configuration: gateway.configuration,
    };
    loop {
        let mut told = match gateway.register.look(&name, fingerprint, gateway.clock.elapsed(), keep) {
            Found::Nobody(lead) => {
                call.lead = Some(lead);
                return Ok(false);
            }
            Found::Kept(kept) => {
                call.again = Some(Again { kept, joined: false });
                return Ok(true);
            }
            Found::Other => return Err(other()),
            Found::Running(told) => told,
        };
        // If it goes without an answer, its caller hung up; whoever is first then makes the call.
        let waiting = told.wait_for(Option::is_some);
        let answer = match until {
            None => waiting.await,
            Some(until) => {
                let late = |_| until.error("the same call, which was sent before and is under way, had no answer");
                tokio::time::timeout_at(until.at, waiting).await.map_err(late)?
            }
        };
        let answer = answer.ok().and_then(|answer| answer.clone());
        if let Some(kept) = answer {
            call.again = Some(Again { kept, joined: true });
            return Ok(true);
        }
    }
}

fn key(call: &Call) -> Result<Option<Arc<str>>, CallError> {
    // A form that is made again has other boundaries, what is kept is fetched by its own name, and what passes
    // through is for the provider to know.
    let other = match call.endpoint {
        Endpoint::Along(surface) => surface.is_form(),
        Endpoint::Kept(_) | Endpoint::Through(_) => true,
        _ => false,
    };
    let Some(value) = call.headers.get(HEADER).filter(|_| !other && !call.stream()) else { return Ok(None) };
    match value.to_str().map(str::trim) {
        Ok("") => Ok(None),
        Ok(key) if key.len() <= MOST_KEY_BYTES => Ok(Some(key.into())),
        _ => {
            let message = format!("`idempotency-key` is no key: expected 1 to {MOST_KEY_BYTES} ASCII characters");
            Err(CallError::caller(ErrorClass::InvalidRequest, message))
        }
    }
}

/// All of a call that its answer depends on.
struct Whole {
    /// With the provider's name, if that is part of it.
    path: String,
    model: String,
    query: String,
    /// Headers that decide who answers, by which rules and in which words; and the key, whose holder may be treated otherwise.
    said: Vec<u8>,
    body: Bytes,
}

impl Whole {
    fn of(call: &Call) -> Self {
        let body = match &call.input {
            Input::Raw(body) => body.clone(),
            Input::Nothing | Input::Decoded(_) => Bytes::new(),
        };
        let (model, query) = (call.path_model.clone().unwrap_or_default(), call.query.clone().unwrap_or_default());
        let own = || call.endpoint.path().to_owned();
        let path = call.through.as_ref().map_or_else(own, |through| through.template());
        Self { path, model, query, said: said(call), body }
    }

    fn fingerprint(&self) -> Fingerprint {
        let mut hash = blake3::Hasher::new();
        for part in [self.path.as_bytes(), self.model.as_bytes(), self.query.as_bytes(), &self.said, &self.body] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// Headers of ours that change nothing of an answer: how long somebody waits for it.
const ASIDE: [&str; 1] = ["x-signalbox-timeout-ms"];
/// Headers of providers' dialects that change it.
const DIALECTS: [&str; 7] = [
    "anthropic-beta",
    "anthropic-version",
    "openai-beta",
    "openai-organization",
    "openai-project",
    "content-type",
    "x-goog-user-project",
];

fn said(call: &Call) -> Vec<u8> {
    let key = call.principal.as_ref().map(|principal| principal.key_id.as_str().as_bytes()).unwrap_or_default();
    let is_said = |name: &str| (name.starts_with("x-signalbox-") && !ASIDE.contains(&name)) || DIALECTS.contains(&name);
    let headers = call.headers.iter().filter(|(name, _)| is_said(name.as_str()));
    let mut headers: Vec<(&[u8], &[u8])> =
        headers.map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())).collect();
    // Stable: the order of one header's values counts, that of headers doesn't.
    headers.sort_by_key(|(name, _)| *name);
    let mut said = Vec::new();
    for part in std::iter::once(key).chain(headers.into_iter().flat_map(|(name, value)| [name, value])) {
        said.extend_from_slice(&(part.len() as u64).to_le_bytes());
        said.extend_from_slice(part);
    }
    said
}

/// Not 409, which the SDKs would send again.
fn other() -> CallError {
    let message = "this `idempotency-key` was used for another request (its path, body, headers for routing or virtual key differ); send each request with a key of its own";
    let mut error = CallError::caller(ErrorClass::InvalidRequest, message);
    error.detail.code = Some("idempotency_key_reused".to_owned());
    error.status_code(StatusCode::UNPROCESSABLE_ENTITY)
}
