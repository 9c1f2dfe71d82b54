//! Monitors: what is asked again and again, and when its answer is wrong.

#[cfg(test)]
mod tests;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use signalbox_types::time::parse_duration;
use signalbox_types::{ErrorClass, Timestamp};
use signalbox_watch::{Backtest, EditError, Length, MonitorView, Phase, SeriesView, Source};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// A monitor, and how its series are.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MonitorShown {
    /// Its name.
    name: String,
    /// Where it stands: `config`, `api`, or `objective` if it comes with one.
    source: Source,
    /// The worst of its series.
    phase: Phase,
    /// When it was last evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluated_at: Option<Timestamp>,
    /// Why it could not be evaluated, if it couldn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// What it is, as it stands in the configuration or was sent.
    #[schema(value_type = Object)]
    definition: Value,
    /// Its series.
    series: Vec<SeriesView>,
}

/// Monitors.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Monitors {
    /// By name.
    monitors: Vec<MonitorShown>,
}

/// A monitor, run over what was recorded.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MonitorTest {
    /// The monitor, as it would stand in the configuration. It need not exist.
    #[schema(value_type = Object, example = json!({
        "name": "errors", "query": {"measures": [{"fn": "count"}]}, "condition": {"threshold": {"above": 100}}
    }))]
    monitor: Value,
    /// Over which time; `30d` if absent.
    #[serde(default)]
    #[schema(example = "30d")]
    last: Option<String>,
}

/// List monitors.
#[utoipa::path(get, path = "/api/v1/monitors", operation_id = "list_monitors", tag = "Watching",
    responses((status = 200, description = "Those of the configuration and those made here.", body = Monitors)))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>) -> Json<Monitors> {
    let monitors = app.watch.monitors(&caller.project).into_iter().map(MonitorShown::of).collect();
    Json(Monitors { monitors })
}

/// Show a monitor.
#[utoipa::path(get, path = "/api/v1/monitors/{name}", operation_id = "show_monitor", tag = "Watching",
    params(("name" = String, Path, description = "Its name.")),
    responses(
        (status = 200, description = "It.", body = MonitorShown),
        (status = 404, description = "There is none of that name.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn show(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<MonitorShown>, ApiError> {
    let found = app.watch.monitor(&caller.project, &name);
    found.map(|one| Json(MonitorShown::of(one))).ok_or_else(|| EditError::Unknown("monitor", name).into())
}

/// Make or change a monitor.
///
/// The body is the monitor as it would stand in the configuration; `name` may be left out. It is evaluated from the next moment on;
/// what is known of its series stays if its query stays. Monitors of the configuration file are changed there.
#[utoipa::path(put, path = "/api/v1/monitors/{name}", operation_id = "save_monitor", tag = "Watching",
    params(("name" = String, Path, description = "Its name.")),
    request_body(content = Object, example = json!({
        "query": {"measures": [{"fn": "count"}], "group_by": ["model"]}, "window": "5m", "condition": {"baseline": {"side": "upper"}}, "notify": ["ops"]
    })),
    responses(
        (status = 200, description = "It is in force.", body = MonitorShown),
        (status = 409, description = "The configuration has one of that name.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn save(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(mut definition): Json<Value>,
) -> Result<Json<MonitorShown>, ApiError> {
    match definition.as_object_mut() {
        None => return Err(ApiError::invalid("monitor", "expected an object, written {…}")),
        Some(fields) => {
            if fields.entry("name").or_insert_with(|| json!(name)).as_str() != Some(&name) {
                return Err(ApiError::invalid("name", format!("is another name than that of the path (`{name}`)")));
            }
        }
    }
    let saved = app.watch.save_monitor(&caller.project, &definition).await?;
    let after = serde_json::to_value(&saved).unwrap_or_default();
    app.catalog.note(&caller, "monitor", &saved.name, "save", after).await?;
    show(Caller(caller), State(app), Path(name)).await
}

/// Delete a monitor.
///
/// Its incidents end.
#[utoipa::path(delete, path = "/api/v1/monitors/{name}", operation_id = "delete_monitor", tag = "Watching",
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
    app.watch.delete_monitor(&caller.project, &name).await?;
    app.catalog.note(&caller, "monitor", &name, "delete", Value::Null).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Test a monitor.
///
/// Runs it over what was recorded: when it would have fired, and its windows with the band or the limit. Nothing is kept and
/// nobody is told.
#[utoipa::path(post, path = "/api/v1/monitors/test", operation_id = "test_monitor", tag = "Watching",
    request_body = MonitorTest,
    responses((status = 200, description = "What it would have said.", body = Backtest)))]
pub(crate) async fn test(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(wanted): Json<MonitorTest>,
) -> Result<Json<Backtest>, ApiError> {
    let last = wanted.last.as_deref().unwrap_or("30d");
    let lasts = parse_duration(last)
        .ok_or_else(|| ApiError::invalid("last", format!("`{last}` is no duration; expected e.g. `30d` or `6h`")))?;
    let monitor = app.watch.check_monitor(&wanted.monitor).map_err(|error| under_monitor(error.into()))?;
    Ok(Json(app.watch.backtest(&caller.project, &monitor, Length(lasts)).await?))
}

fn under_monitor(error: ApiError) -> ApiError {
    ApiError { field: error.field.map(|field| format!("monitor.{field}")), ..error }
}

impl MonitorShown {
    fn of(view: MonitorView) -> Self {
        Self {
            name: view.config.name.clone(),
            source: view.source,
            phase: view.phase,
            evaluated_at: view.evaluated_at,
            problem: view.problem,
            definition: serde_json::to_value(&*view.config).unwrap_or_default(),
            series: view.series,
        }
    }
}

impl From<EditError> for ApiError {
    fn from(error: EditError) -> Self {
        match &error {
            EditError::Unknown(..) => Self::not_found(error.to_string()),
            EditError::Invalid(problems) => {
                let field = problems.first().map(|problem| problem.field.clone());
                Self { field, ..Self::new(ErrorClass::InvalidRequest, error.to_string()) }
            }
            EditError::Configured(_)
            | EditError::ConfiguredObjective(_)
            | EditError::OfObjective(_)
            | EditError::Resolved(_)
            | EditError::Action(..) => {
                Self::new(ErrorClass::InvalidRequest, error.to_string()).status(StatusCode::CONFLICT)
            }
            EditError::Channel(..) => Self::new(ErrorClass::UpstreamError, error.to_string()),
            EditError::Elsewhere(_) => {
                Self { retry_after_s: Some(15), ..Self::new(ErrorClass::Overloaded, error.to_string()) }
                    .hint("ask that node; if it has stopped, another one takes over within 15 s")
            }
        }
    }
}
