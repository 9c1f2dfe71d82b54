//! Drift: whether what comes in and goes out is still what it was.

#[cfg(test)]
mod tests;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use signalbox_types::Timestamp;
use signalbox_watch::{DriftResult, DriftTrend, DriftView, Source};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// A drift check, and what its latest comparison found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DriftShown {
    /// Its name.
    name: String,
    /// Where it stands: `config` or `api`.
    source: Source,
    /// Something has drifted, for long enough to be an incident.
    firing: bool,
    /// When it is compared next.
    next_at: Timestamp,
    /// Why it, or something of it, could not be compared, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// What it is, as it stands in the configuration or was sent.
    #[schema(value_type = Object)]
    definition: Value,
    /// What the latest comparison found; in a list without distributions and examples.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<DriftResult>,
    /// How each signal has gone, comparison by comparison; not in a list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trends: Vec<DriftTrend>,
}

/// Drift checks.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DriftChecks {
    /// By name.
    checks: Vec<DriftShown>,
}

/// A drift check to try.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DriftTest {
    /// The check, as it would stand in the configuration. It need not exist.
    #[schema(value_type = Object, example = json!({"name": "inputs", "current": "1d", "segment_by": "prompt_name"}))]
    check: Value,
}

/// List drift checks.
#[utoipa::path(get, path = "/api/v1/drift", operation_id = "list_drift", tag = "Watching",
    responses((status = 200, description = "Those of the configuration and those made here.", body = DriftChecks)))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>) -> Json<DriftChecks> {
    let checks = app.watch.drift_checks(&caller.project).into_iter().map(|view| DriftShown::of(view).short());
    Json(DriftChecks { checks: checks.collect() })
}

/// Show a drift check.
///
/// With what its latest comparison found, signal by signal and segment by segment, and how each has gone.
#[utoipa::path(get, path = "/api/v1/drift/{name}", operation_id = "show_drift", tag = "Watching",
    params(("name" = String, Path, description = "Its name.")),
    responses(
        (status = 200, description = "It.", body = DriftShown),
        (status = 404, description = "There is none of that name.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn show(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<DriftShown>, ApiError> {
    Ok(Json(DriftShown::of(app.watch.drift_check(&caller.project, &name)?)))
}

/// Make or change a drift check.
///
/// The body is the check as it would stand in the configuration; `name` may be left out. It is compared from the next moment on. Those
/// of the configuration file are changed there. With an `embedding_model` (a model or a route) the signal `embedding` compares what inputs
/// mean; that is asked for through the gateway, for 500 inputs of each side at most.
#[utoipa::path(put, path = "/api/v1/drift/{name}", operation_id = "save_drift", tag = "Watching",
    params(("name" = String, Path, description = "Its name.")),
    request_body(content = Object, example = json!({
        "current": "1d", "reference": {"ago": "7d", "width": "28d"}, "segment_by": "prompt_name", "scores": ["helpfulness"],
        "embedding_model": "openai/text-embedding-3-small", "notify": ["ops"]
    })),
    responses(
        (status = 200, description = "It is in force.", body = DriftShown),
        (status = 409, description = "The configuration has one of that name.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn save(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(mut definition): Json<Value>,
) -> Result<Json<DriftShown>, ApiError> {
    match definition.as_object_mut() {
        None => return Err(ApiError::invalid("drift", "expected an object, written {…}")),
        Some(fields) => {
            if fields.entry("name").or_insert_with(|| json!(name)).as_str() != Some(&name) {
                return Err(ApiError::invalid("name", format!("is another name than that of the path (`{name}`)")));
            }
        }
    }
    let saved = app.watch.save_drift(&caller.project, &definition).await?;
    let after = serde_json::to_value(&saved).unwrap_or_default();
    app.catalog.note(&caller, "drift", &saved.name, "save", after).await?;
    show(Caller(caller), State(app), Path(name)).await
}

/// Delete a drift check.
///
/// What it has found goes with it, and its incidents end.
#[utoipa::path(delete, path = "/api/v1/drift/{name}", operation_id = "delete_drift", tag = "Watching",
    params(("name" = String, Path, description = "Its name.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is none of that name.", body = crate::envelope::ErrorAnswer),
        (status = 409, description = "It stands in the configuration.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn delete(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.watch.delete_drift(&caller.project, &name).await?;
    app.catalog.note(&caller, "drift", &name, "delete", Value::Null).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Test a drift check.
///
/// Compares now. Nothing is kept and nobody is told.
#[utoipa::path(post, path = "/api/v1/drift/test", operation_id = "test_drift", tag = "Watching",
    request_body = DriftTest,
    responses((status = 200, description = "What it would have found.", body = DriftResult)))]
pub(crate) async fn test(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(wanted): Json<DriftTest>,
) -> Result<Json<DriftResult>, ApiError> {
    let check = app.watch.read_drift(&wanted.check).map_err(|error| under_check(error.into()))?;
    Ok(Json(app.watch.test_drift(&caller.project, check).await?))
}

/// Run a drift check.
///
/// Compares now, whenever it would be due; what is found is kept, and is an incident if it has drifted.
#[utoipa::path(post, path = "/api/v1/drift/{name}/run", operation_id = "run_drift", tag = "Watching",
    params(("name" = String, Path, description = "Its name.")),
    responses(
        (status = 200, description = "It, with what was found.", body = DriftShown),
        (status = 404, description = "There is none of that name.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn run(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<DriftShown>, ApiError> {
    Ok(Json(DriftShown::of(app.watch.run_drift(&caller.project, &name).await?)))
}

fn under_check(error: ApiError) -> ApiError {
    ApiError { field: error.field.map(|field| format!("check.{field}")), ..error }
}

impl DriftShown {
    fn of(view: DriftView) -> Self {
        Self {
            name: view.config.name.clone(),
            source: view.source,
            firing: view.firing,
            next_at: view.next_at,
            problem: view.problem,
            definition: serde_json::to_value(&*view.config).unwrap_or_default(),
            last: view.last,
            trends: view.trends,
        }
    }

    /// Without what only the page of one shows.
    fn short(mut self) -> Self {
        self.trends.clear();
        if let Some(last) = &mut self.last {
            if let Some(concept) = &mut last.concept {
                concept.groups.clear();
            }
            for found in last.cells.iter_mut().filter_map(|cell| cell.found.as_mut()) {
                found.distribution.clear();
                found.current_examples.clear();
                found.reference_examples.clear();
            }
        }
        self
    }
}
