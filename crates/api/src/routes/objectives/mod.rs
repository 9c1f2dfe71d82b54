//! Objectives: what most calls, answers or scores have to be, and how much of the error budget is left.

#[cfg(test)]
mod tests;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use signalbox_watch::{EditError, Firing, ObjectiveView, Phase, Source, Standing};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// An objective, and how much of its budget is left.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ObjectiveShown {
    /// Its name.
    name: String,
    /// Where it stands: `config` or `api`.
    source: Source,
    /// The monitor that tells people when the budget is spent too fast.
    #[schema(example = "objective.answers")]
    monitor: String,
    /// How that one is.
    phase: Phase,
    /// What it is, as it stands in the configuration or was sent.
    #[schema(value_type = Object)]
    definition: Value,
    /// How much of the budget is left, as of the last minute; absent while it can't be counted. The list leaves `burn_down` empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<Standing>,
    /// Why it can't be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Objectives.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Objectives {
    /// By name.
    objectives: Vec<ObjectiveShown>,
}

/// An objective to try.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectiveTest {
    /// The objective, as it would stand in the configuration. It need not exist.
    #[schema(value_type = Object, example = json!({
        "name": "answers", "good": {"latency": {"under": "2s"}}, "objective": 0.95, "period": "30d"
    }))]
    objective: Value,
}

/// What an objective would have been.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ObjectiveTested {
    /// How much of its budget would be left.
    standing: Standing,
    /// When its monitor would have told somebody, over the period or its last 30 days.
    firings: Vec<Firing>,
}

/// List objectives.
#[utoipa::path(get, path = "/api/v1/objectives", operation_id = "list_objectives", tag = "Watching",
    responses((status = 200, description = "Those of the configuration and those made here, without their burn-downs.", body = Objectives)))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>) -> Json<Objectives> {
    let mut objectives: Vec<ObjectiveShown> =
        app.watch.objectives(&caller.project).await.into_iter().map(ObjectiveShown::of).collect();
    for standing in objectives.iter_mut().filter_map(|one| one.standing.as_mut()) {
        standing.burn_down.clear();
    }
    Json(Objectives { objectives })
}

/// Show an objective.
#[utoipa::path(get, path = "/api/v1/objectives/{name}", operation_id = "show_objective", tag = "Watching",
    params(("name" = String, Path, description = "Its name.")),
    responses(
        (status = 200, description = "It, with its burn-down.", body = ObjectiveShown),
        (status = 404, description = "There is none of that name.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn show(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<ObjectiveShown>, ApiError> {
    let found = app.watch.objective(&caller.project, &name).await;
    found.map(|one| Json(ObjectiveShown::of(one))).ok_or_else(|| EditError::Unknown("objective", name).into())
}

/// Make or change an objective.
///
/// The body is the objective as it would stand in the configuration; `name` may be left out. Its monitor (`objective.NAME`) is evaluated
/// from the next moment on. Objectives of the configuration file are changed there.
#[utoipa::path(put, path = "/api/v1/objectives/{name}", operation_id = "save_objective", tag = "Watching",
    params(("name" = String, Path, description = "Its name.")),
    request_body(content = Object, example = json!({
        "good": {"score": {"name": "groundedness", "at_least": 0.7}}, "objective": 0.95, "period": "30d", "freeze_below": 0.1, "notify": ["ops"]
    })),
    responses(
        (status = 200, description = "It is in force.", body = ObjectiveShown),
        (status = 409, description = "The configuration has one of that name.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn save(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(mut definition): Json<Value>,
) -> Result<Json<ObjectiveShown>, ApiError> {
    match definition.as_object_mut() {
        None => return Err(ApiError::invalid("objective", "expected an object, written {…}")),
        Some(fields) => {
            if fields.entry("name").or_insert_with(|| json!(name)).as_str() != Some(&name) {
                return Err(ApiError::invalid("name", format!("is another name than that of the path (`{name}`)")));
            }
        }
    }
    let saved = app.watch.save_objective(&caller.project, &definition).await?;
    let after = serde_json::to_value(&saved).unwrap_or_default();
    app.catalog.note(&caller, "objective", &saved.name, "save", after).await?;
    show(Caller(caller), State(app), Path(name)).await
}

/// Delete an objective.
///
/// The incidents of its monitor end.
#[utoipa::path(delete, path = "/api/v1/objectives/{name}", operation_id = "delete_objective", tag = "Watching",
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
    app.watch.delete_objective(&caller.project, &name).await?;
    app.catalog.note(&caller, "objective", &name, "delete", Value::Null).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Test an objective.
///
/// Counts what was recorded: what would be left of the budget now, and when somebody would have been told. Nothing is kept and nobody is
/// told.
#[utoipa::path(post, path = "/api/v1/objectives/test", operation_id = "test_objective", tag = "Watching",
    request_body = ObjectiveTest,
    responses((status = 200, description = "What it would have been.", body = ObjectiveTested)))]
pub(crate) async fn test(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(wanted): Json<ObjectiveTest>,
) -> Result<Json<ObjectiveTested>, ApiError> {
    let checked = app.watch.check_objective(&wanted.objective);
    let objective = checked.map_err(|error| under_objective(error.into()))?;
    let tried = app.watch.try_objective(&caller.project, &objective).await?;
    let firings = tried.backtest.series.into_iter().flat_map(|series| series.firings).collect();
    Ok(Json(ObjectiveTested { standing: tried.standing, firings }))
}

fn under_objective(error: ApiError) -> ApiError {
    ApiError { field: error.field.map(|field| format!("objective.{field}")), ..error }
}

impl ObjectiveShown {
    fn of(view: ObjectiveView) -> Self {
        Self {
            name: view.config.name.clone(),
            source: view.source,
            monitor: view.config.monitor_name(),
            phase: view.phase,
            definition: serde_json::to_value(&*view.config).unwrap_or_default(),
            standing: view.standing.map(|standing| (*standing).clone()),
            problem: view.problem,
        }
    }
}
