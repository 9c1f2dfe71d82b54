//! The items of a run: added in batches, read by the page.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use signalbox_catalog::{ItemOrder, ItemsAsk, RunItem};

use super::{unknown, within};
use crate::auth::Caller;
use crate::envelope::{Json, Params};
use crate::error::ApiError;
use crate::parts::App;

/// More in one transaction would hold others up.
const MOST_ADDED: usize = 2_000;
pub(super) const MOST_LISTED: u32 = 200;

/// Results of items.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"items": [{
    "item_id": "q-17", "input": "Where is my parcel?", "output": "In Linz.", "latency_ms": 812.5, "cost": 0.00021,
    "segments": {"language": "en"}, "scores": {"faithfulness": {"value": 0.93, "passed": true, "reason": "all of it stands there"}}
}]}))]
pub(crate) struct AddItems {
    /// Up to 2,000. An item that is there already is replaced.
    items: Vec<RunItem>,
}

/// What became of results that were sent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AddedItems {
    /// How many are new.
    added: u64,
    /// How many were there and are replaced.
    replaced: u64,
}

/// Which items of a run are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunItemsAsk {
    /// `id`, `latency`, `cost`, `tokens`, or a metric as `score:<name>`; what is unknown comes last.
    sort: Option<String>,
    /// `asc` or `desc`.
    order: Option<String>,
    /// Only those with an error or a score that doesn't pass.
    failed: Option<bool>,
    /// How many at most, up to 200.
    limit: Option<u32>,
    /// How many are left out at the beginning.
    offset: Option<u64>,
}

/// Items of a run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RunItems {
    /// The page.
    items: Vec<RunItem>,
    /// How many there are on all pages.
    total: u64,
}

/// Add results to a run.
///
/// All of them or none; an item of the same id is replaced, so that what may not have arrived can be sent again.
#[utoipa::path(post, path = "/api/v1/runs/{id}/items", operation_id = "add_run_items", tag = "Experiments", request_body = AddItems,
    params(("id" = String, Path, description = "The run's id.")), responses(
    (status = 200, description = "They are kept.", body = AddedItems),
    (status = 404, description = "This project has none of this id.", body = crate::envelope::ErrorAnswer),
    (status = 409, description = "The run has ended.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn add(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    Json(ask): Json<AddItems>,
) -> Result<Json<AddedItems>, ApiError> {
    let all = ask.items.len();
    if all == 0 || all > MOST_ADDED {
        return Err(ApiError::invalid("items", format_args!("expected 1 to {MOST_ADDED}, found {all}")));
    }
    let added = app.catalog.add_run_items(&caller, &id, ask.items).await?;
    Ok(Json(AddedItems { added, replaced: all as u64 - added }))
}

/// List items of a run.
#[utoipa::path(get, path = "/api/v1/runs/{id}/items", operation_id = "list_run_items", tag = "Experiments",
    params(("id" = String, Path, description = "The run's id."), RunItemsAsk), responses(
    (status = 200, description = "A page of them.", body = RunItems),
    (status = 404, description = "This project has none of this id.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn list(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    Params(ask): Params<RunItemsAsk>,
) -> Result<Json<RunItems>, ApiError> {
    let ask = ItemsAsk {
        order: order(ask.sort.as_deref().unwrap_or("id"))?,
        descending: match ask.order.as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => {
                return Err(ApiError::invalid("order", format_args!("expected `asc` or `desc`, found `{other}`")));
            }
        },
        failed: ask.failed.unwrap_or(false),
        offset: ask.offset.unwrap_or(0),
        limit: within("limit", ask.limit.unwrap_or(50), MOST_LISTED)?,
    };
    let found = app.catalog.run_items(&caller.project, &id, ask).await?;
    let (items, total) = found.ok_or_else(|| unknown(&id))?;
    Ok(Json(RunItems { items, total }))
}

fn order(word: &str) -> Result<ItemOrder, ApiError> {
    match word {
        "id" => Ok(ItemOrder::Id),
        "latency" => Ok(ItemOrder::Latency),
        "cost" => Ok(ItemOrder::Cost),
        "tokens" => Ok(ItemOrder::Tokens),
        _ => match word.strip_prefix("score:") {
            Some(metric) if !metric.is_empty() => Ok(ItemOrder::Score(metric.to_owned())),
            _ => {
                let problem =
                    format_args!("expected id, latency, cost, tokens or score:<metric>, found `{word}`").to_string();
                Err(ApiError::invalid("sort", problem))
            }
        },
    }
}
