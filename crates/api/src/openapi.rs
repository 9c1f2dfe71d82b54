//! The OpenAPI document: what stands here once, and what is added to every operation.

use signalbox_types::seam::FileFormat;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{Modify, OpenApi as _};

use crate::auth::COOKIE;
use crate::envelope::{ErrorAnswer, ErrorDetail};
use crate::routes;

/// The document of all routes.
#[must_use]
pub fn openapi() -> OpenApi {
    finish(routes::list().into_openapi())
}

/// The document before the routes are listed.
pub(crate) fn frame() -> OpenApi {
    Frame::openapi()
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Signalbox",
        description = "The control room for LLM applications: ask about traces, manage keys, watch calls arrive.\n\n\
            Send a virtual key as `Authorization: Bearer <key>` or `x-api-key`; browsers sign in once and use a cookie. \
            A key belongs to one project, and every answer is about that project only. \
            Every number on a page is the answer to a `Query` that `POST /api/v1/query` takes.\n\n\
            Times are RFC 3339 in UTC or relative (`now-15m`), durations are milliseconds, money is US dollars. \
            A field that is absent is not known; it does not mean zero. Answers may gain fields at any time.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This Signalbox")),
    tags(
        (name = "Traces", description = "What happened: traces, their spans, and spans as they arrive."),
        (name = "Queries", description = "Any question about the recorded events, as a `Query` or as SQL."),
        (name = "Erasures", description = "Removing everything of a user, a session or a trace."),
        (name = "Scores", description = "Judgements of what happened: feedback, reviews, judges, metrics."),
        (name = "Evaluation", description = "What answers are worth: metrics that run without a model, and rules that score what arrives."),
        (name = "Experiments", description = "Runs over the same items: what came out, and which is better."),
        (name = "Datasets", description = "What answers are evaluated on: items in versions that never change."),
        (name = "Watching", description = "What is watched, what was wrong, and who is told: monitors, objectives, incidents, silences, channels."),
        (name = "Guardrails", description = "What must not pass: policies in force, and what they say of a text."),
        (name = "Keys", description = "Virtual keys: what applications and people hold instead of provider credentials."),
        (name = "Session", description = "Signing in and out of the web UI."),
        (name = "House", description = "Providers, health and numbers of this Signalbox."),
    ),
    security(("key" = []), ("header" = []), ("session" = [])),
    components(schemas(ErrorAnswer, ErrorDetail, FileFormat)),
    modifiers(&Schemes),
)]
struct Frame;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("sb-…")
            .description(Some("A virtual key."))
            .build();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
        let header =
            ApiKeyValue::with_description("x-api-key", "A virtual key, where a client can't set `Authorization`.");
        components.add_security_scheme("header", SecurityScheme::ApiKey(ApiKey::Header(header)));
        let cookie = ApiKeyValue::with_description(COOKIE, "What `POST /api/v1/session` sets.");
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// Adds to every operation the refusals that it shares with the others.
pub(crate) fn finish(mut document: OpenApi) -> OpenApi {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            // The first line of the handler's doc comment is a sentence; here it is a title.
            operation.summary = operation.summary.take().map(|title| title.trim_end_matches('.').to_owned());
            add_refusals(operation);
        }
    }
    if let Some(components) = &mut document.components {
        components.schemas.values_mut().for_each(without_null);
    }
    document
}

/// A field that is absent is left out, never `null`, though the derive says that it may be either.
fn without_null(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::AllOf(all) => all.items.iter_mut().for_each(without_null),
        Schema::OneOf(one) => one.items.iter_mut().for_each(without_null),
        Schema::Object(object) => {
            let required = &object.required;
            let optional = object.properties.iter_mut().filter(|(name, _)| !required.contains(name));
            optional.for_each(|(_, property)| present_only(property));
        }
        _ => {}
    }
}

fn present_only(property: &mut RefOr<Schema>) {
    let RefOr::T(schema) = property else { return };
    match schema {
        Schema::Object(object) => drop_null(&mut object.schema_type),
        Schema::Array(array) => drop_null(&mut array.schema_type),
        Schema::OneOf(one) => {
            one.items.retain(|item| !matches!(item, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null)));
            if let [only] = one.items.as_slice() {
                *property = only.clone();
            }
        }
        _ => {}
    }
}

fn drop_null(ty: &mut SchemaType) {
    if let SchemaType::Array(types) = ty {
        types.retain(|ty| *ty != Type::Null);
        if let [only] = types.as_slice() {
            *ty = SchemaType::Type(only.clone());
        }
    }
}

fn add_refusals(operation: &mut Operation) {
    // `security: [{}]` is how an operation says that it wants no key.
    let open = operation.security.is_some();
    let refusals = &mut operation.responses.responses;
    if !open {
        refusals
            .entry("401".to_owned())
            .or_insert_with(|| refusal("No key, an unknown or revoked one, or an ended session."));
    }
    refusals.entry("default".to_owned()).or_insert_with(|| refusal("A refusal; `error.type` says of which class."));
}

fn refusal(description: &str) -> RefOr<Response> {
    let body = Content::new(Some(Ref::from_schema_name("ErrorAnswer")));
    RefOr::T(ResponseBuilder::new().description(description).content("application/json", body).build())
}
