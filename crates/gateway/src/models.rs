//! `GET /v1/models` and `GET /v1/models/{id}`: what callers can ask for, in OpenAI's words, or in
//! Anthropic's if they send `anthropic-version`, or in Google's below `/v1beta` and for those who send their key as
//! Google's SDKs do. And what is said of paths that are not served.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response};
use serde::Serialize;
use signalbox_types::ErrorClass;
use signalbox_upstream::{ModelEntry, Target};
use signalbox_wire::{Dialect, codec};

use crate::call::CallError;
use crate::endpoint::Endpoint;
use crate::headers::ANTHROPIC_VERSION;
use crate::stages::admit::{authenticate, wrong_method};
use crate::stages::encode::{refusal, whole};
use crate::stages::route::unknown_model;
use crate::{Gateway, RequestBody, ResponseBody, gemini};

const PATH: &str = "/v1/models";
const GEMINI_PATH: &str = "/v1beta/models";

pub(crate) fn handles(path: &str) -> bool {
    rest(path).is_some()
}

/// What stands behind the path of the list.
fn rest(path: &str) -> Option<&str> {
    let mut rests = [PATH, GEMINI_PATH].into_iter().filter_map(|list| path.strip_prefix(list));
    rests.find(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn dialect_of(request: &Request<RequestBody>) -> Dialect {
    if request.headers().contains_key(ANTHROPIC_VERSION) {
        Dialect::AnthropicMessages
    } else if gemini::handles(request.uri().path()) || gemini::is_of_google(request.headers(), request.uri().query()) {
        Dialect::Gemini
    } else {
        Dialect::OpenaiChat
    }
}

/// E.g. `/v1/messages/batches`, which is not served.
pub(crate) fn is_below_messages(path: &str) -> bool {
    path.strip_prefix(Endpoint::Messages.path()).is_some_and(|rest| rest.starts_with('/'))
}

pub(crate) fn serve(gateway: &Gateway, request: &Request<RequestBody>) -> Response<ResponseBody> {
    let path = request.uri().path();
    if is_below_messages(path) {
        return not_served(gateway, path, Dialect::AnthropicMessages);
    }
    if !handles(path) {
        return not_served(gateway, path, Dialect::Gemini);
    }
    let dialect = dialect_of(request);
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

fn not_served(gateway: &Gateway, path: &str, dialect: Dialect) -> Response<ResponseBody> {
    let (served, served_of) = match dialect {
        Dialect::Gemini => (
            GEMINI_PATH,
            "of Google's API, generateContent, streamGenerateContent, countTokens, embedContent and batchEmbedContents of \
             models are, and GET /v1beta/models"
                .to_owned(),
        ),
        _ => {
            let served = Endpoint::Messages.path();
            (served, format!("of Anthropic's API, POST {served}, POST {served}/count_tokens and GET {PATH} are"))
        }
    };
    let message = format!(
        "{path} is not served here; {served_of}. /providers/NAME{path} passes it on to the provider of that name"
    );
    let error = CallError::caller(ErrorClass::NotFound, message);
    let status = error.status();
    gateway.metrics().looked_up(served, status.as_u16(), error.class.as_str());
    refusal(status, HeaderMap::new(), error.retry, codec(dialect).encode_error(&error.body()))
}

fn look_up(gateway: &Gateway, request: &Request<RequestBody>, dialect: Dialect) -> Result<Vec<u8>, CallError> {
    let path = request.uri().path();
    let Some(rest) = rest(path) else {
        let message = format!("there is no {path} here");
        return Err(CallError::caller(ErrorClass::NotFound, message));
    };
    if request.method() != Method::GET && request.method() != Method::HEAD {
        if let Some(name) = gemini::unknown_method(path) {
            let known = gemini::methods().map(|(_, name)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let message = format!("there is no method `{name}` of Gemini models here; known: {known}");
            return Err(CallError::caller(ErrorClass::NotFound, message));
        }
        let list = if path.starts_with(GEMINI_PATH) { GEMINI_PATH } else { PATH };
        let message = format!("{list} takes GET only, found {}", request.method());
        return Err(wrong_method(message, HeaderValue::from_static("GET, HEAD")));
    }
    let mut headers = request.headers().clone();
    gemini::Query::read(request.uri().query()).give_key(&mut headers);
    authenticate(&headers, gateway)?;
    let models: Vec<_> = gateway.routes.models().chain(gateway.upstream.models()).collect();
    let id = rest.trim_start_matches('/').replace("%2F", "/").replace("%2f", "/");
    let body = if id.is_empty() {
        match dialect {
            Dialect::OpenaiChat
            | Dialect::OpenaiCompletions
            | Dialect::OpenaiResponses
            | Dialect::BedrockConverse
            | Dialect::CohereV2 => {
                to_json(&OpenaiList { object: "list", data: models.iter().map(OpenaiModel::of).collect() })
            }
            Dialect::Gemini => {
                to_json(&GeminiList { models: models.iter().map(|model| GeminiModel::of(model, gateway)).collect() })
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
            Dialect::OpenaiChat
            | Dialect::OpenaiCompletions
            | Dialect::OpenaiResponses
            | Dialect::BedrockConverse
            | Dialect::CohereV2 => to_json(&OpenaiModel::of(model)),
            Dialect::Gemini => to_json(&GeminiModel::of(model, gateway)),
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

#[derive(Serialize)]
struct GeminiList<'a> {
    models: Vec<GeminiModel<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiModel<'a> {
    name: String,
    display_name: &'a str,
    description: String,
    supported_generation_methods: Vec<&'static str>,
}

impl<'a> GeminiModel<'a> {
    fn of(model: &'a ModelEntry, gateway: &Gateway) -> Self {
        Self {
            name: format!("models/{}", model.id),
            display_name: &model.model,
            description: format!("`{}` of provider `{}`", model.model, model.provider),
            supported_generation_methods: methods(model, gateway),
        }
    }
}

/// What can be asked of a model, or of a target of a route, as far as its provider and its name tell.
fn methods(model: &ModelEntry, gateway: &Gateway) -> Vec<&'static str> {
    let can = |target: &Target, method| {
        let endpoint = Endpoint::Gemini(method);
        endpoint.unanswerable_by(&target.provider).is_none()
            && endpoint.is_embeddings() == is_for_embeddings(&target.model)
    };
    let mut targets: Vec<Target> = gateway.routes.targets(&model.id).cloned().collect();
    if targets.is_empty() {
        targets
            .extend(gateway.upstream.provider(&model.provider).map(|of| Target { model: model.model.clone(), ..of }));
    }
    gemini::methods()
        .filter(|(method, _)| targets.iter().any(|target| can(target, *method)))
        .map(|(_, name)| name)
        .collect()
}

/// Models for embeddings are no chat models, and say in their names what they are.
fn is_for_embeddings(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    ["embed", "voyage", "bge-", "gte-", "e5-"].iter().any(|word| model.contains(word))
}
