//! Calls on our own behalf: a judge, a label, vectors of texts. They go the way of every call, so that routes, guards, limits and the record hold
//! for them, too; only that they need no virtual key. No request from outside can be one: what makes it one is a type
//! that only this crate has, beside the request and not in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use signalbox_catalog::Principal;
use signalbox_types::seam::{BoxFuture, Completed, Completer, Completion, CompletionError, Embedded, Embedder};
use signalbox_types::{ErrorClass, KeyId, Money, ProjectId};
use signalbox_wire::{completion, embeddings};

use crate::endpoint::Endpoint;
use crate::headers::{COST_USD, TRACE_ID};
use crate::{Gateway, ResponseBody, Switch};

/// Where the key's id and name stand for callers with a key, these have this.
const NAME: &str = "signalbox";
/// More is no answer to a question of ours.
const MOST_BYTES: usize = 4 << 20;
/// Vectors are long: so much takes the most texts of a call with some 5,000 numbers each.
const MOST_EMBEDDED_BYTES: usize = 16 << 20;

/// Makes a request one of our own.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    pub(crate) principal: Principal,
    /// What the span says besides.
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Completer for Switch {
    fn complete<'a>(
        &'a self,
        project: &'a ProjectId,
        ask: Completion,
    ) -> BoxFuture<'a, Result<Completed, CompletionError>> {
        Box::pin(async move { complete(&self.current(), project, ask).await })
    }
}

impl Embedder for Switch {
    fn embed<'a>(
        &'a self,
        project: &'a ProjectId,
        model: &'a str,
        texts: &'a [String],
    ) -> BoxFuture<'a, Result<Embedded, CompletionError>> {
        Box::pin(async move { embed(&self.current(), project, model, texts).await })
    }
}

async fn complete(gateway: &Arc<Gateway>, project: &ProjectId, ask: Completion) -> Result<Completed, CompletionError> {
    let body =
        completion::ask(&ask).map_err(|error| CompletionError::new(ErrorClass::InvalidRequest, error.to_string()))?;
    let (headers, body) = call(gateway, project, (Endpoint::Chat, body, MOST_BYTES), ask.metadata).await?;
    let completed = completion::answered(&body)?;
    let trace_id = text(&headers, &TRACE_ID).and_then(|text| text.parse().ok());
    Ok(Completed { cost: cost(&headers), trace_id, ..completed })
}

async fn embed(
    gateway: &Arc<Gateway>,
    project: &ProjectId,
    model: &str,
    texts: &[String],
) -> Result<Embedded, CompletionError> {
    let body = embeddings::ask(model, texts)?;
    let asked = (Endpoint::Embeddings, body, MOST_EMBEDDED_BYTES);
    let (headers, body) = call(gateway, project, asked, BTreeMap::new()).await?;
    Ok(Embedded { cost: cost(&headers), ..embeddings::answered(&body, texts.len())? })
}

/// Asks an endpoint of ours, and reads an answer of at most so many bytes.
async fn call(
    gateway: &Arc<Gateway>,
    project: &ProjectId,
    (endpoint, body, most): (Endpoint, Bytes, usize),
    attributes: BTreeMap<String, String>,
) -> Result<(HeaderMap, Vec<u8>), CompletionError> {
    let principal = Principal { project: project.clone(), key_id: KeyId::new(NAME), key_name: NAME.to_owned() };
    let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
    let mut request = Request::new(body);
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = http::Uri::from_static(endpoint.path());
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.extensions_mut().insert(Own { principal, attributes });

    let response = Box::pin(gateway.serve(request)).await;
    let (head, body) = response.into_parts();
    let body = read(body, most).await.map_err(|problem| CompletionError::new(ErrorClass::UpstreamError, problem))?;
    if head.status != StatusCode::OK {
        let class = head.extensions.get::<ErrorClass>().copied().unwrap_or(ErrorClass::UpstreamError);
        return Err(completion::refused(class, &body, text(&head.headers, &RETRY_AFTER).and_then(|s| s.parse().ok())));
    }
    Ok((head.headers, body))
}

fn cost(headers: &HeaderMap) -> Option<Money> {
    text(headers, &COST_USD).and_then(|text| text.parse().ok()).and_then(Money::from_dollars)
}

async fn read(mut body: ResponseBody, most: usize) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("the answer broke off: {error}"))?;
        let Ok(data) = frame.into_data() else { continue };
        if all.len() + data.len() > most {
            return Err(format!("the answer is larger than {most} bytes"));
        }
        all.extend_from_slice(&data);
    }
    Ok(all)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
