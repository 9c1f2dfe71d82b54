//! Runs of experiments: started, filled item by item, ended, read and compared.

mod across;
pub(crate) mod compare;
pub(crate) mod items;
#[cfg(test)]
mod tests;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signalbox_catalog::{CatalogError, MAIN, Run, RunAbout, RunMetric, RunStatus, RunsOf};
use signalbox_types::{ProjectId, Timestamp};

use crate::auth::Caller;
use crate::envelope::{Json, Params};
use crate::error::ApiError;
use crate::parts::App;

const MOST_RUNS: u32 = 200;

/// A run that begins.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "experiment": "answers", "name": "prompt v7", "dataset": "gold@12", "target": "route chat",
    "metrics": [{"name": "faithfulness", "direction": "higher", "threshold": 0.5}], "commit": "4e81f22"
}))]
pub(crate) struct StartRun {
    /// The experiment that it belongs to; it is made if there is none of this name.
    experiment: String,
    /// An id of the sender's, 8 to 64 letters, digits, `-` or `_`: sent again, it makes no second run.
    #[serde(default)]
    id: Option<String>,
    /// What people call it; the target, if nothing is said.
    #[serde(default)]
    name: Option<String>,
    /// What was asked, as `name@version`, where the version may be a branch or a tag: what it means now is kept in `dataset_version`.
    /// Absent if the items came from a file.
    #[serde(default)]
    dataset: Option<String>,
    /// What answered: a prompt version, a model, a route, an endpoint, a command.
    #[serde(default)]
    target: String,
    /// What it is measured by.
    #[serde(default)]
    metrics: Vec<RunMetric>,
    /// Whatever else was set.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Value>)]
    config: Map<String, Value>,
    /// Words to find it by.
    #[serde(default)]
    tags: Vec<String>,
    /// The commit of git that it ran on.
    #[serde(default)]
    commit: Option<String>,
    /// Who or what started it.
    #[serde(default)]
    author: Option<String>,
    /// When it began; now, if nothing is said.
    #[serde(default)]
    started_at: Option<Timestamp>,
}

/// How a run ends.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FinishRun {
    /// `finished`, `failed` or `cancelled`.
    #[serde(default = "finished")]
    status: RunStatus,
    /// Why it failed.
    #[serde(default)]
    problem: Option<String>,
}

fn finished() -> RunStatus {
    RunStatus::Finished
}

/// Which runs are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunsAsk {
    /// Those of this experiment only.
    experiment: Option<String>,
    /// Those that asked the items of this dataset only.
    dataset: Option<String>,
    /// Those that asked the items of this version of the dataset only: a version, a branch or a tag.
    version: Option<String>,
    /// How many at most, up to 200.
    limit: Option<u32>,
    /// How many of the latest are left out.
    offset: Option<u64>,
}

/// Runs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Runs {
    /// The latest first.
    runs: Vec<Run>,
}

fn unknown(id: &str) -> ApiError {
    CatalogError::UnknownRun(id.to_owned()).into()
}

/// Start a run.
///
/// Then its results are sent to `POST /api/v1/runs/{id}/items`, in batches and in any order, and `POST /api/v1/runs/{id}/finish` sums it up.
/// `signalbox eval run --push` and `signalbox eval push` do that.
#[utoipa::path(post, path = "/api/v1/runs", operation_id = "start_run", tag = "Experiments", request_body = StartRun, responses(
    (status = 201, description = "It began.", body = Run),
    (status = 200, description = "A run of this id is there already; this is how it stands.", body = Run),
))]
pub(crate) async fn start(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(ask): Json<StartRun>,
) -> Result<(StatusCode, Json<Run>), ApiError> {
    let StartRun { experiment, id, name, dataset, target, metrics, config, tags, commit, author, started_at } = ask;
    let name = name.unwrap_or_else(|| if target.is_empty() { "run".to_owned() } else { target.clone() });
    let dataset_version = match &dataset {
        Some(dataset) => meant(&app, &caller.project, dataset).await?,
        None => None,
    };
    let about = RunAbout { name, dataset, dataset_version, target, metrics, config, tags, commit, author };
    let (run, is_new) = app.catalog.start_run(&caller, &experiment, id, started_at, about).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(run)))
}

/// The version of a dataset that `name@reference` means now; none if the items are of somewhere else.
async fn meant(app: &App, project: &ProjectId, dataset: &str) -> Result<Option<String>, ApiError> {
    let (name, reference) = dataset.trim().split_once('@').unwrap_or_else(|| (dataset.trim(), MAIN));
    match app.catalog.dataset_version(project, name, reference).await {
        Ok(version) => Ok(Some(version.id)),
        Err(CatalogError::Unknown { .. } | CatalogError::Invalid { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// List runs.
#[utoipa::path(get, path = "/api/v1/runs", operation_id = "list_runs", tag = "Experiments", params(RunsAsk),
    responses((status = 200, description = "The latest first.", body = Runs)))]
pub(crate) async fn list(
    Caller(caller): Caller,
    State(app): State<App>,
    Params(ask): Params<RunsAsk>,
) -> Result<Json<Runs>, ApiError> {
    let limit = within("limit", ask.limit.unwrap_or(50), MOST_RUNS)?;
    let dataset_version = match (&ask.dataset, &ask.version) {
        (Some(dataset), Some(version)) => {
            Some(app.catalog.dataset_version(&caller.project, dataset, version).await?.id)
        }
        (None, Some(_)) => return Err(ApiError::invalid("version", "expected a `dataset` beside it, found none")),
        (_, None) => None,
    };
    let of = RunsOf { experiment: ask.experiment, dataset: ask.dataset, dataset_version };
    let runs = app.catalog.runs(&caller.project, of, ask.offset.unwrap_or(0), limit).await?;
    Ok(Json(Runs { runs }))
}

fn within(field: &str, found: u32, most: u32) -> Result<u32, ApiError> {
    match found {
        1.. if found <= most => Ok(found),
        _ => Err(ApiError::invalid(field, format_args!("expected 1 to {most}, found {found}"))),
    }
}

/// Show a run.
#[utoipa::path(get, path = "/api/v1/runs/{id}", operation_id = "show_run", tag = "Experiments",
    params(("id" = String, Path, description = "The run's id.")), responses(
    (status = 200, description = "The run, with what came out if it has ended.", body = Run),
    (status = 404, description = "This project has none of this id.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn show(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Run>, ApiError> {
    app.catalog.run(&caller.project, &id).await?.map(Json).ok_or_else(|| unknown(&id))
}

/// Delete a run with all its items.
#[utoipa::path(delete, path = "/api/v1/runs/{id}", operation_id = "delete_run", tag = "Experiments",
    params(("id" = String, Path, description = "The run's id.")), responses(
    (status = 204, description = "Deleted."),
    (status = 404, description = "This project has none of this id.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn delete(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    match app.catalog.delete_run(&caller, &id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown(&id)),
    }
}

/// End a run.
///
/// What came out is summed up, and nothing can be added any more. Ending it twice changes nothing.
#[utoipa::path(post, path = "/api/v1/runs/{id}/finish", operation_id = "finish_run", tag = "Experiments", request_body = FinishRun,
    params(("id" = String, Path, description = "The run's id.")), responses(
    (status = 200, description = "The run, with what came out.", body = Run),
    (status = 404, description = "This project has none of this id.", body = crate::envelope::ErrorAnswer),
    (status = 409, description = "It has ended otherwise.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn finish(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    Json(ask): Json<FinishRun>,
) -> Result<Json<Run>, ApiError> {
    if ask.status == RunStatus::Running {
        return Err(ApiError::invalid("status", "expected `finished`, `failed` or `cancelled`, found `running`"));
    }
    Ok(Json(app.catalog.finish_run(&caller, &id, ask.status, ask.problem).await?))
}
