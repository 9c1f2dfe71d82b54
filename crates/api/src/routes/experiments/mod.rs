//! Experiments: runs under one name, and the one that others are compared with.

#[cfg(test)]
mod tests;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use signalbox_catalog::{CatalogError, Experiment, Run, RunsOf};
use signalbox_types::ProjectId;

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

const MOST_EXPERIMENTS: u32 = 500;
const MOST_RUNS: u32 = 200;

/// Every experiment of the project.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Experiments {
    /// Those with the latest runs first, at most 500.
    experiments: Vec<ExperimentSummary>,
}

/// An experiment, with the runs that tell how it stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ExperimentSummary {
    /// What it is.
    #[serde(flatten)]
    experiment: Experiment,
    /// Its latest run.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_run: Option<Run>,
    /// The run to compare the latest one with: the baseline, or else the one before that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    compared_with: Option<Run>,
}

/// An experiment with its runs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ExperimentDetail {
    /// What it is.
    #[serde(flatten)]
    experiment: Experiment,
    /// Its latest 200 runs, the latest first; `GET /api/v1/runs` has all.
    latest_runs: Vec<Run>,
}

/// Which run others are compared with.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PinBaseline {
    /// The id of a run of the experiment.
    run: String,
}

fn unknown(name: &str) -> ApiError {
    CatalogError::UnknownExperiment(name.to_owned()).into()
}

/// List the experiments.
#[utoipa::path(get, path = "/api/v1/experiments", operation_id = "list_experiments", tag = "Experiments",
    responses((status = 200, description = "Every experiment of this project.", body = Experiments)))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>) -> Result<Json<Experiments>, ApiError> {
    let mut experiments = Vec::new();
    for experiment in app.catalog.experiments(&caller.project, MOST_EXPERIMENTS).await? {
        experiments.push(summed_up(&app, &caller.project, experiment).await?);
    }
    Ok(Json(Experiments { experiments }))
}

async fn summed_up(app: &App, project: &ProjectId, experiment: Experiment) -> Result<ExperimentSummary, ApiError> {
    let mut latest = app.catalog.runs(project, RunsOf::experiment(&*experiment.name), 0, 10).await?.into_iter();
    let last_run = latest.next();
    let id = last_run.as_ref().map(|run| run.id.as_str());
    let compared_with = match experiment.baseline.as_deref().filter(|baseline| Some(*baseline) != id) {
        Some(baseline) => app.catalog.run(project, baseline).await?,
        None => latest.find(|run| run.summary.is_some()),
    };
    Ok(ExperimentSummary { experiment, last_run, compared_with })
}

/// Show an experiment with its runs.
#[utoipa::path(get, path = "/api/v1/experiments/{name}", operation_id = "show_experiment", tag = "Experiments",
    params(("name" = String, Path, description = "The experiment's name.")), responses(
    (status = 200, description = "The experiment and its latest runs.", body = ExperimentDetail),
    (status = 404, description = "This project has none of this name.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn show(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<ExperimentDetail>, ApiError> {
    let found = app.catalog.experiment(&caller.project, &name).await?;
    let experiment = found.ok_or_else(|| unknown(&name))?;
    let latest_runs = app.catalog.runs(&caller.project, RunsOf::experiment(&*name), 0, MOST_RUNS).await?;
    Ok(Json(ExperimentDetail { experiment, latest_runs }))
}

/// Delete an experiment with all its runs.
#[utoipa::path(delete, path = "/api/v1/experiments/{name}", operation_id = "delete_experiment", tag = "Experiments",
    params(("name" = String, Path, description = "The experiment's name.")), responses(
    (status = 204, description = "Deleted."),
    (status = 404, description = "This project has none of this name.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn delete(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    match app.catalog.delete_experiment(&caller, &name).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown(&name)),
    }
}

/// Pin the baseline of an experiment.
///
/// The run that lists and comparisons measure the others by, until another one is pinned.
#[utoipa::path(put, path = "/api/v1/experiments/{name}/baseline", operation_id = "pin_baseline", tag = "Experiments",
    params(("name" = String, Path, description = "The experiment's name.")), request_body = PinBaseline, responses(
    (status = 200, description = "The experiment as it is now.", body = Experiment),
    (status = 404, description = "This project has no such experiment, or it has no such run.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn pin(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(pin): Json<PinBaseline>,
) -> Result<Json<Experiment>, ApiError> {
    Ok(Json(app.catalog.set_baseline(&caller, &name, Some(pin.run)).await?))
}

/// Unpin the baseline of an experiment.
#[utoipa::path(delete, path = "/api/v1/experiments/{name}/baseline", operation_id = "unpin_baseline", tag = "Experiments",
    params(("name" = String, Path, description = "The experiment's name.")), responses(
    (status = 200, description = "The experiment as it is now.", body = Experiment),
    (status = 404, description = "This project has none of this name.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn unpin(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<Experiment>, ApiError> {
    Ok(Json(app.catalog.set_baseline(&caller, &name, None).await?))
}
