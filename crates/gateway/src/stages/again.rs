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
    let keep = Keep { time: Duration::from_millis(config.idempotency_keep_ms), most_bytes: config.idempotency_bytes };
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
        Self { path, model, query, body }
    }

    fn fingerprint(&self) -> Fingerprint {
        let mut hash = blake3::Hasher::new();
        for part in [self.path.as_bytes(), self.model.as_bytes(), self.query.as_bytes(), &self.body] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// Not 409, which the SDKs would send again.
fn other() -> CallError {
    let message = "this `idempotency-key` was used for another request; send each request with a key of its own";
    let mut error = CallError::caller(ErrorClass::InvalidRequest, message);
    error.detail.code = Some("idempotency_key_reused".to_owned());
    error.status_code(StatusCode::UNPROCESSABLE_ENTITY)
}
