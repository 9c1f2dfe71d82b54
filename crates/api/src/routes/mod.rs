//! The list of routes. Adding one: a handler in its resource's folder, a line here; the OpenAPI
//! document, the browsable page and the web UI's types follow.

mod backup;
mod channels;
mod config;
mod credentials;
mod datasets;
mod drift;
mod erasures;
mod evaluate;
mod experiments;
mod export;
mod fields;
mod guard;
mod health;
mod hooks;
mod import;
mod incidents;
mod keys;
mod live;
mod markers;
mod monitors;
mod objectives;
mod online_rules;
mod providers;
mod queries;
mod query;
mod reindex;
mod release_freeze;
mod routing;
mod runs;
mod scores;
mod session;
mod silences;
mod sql;
mod status;
mod tables;
mod traces;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::routing::{any, get};
use signalbox_types::ErrorClass;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::docs;
use crate::envelope::MAX_BODY_BYTES;
use crate::error::ApiError;
use crate::openapi;
use crate::parts::{ApiParts, App};

pub use config::{ConfigStatus, RefusedConfig};
pub(crate) use traces::first_chars;
/// What `FileFormat::Parquet` is sent as.
const PARQUET: &str = "application/vnd.apache.parquet";

/// Every documented route. Sorted by path, as they appear in the document.
pub(crate) fn list() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(backup::back_up))
        .routes(routes!(channels::list))
        .routes(routes!(channels::test))
        .routes(routes!(config::show))
        .routes(routes!(credentials::list))
        .routes(routes!(credentials::set, credentials::delete))
        .merge(datasets::list_routes())
        .routes(routes!(drift::list))
        .routes(routes!(drift::test))
        .routes(routes!(drift::show, drift::save, drift::delete))
        .routes(routes!(drift::run))
        .routes(routes!(erasures::list, erasures::erase))
        .routes(routes!(evaluate::evaluate))
        .routes(routes!(experiments::list))
        .routes(routes!(experiments::show, experiments::delete))
        .routes(routes!(experiments::pin, experiments::unpin))
        .routes(routes!(export::export))
        .routes(routes!(fields::list))
        .routes(routes!(guard::show, guard::check))
        .routes(routes!(guard::feedback::list, guard::feedback::say))
        .routes(routes!(guard::feedback::export))
        .routes(routes!(guard::feedback::forget))
        .routes(routes!(guard::policies::list, guard::policies::change))
        .routes(routes!(health::healthz))
        .routes(routes!(import::import))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::show))
        .routes(routes!(incidents::history))
        .routes(routes!(incidents::acknowledge))
        .routes(routes!(incidents::note))
        .routes(routes!(incidents::post_mortem))
        .routes(routes!(incidents::resolve))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(health::metrics))
        .routes(routes!(live::watch))
        .routes(routes!(channels::messages))
        .routes(routes!(channels::retry))
        .routes(routes!(evaluate::list))
        .routes(routes!(objectives::list))
        .routes(routes!(objectives::test))
        .routes(routes!(objectives::show, objectives::save, objectives::delete))
        .routes(routes!(online_rules::list, online_rules::create))
        .routes(routes!(online_rules::look::preview))
        .routes(routes!(online_rules::show, online_rules::change, online_rules::delete))
        .routes(routes!(online_rules::backfill, online_rules::cancel))
        .routes(routes!(online_rules::history))
        .routes(routes!(online_rules::look::summary))
        .routes(routes!(monitors::list))
        .routes(routes!(monitors::test))
        .routes(routes!(monitors::show, monitors::save, monitors::delete))
        .routes(routes!(providers::list))
        .routes(routes!(queries::list))
        .routes(routes!(queries::cancel))
        .routes(routes!(query::ask))
        .routes(routes!(health::readyz))
        .routes(routes!(reindex::reindex))
        .routes(routes!(release_freeze::show, release_freeze::set))
        .routes(routes!(routing::list))
        .routes(routes!(routing::switch_back))
        .routes(routes!(runs::list, runs::start))
        .routes(routes!(runs::compare::compare))
        .routes(routes!(runs::compare::items))
        .routes(routes!(runs::show, runs::delete))
        .routes(routes!(runs::finish))
        .routes(routes!(runs::items::list, runs::items::add))
        .routes(routes!(evaluate::rubrics::list))
        .routes(routes!(scores::create))
        .routes(routes!(session::show, session::open, session::close))
        .routes(routes!(silences::list, silences::create))
        .routes(routes!(silences::end))
        .routes(routes!(sql::ask))
        .routes(routes!(status::show))
        .routes(routes!(tables::list))
        .routes(routes!(traces::list))
        .routes(routes!(traces::show))
        .routes(routes!(traces::span))
        .routes(routes!(markers::list, markers::create))
        .routes(routes!(incidents::look))
        .routes(routes!(incidents::act))
        .routes(routes!(hooks::alertmanager))
        .routes(routes!(hooks::pagerduty))
        .routes(routes!(hooks::slack))
}

/// The API, ready to be served. What it doesn't know gets a 404 in JSON; the binary may put another
/// fallback (the web UI) in its place, except under `/api`.
pub fn router(parts: ApiParts) -> Router {
    let app = App::new(parts);
    let (routes, document) = list().split_for_parts();
    routes
        .merge(docs::routes(&openapi::finish(document)))
        .route("/api", get(docs::redirect))
        .route("/api/{*path}", any(unknown))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        // Leaves event streams, small answers and what is packed already alone.
        .layer(
            CompressionLayer::new().compress_when(DefaultPredicate::new().and(NotForContentType::const_new(PARQUET))),
        )
        .with_state(app)
}

async fn unknown(method: Method, uri: Uri) -> ApiError {
    ApiError::not_found(format!("there is no `{method} {}`", uri.path())).hint("`/api/docs` lists what there is")
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::new(ErrorClass::InvalidRequest, format!("`{}` doesn't take {method}", uri.path()))
        .status(StatusCode::METHOD_NOT_ALLOWED)
        .hint("the `Allow` header and `/api/docs` list what it takes")
}
