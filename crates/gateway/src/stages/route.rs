//! Says who may answer: the targets of a route, or the one that serves a model, or the one that keeps what is asked for.
//! Never sends anything: that is `send`.

use signalbox_types::ErrorClass;
use signalbox_upstream::{Target, UnknownModel};

use crate::Gateway;
use crate::call::{Call, CallError, Input};
use crate::endpoint::Endpoint;
use crate::headers::PROVIDER;
use crate::kept::{self, Shelf};
use crate::owners::{Kind, Whose};
use crate::route::Routed;

pub(crate) fn route(call: &mut Call, gateway: &Gateway) -> Result<(), CallError> {
    let Some(peek) = &call.peek else { return Ok(()) };
    let named = match (&call.through, &call.principal) {
        (Some(through), Some(principal)) => Some(through.target(gateway, &principal.project)?),
        _ => None,
    };
    if let Endpoint::Kept(shelf) = call.endpoint {
        let target = keeper(call, gateway, shelf, named)?;
        return to(call, target);
    }
    if matches!(call.endpoint, Endpoint::Responses | Endpoint::Through(_)) {
        names_only_its_own(call, gateway)?;
    }
    if let Some(target) = named {
        let model = peek.model.clone();
        return to(call, Target { model, ..target });
    }
    if peek.model.is_empty() && call.endpoint.passes_along() {
        let target = gateway.upstream.openai().ok_or_else(nobody)?;
        return to(call, target);
    }
    if let Some(route) = gateway.routes.find(&peek.model) {
        let way = gateway.routes.way(route, gateway.clock.now());
        call.routed = Some(Box::new(Routed::new(way, &call.headers)));
        return Ok(());
    }
    let target = gateway.upstream.resolve(&peek.model).map_err(|error| {
        let UnknownModel { model, problem, hint } = error;
        let routes = gateway.routes.hint(&model).map(|routes| format!(" {routes}")).unwrap_or_default();
        unknown_model(format!("{problem}{routes} {hint}"))
    })?;
    to(call, target)
}

fn to(call: &mut Call, target: Target) -> Result<(), CallError> {
    if let Some(message) = call.endpoint.unanswerable_by(&target.provider) {
        return Err(match call.endpoint {
            // No model is named there.
            Endpoint::Kept(_) => CallError::caller(ErrorClass::InvalidRequest, message),
            _ => of_model(ErrorClass::InvalidRequest, message),
        });
    }
    call.target = Some(target);
    Ok(())
}

/// Who keeps what is asked for, if the caller's project made it. While all keys are of one project, nobody else can have
/// made what isn't known (any more). `named` is who the path names.
fn keeper(call: &Call, gateway: &Gateway, shelf: &Shelf, named: Option<Target>) -> Result<Target, CallError> {
    let Some(principal) = &call.principal else {
        return Err(CallError::us(ErrorClass::Internal, "the call is nobody's"));
    };
    let (kind, id) = if shelf.makes_batch(&call.method) {
        let Input::Raw(body) = &call.input else {
            return Err(CallError::us(ErrorClass::Internal, "the call has no body"));
        };
        let missing = || {
            let mut error =
                CallError::caller(ErrorClass::InvalidRequest, "`input_file_id` is missing: expected the id of a file");
            error.detail.param = Some("input_file_id".to_owned());
            error
        };
        (Kind::File, kept::input_file(body).ok_or_else(missing)?)
    } else {
        match call.below.as_deref().and_then(kept::id) {
            Some(id) => (shelf.kind, id.to_owned()),
            None => return named.map_or_else(|| chosen(call, gateway, shelf.kind), Ok),
        }
    };
    match gateway.owners.find(kind, &id, &principal.project) {
        Whose::Yours(provider) if named.as_ref().is_none_or(|named| named.provider.name == provider) => {
            gateway.upstream.provider(&provider).ok_or_else(|| not_theirs(kind, &id, gateway))
        }
        Whose::Unknown if gateway.catalog.has_one_project() => {
            named.map_or_else(|| chosen(call, gateway, shelf.kind), Ok)
        }
        Whose::Yours(_) | Whose::Unknown | Whose::Anothers => Err(not_theirs(kind, &id, gateway)),
    }
}

/// Who is to keep something, or may have it: the one that the call says, the one of the configuration, or the only one.
fn chosen(call: &Call, gateway: &Gateway, kind: Kind) -> Result<Target, CallError> {
    let said = call.headers.get(PROVIDER).map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
    if let Some(name) = said {
        let unknown = || CallError::caller(ErrorClass::NotFound, gateway.upstream.unknown_provider(&name));
        return gateway.upstream.provider(&name).ok_or_else(unknown);
    }
    if kind == Kind::Response {
        return gateway.upstream.openai().ok_or_else(|| {
            let message = "responses are kept by OpenAI, and no provider of the kind `openai` is on; set OPENAI_API_KEY, or configure one";
            CallError::caller(ErrorClass::NotFound, message)
        });
    }
    if let Some(name) = &gateway.config.files_provider {
        let unknown = || {
            let message = format!("gateway.files_provider: {}", gateway.upstream.unknown_provider(name));
            CallError::us(ErrorClass::Internal, message)
        };
        return gateway.upstream.provider(name).ok_or_else(unknown);
    }
    let (simulated, mut all): (Vec<Target>, Vec<Target>) =
        gateway.upstream.having(kind.operation()).partition(|target| target.provider.is_built_in());
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => simulated.into_iter().next().ok_or_else(|| {
            let message =
                format!("no provider that is on takes {}s; set OPENAI_API_KEY, or configure one", kind.as_str());
            CallError::caller(ErrorClass::NotFound, message)
        }),
        (Some(last), false) => {
            let names: Vec<String> =
                all.iter().chain([&last]).map(|target| format!("`{}`", target.provider.name)).collect();
            let message = format!(
                "several providers take {}s: {}; say which with the header {PROVIDER}, or with gateway.files_provider",
                kind.as_str(),
                names.join(", ")
            );
            Err(CallError::caller(ErrorClass::InvalidRequest, message))
        }
    }
}

/// What another project made is not to be read by naming it in a body: going on from its response, training with its file.
fn names_only_its_own(call: &Call, gateway: &Gateway) -> Result<(), CallError> {
    let (Some(principal), Input::Raw(body)) = (&call.principal, &call.input) else { return Ok(()) };
    if gateway.catalog.has_one_project() {
        return Ok(());
    }
    let named = match call.endpoint {
        Endpoint::Through(_) => kept::named(body),
        _ => kept::previous_response(body).into_iter().collect(),
    };
    for (field, kind, id) in named {
        // Forgotten, perhaps; who goes on had the id from the answer.
        if gateway.owners.find(kind, &id, &principal.project) == Whose::Anothers {
            let mut error = not_theirs(kind, &id, gateway);
            error.detail.param = Some(field.to_owned());
            return Err(error);
        }
    }
    Ok(())
}

/// The same words whether another project made it or nobody did.
fn not_theirs(kind: Kind, id: &str, gateway: &Gateway) -> CallError {
    let (kind, most, days) = (kind.as_str(), gateway.owners.most(), gateway.owners.days());
    let message = format!(
        "there is no {kind} `{id}` that a key of this project made; who made what is forgotten when it isn't used for \
         {days} days (gateway.kept_ids_days), and after {most} later ones (gateway.max_kept_ids): make it again, or ask the \
         provider itself"
    );
    CallError::caller(ErrorClass::NotFound, message)
}

/// Nobody is there for what names no model.
fn nobody() -> CallError {
    let message = "`model` is missing: expected `provider/model`; only the provider `openai`, which isn't on, has one for those who name none";
    of_model(ErrorClass::InvalidRequest, message.to_owned())
}

fn of_model(class: ErrorClass, message: String) -> CallError {
    let mut error = CallError::caller(class, message);
    error.detail.param = Some("model".to_owned());
    error
}

/// As both official SDKs know it: 404, `model_not_found`.
pub(crate) fn unknown_model(message: String) -> CallError {
    let mut error = of_model(ErrorClass::NotFound, message);
    error.detail.code = Some("model_not_found".to_owned());
    error
}
