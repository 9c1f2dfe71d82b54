//! Incidents: what deserves a person, who has taken it, what happened.

#[cfg(test)]
pub(crate) mod tests;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use signalbox_watch::{Backtest, Doer, Incident, IncidentStatus};

use crate::auth::Caller;
use crate::envelope::{Json, Params};
use crate::error::ApiError;
use crate::parts::App;

const MOST: usize = 500;
const USUAL: usize = 100;

/// Which incidents.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct IncidentParams {
    /// `open`, `acknowledged`, `resolved`, or `active` for the first two. All if absent.
    #[param(example = "active")]
    status: Option<String>,
    /// Of this monitor only.
    monitor: Option<String>,
    /// So many at most: 1 to 500, by default 100.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, example = 100)]
    limit: Option<usize>,
}

/// Incidents.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Incidents {
    /// The latest first.
    incidents: Vec<Incident>,
}

/// What is said of an incident.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentNote {
    /// Goes into the timeline.
    #[serde(default)]
    #[schema(max_length = 5_000, example = "I look at the provider")]
    note: String,
}

impl IncidentParams {
    fn takes(&self, incident: &Incident) -> Result<bool, ApiError> {
        let status = match self.status.as_deref() {
            None => true,
            Some("active") => incident.is_open(),
            Some("open") => incident.status == IncidentStatus::Open,
            Some("acknowledged") => incident.status == IncidentStatus::Acknowledged,
            Some("resolved") => incident.status == IncidentStatus::Resolved,
            Some(other) => {
                let problem = format!("`{other}` is none; expected active, open, acknowledged or resolved");
                return Err(ApiError::invalid("status", problem));
            }
        };
        Ok(status && self.monitor.as_ref().is_none_or(|monitor| *monitor == incident.monitor))
    }
}

/// List incidents.
#[utoipa::path(get, path = "/api/v1/incidents", operation_id = "list_incidents", tag = "Watching", params(IncidentParams),
    responses((status = 200, description = "The latest first.", body = Incidents)))]
pub(crate) async fn list(
    Caller(caller): Caller,
    State(app): State<App>,
    Params(params): Params<IncidentParams>,
) -> Result<Json<Incidents>, ApiError> {
    let limit = params.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::invalid("limit", format!("{limit} is out of range; expected 1 to {MOST}")));
    }
    let all = app.watch.incidents(&caller.project, |_| true, usize::MAX);
    let mut incidents = Vec::new();
    for incident in all {
        if params.takes(&incident)? && incidents.len() < limit {
            incidents.push(incident);
        }
    }
    Ok(Json(Incidents { incidents }))
}

/// Show an incident.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", operation_id = "show_incident", tag = "Watching",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "With its series and timeline.", body = Incident),
        (status = 404, description = "There is none of that id.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn show(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Incident>, ApiError> {
    Ok(Json(app.watch.incident(&caller.project, &id)?))
}

/// Show the values around an incident.
///
/// Its series from before it began until after it was over, or until now: the value of each window, with the band or the limit. By its
/// monitor as it is now, run over what was recorded.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/history", operation_id = "show_incident_history", tag = "Watching",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "Its series.", body = Backtest),
        (status = 404, description = "There is none of that id, or no monitor here has found it.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn history(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Backtest>, ApiError> {
    Ok(Json(app.watch.around(&caller.project, &id).await??))
}

/// Look into an incident.
///
/// Looks anew what is beside it: what was changed before, in what the bad rows differ from those before, examples. It was done
/// when it began; since then there may be more to see.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/look", operation_id = "look_into_incident", tag = "Watching",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "With what was found as `context`.", body = Incident),
        (status = 404, description = "There is none of that id.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn look(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Incident>, ApiError> {
    Ok(Json(app.watch.look_into(&caller.project, &id).await?))
}

/// Do one of an incident's actions.
///
/// What its monitor offers as `actions`, by its place in the incident's list: a webhook is called, a virtual key revoked. It goes into
/// the timeline and the history.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/actions/{number}", operation_id = "run_incident_action", tag = "Watching",
    params(("id" = String, Path, description = "Its id."), ("number" = usize, Path, description = "Which action, from 0.")),
    responses(
        (status = 200, description = "It is done, or its webhook is being called.", body = Incident),
        (status = 409, description = "The incident is over, or it can't be done.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn act(
    Caller(caller): Caller,
    State(app): State<App>,
    Path((id, number)): Path<(String, usize)>,
) -> Result<Json<Incident>, ApiError> {
    let by = Doer { name: caller.key_name.clone(), key: caller.key_id.clone() };
    let incident = app.watch.act(&caller.project, &id, number, &by).await?;
    let name = incident.actions.get(number).map(|action| action.name.clone());
    app.catalog.note(&caller, "incident", &id, "action", json!({"action": name})).await?;
    Ok(Json(incident))
}

/// Acknowledge an incident.
///
/// You have taken it: nobody else is told until it is over. Twice is no fault.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/acknowledge", operation_id = "acknowledge_incident", tag = "Watching",
    params(("id" = String, Path, description = "Its id.")), request_body = IncidentNote,
    responses(
        (status = 200, description = "It is yours.", body = Incident),
        (status = 409, description = "It is resolved already.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn acknowledge(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    Json(said): Json<IncidentNote>,
) -> Result<Json<Incident>, ApiError> {
    Ok(Json(app.watch.acknowledge(&caller.project, &id, &caller.key_name, &said.note).await?))
}

/// Resolve an incident.
///
/// All who were told of it are told. What still fires makes another incident only when it has been well in between, or is worse.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/resolve", operation_id = "resolve_incident", tag = "Watching",
    params(("id" = String, Path, description = "Its id.")), request_body = IncidentNote,
    responses(
        (status = 200, description = "It is over.", body = Incident),
        (status = 409, description = "It is resolved already.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn resolve(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    Json(said): Json<IncidentNote>,
) -> Result<Json<Incident>, ApiError> {
    Ok(Json(app.watch.resolve(&caller.project, &id, &caller.key_name, &said.note).await?))
}

/// Note something in an incident's timeline.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/notes", operation_id = "note_incident", tag = "Watching",
    params(("id" = String, Path, description = "Its id.")), request_body = IncidentNote,
    responses((status = 200, description = "It is written down.", body = Incident)))]
pub(crate) async fn note(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    Json(said): Json<IncidentNote>,
) -> Result<Json<Incident>, ApiError> {
    Ok(Json(app.watch.note(&caller.project, &id, &caller.key_name, &said.note).await?))
}

/// Export an incident for a post-mortem.
///
/// Markdown: the facts, the timeline, and headings for what people have to add.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/post_mortem", operation_id = "export_post_mortem", tag = "Watching",
    params(("id" = String, Path, description = "Its id.")),
    responses((status = 200, description = "Markdown.", content_type = "text/markdown", body = String)))]
pub(crate) async fn post_mortem(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let text = app.watch.incident(&caller.project, &id)?.post_mortem();
    Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response())
}
