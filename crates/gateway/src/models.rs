//! `GET /v1/models` and `GET /v1/models/{id}`: what callers can ask for, in OpenAI's words, or in
//! Anthropic's if they send `anthropic-version`. And what is said of paths that are not served.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response};
use serde::Serialize;
use signalbox_types::ErrorClass;
use signalbox_upstream::ModelEntry;
use signalbox_wire::{Dialect, codec};

use crate::call::{CallError, Endpoint};
use crate::headers::ANTHROPIC_VERSION;
use crate::stages::admit::{authenticate, wrong_method};
use crate::stages::encode::{refusal, whole};
use crate::stages::route::unknown_model;
use crate::{Gateway, RequestBody, ResponseBody};

const PATH: &str = "/v1/models";

pub(crate) fn handles(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// E.g. `/v1/messages/count_tokens` or `/v1/messages/batches`, which are not served.
pub(crate) fn is_below_messages(path: &str) -> bool {
    path.strip_prefix(Endpoint::Messages.path()).is_some_and(|rest| rest.starts_with('/'))
}

pub(crate) fn serve(gateway: &Gateway, request: &Request<RequestBody>) -> Response<ResponseBody> {
    if is_below_messages(request.uri().path()) {
        return not_served(gateway, request.uri().path());
    }
    let anthropic = request.headers().contains_key(ANTHROPIC_VERSION);
    let dialect = if anthropic { Dialect::AnthropicMessages } else { Dialect::OpenaiChat };
    match look_up(gateway, request, dialect) {
        Ok(body) => {
            gateway.metrics().looked_up(PATH, 200, "");
            let mut response = Response::new(whole(body.into()));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(mut error) => {
            let status = error.status();
            gateway.metrics().looked_up(PATH, status.as_u16(), error.class.as_str());
            let headers: HeaderMap = std::mem::take(&mut error.detail.headers);
            refusal(status, headers, error.retry, codec(dialect).encode_error(&error.body()))
        }
    }
}

fn not_served(gateway: &Gateway, path: &str) -> Response<ResponseBody> {
    let served = Endpoint::Messages.path();
    let message = format!("{path} is not served here; of Anthropic's API, POST {served} and GET {PATH} are");
    let error = CallError::caller(ErrorClass::NotFound, message);
    let status = error.status();
    gateway.metrics().looked_up(served, status.as_u16(), error.class.as_str());
    refusal(status, HeaderMap::new(), error.retry, codec(Dialect::AnthropicMessages).encode_error(&error.body()))
}

fn look_up(gateway: &Gateway, request: &Request<RequestBody>, dialect: Dialect) -> Result<Vec<u8>, CallError> {
    let path = request.uri().path();
    let Some(rest) = path.strip_prefix(PATH).filter(|_| handles(path)) else {
        let message = format!("there is no {path} here");
        return Err(CallError::caller(ErrorClass::NotFound, message));
    };
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let message = format!("{PATH} takes GET only, found {}", request.method());
        return Err(wrong_method(message, HeaderValue::from_static("GET, HEAD")));
    }
    authenticate(request.headers(), gateway)?;
    let models: Vec<_> = gateway.routes.models().chain(gateway.upstream.models()).collect();
    let id = rest.trim_start_matches('/').replace("%2F", "/").replace("%2f", "/");
    let body = if id.is_empty() {
        match dialect {
            Dialect::OpenaiChat => {
                to_json(&OpenaiList { object: "list", data: models.iter().map(OpenaiModel::of).collect() })
            }
            Dialect::AnthropicMessages => {
                let data: Vec<_> = models.iter().map(AnthropicModel::of).collect();
                let (first_id, last_id) = (data.first().map(|model| model.id), data.last().map(|model| model.id));
                to_json(&AnthropicList { first_id, last_id, has_more: false, data })
            }
        }
    } else {
        let known = models.iter().find(|model| model.id == id || model.model == id);
        let model = known
            .ok_or_else(|| unknown_model(format!("there is no model `{id}`; GET {PATH} lists those there are")))?;
        match dialect {
            Dialect::OpenaiChat => to_json(&OpenaiModel::of(model)),
            Dialect::AnthropicMessages => to_json(&AnthropicModel::of(model)),
        }
    };
    body.map_err(|error| CallError::us(ErrorClass::Internal, error.to_string()))
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(value)
}

#[derive(Serialize)]
struct OpenaiList<'a> {
    object: &'static str,
    data: Vec<OpenaiModel<'a>>,
}

#[derive(Serialize)]
struct OpenaiModel<'a> {
    id: &'a str,
    object: &'static str,
    /// The shape wants a time; nobody tells us when a model was made.
    created: i64,
    owned_by: &'a str,
}

impl<'a> OpenaiModel<'a> {
    fn of(model: &'a ModelEntry) -> Self {
        Self { id: &model.id, object: "model", created: 0, owned_by: &model.provider }
    }
}

#[derive(Serialize)]
struct AnthropicList<'a> {
    data: Vec<AnthropicModel<'a>>,
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

#[derive(Serialize)]
struct AnthropicModel<'a> {
    r#type: &'static str,
    id: &'a str,
    display_name: &'a str,
    /// As in [`OpenaiModel`].
    created_at: &'static str,
}

impl<'a> AnthropicModel<'a> {
    fn of(model: &'a ModelEntry) -> Self {
        Self { r#type: "model", id: &model.id, display_name: &model.model, created_at: "1970-01-01T00:00:00Z" }
    }
}
