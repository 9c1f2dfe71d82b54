//! Old spans, normalised again.

#[cfg(test)]
mod tests;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use signalbox_catalog::Principal;
use signalbox_types::seam::{FileFormat, Reindexed, StoreError};
use signalbox_types::time::{TimeBound, TimeRange};

use crate::auth::Caller;
use crate::envelope::{ErrorAnswer, ErrorDetail, Json};
use crate::error::ApiError;
use crate::parts::App;

/// In the history of the catalogue.
const RESOURCE: &str = "reindex";

/// Which spans.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReindexRequest {
    /// The first moment: RFC 3339 or relative (`now-7d`); the beginning if absent.
    #[schema(value_type = Option<String>, example = "now-7d")]
    from: Option<TimeBound>,
    /// The first moment after it; no end if absent.
    #[schema(value_type = Option<String>)]
    to: Option<TimeBound>,
}

/// Normalise old spans again.
///
/// Spans that came by OTLP and that an earlier version of Signalbox understood are understood again as today's
/// version does, from what was sent, and priced anew; what guardrails found stays. The answer is a stream of JSON
/// lines, each a `Reindexed` that says how far it is; the last one has `done`. A line with `error` ends it early.
/// Hanging up stops it, and asking again goes on with what is left. Spans whose bodies were removed after their
/// time stay as they are.
#[utoipa::path(post, path = "/api/v1/reindex", operation_id = "reindex", tag = "House", request_body = ReindexRequest, responses(
    (status = 200, description = "A line for each step.", body = Reindexed, content_type = "application/jsonl"),
))]
pub(crate) async fn reindex(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(request): Json<ReindexRequest>,
) -> Result<Response, ApiError> {
    let all = TimeRange::all();
    let time = TimeRange { from: request.from.unwrap_or(all.from), to: request.to.unwrap_or(all.to) };
    let mut steps = app.reindexer.reindex(&caller.project, time);
    // What can't be begun is refused as any other request.
    let first = steps.next().await.transpose()?;
    let steps = stream::iter(first.map(Ok)).chain(steps).boxed();
    let mut stopping = app.stopping.clone();
    let stopped = async move {
        // A sender that is gone means the same.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    let lines = steps.take_until(stopped).then(move |step| {
        let (app, caller) = (app.clone(), caller.clone());
        async move { Ok::<_, std::convert::Infallible>(line(&app, &caller, step).await) }
    });
    Ok(([(header::CONTENT_TYPE, FileFormat::Jsonl.content_type())], Body::from_stream(lines)).into_response())
}

async fn line(app: &App, caller: &Principal, step: Result<Reindexed, StoreError>) -> Bytes {
    let noted = match step {
        Ok(step) if step.done => note(app, caller, step).await.map(|()| step),
        step => step.map_err(ApiError::from),
    };
    match noted {
        Ok(step) => written(&step),
        Err(ApiError { class, message, field, hint, .. }) => {
            written(&ErrorAnswer { error: ErrorDetail { class, message, field, hint } })
        }
    }
}

async fn note(app: &App, caller: &Principal, step: Reindexed) -> Result<(), ApiError> {
    let after = serde_json::to_value(step).map_err(|error| ApiError::internal(&error))?;
    Ok(app.catalog.note(caller, RESOURCE, "spans", "reindex", after).await?)
}

fn written(line: &impl Serialize) -> Bytes {
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    text.into()
}
