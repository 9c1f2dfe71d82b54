//! What a rule would do, and what its scores say.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use signalbox_evals::online::{Preview, Rule, ScorerSummary, bucket_for, preview as look, summary as sum_up};
use signalbox_types::time::TimeBound;
use signalbox_types::{TimeRange, Timestamp};

use crate::auth::Caller;
use crate::envelope::{Json, Params};
use crate::error::ApiError;
use crate::parts::App;

/// Which stretch of time.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SummaryParams {
    /// The first moment; `now-24h` if absent.
    from: Option<String>,
    /// The first moment after it; `now` if absent.
    to: Option<String>,
    /// Width of the series' buckets; one that suits the range if absent.
    bucket: Option<String>,
}

/// What the scores of a rule say of all traffic that its filter means.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OnlineSummary {
    /// The first moment.
    from: Timestamp,
    /// The first moment after it.
    to: Timestamp,
    /// Width of the series' buckets.
    bucket: String,
    /// By name.
    scorers: Vec<ScorerSummary>,
}

/// Try an online rule.
///
/// How many spans of the last 24 hours it would take, and what its scorers would see and say of the newest three. Nothing is
/// saved, and no judge is asked.
#[utoipa::path(post, path = "/api/v1/online-rules/preview", operation_id = "preview_online_rule", tag = "Evaluation",
    request_body = Rule, responses((status = 200, description = "What it would do.", body = Preview)))]
pub(crate) async fn preview(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(rule): Json<Rule>,
) -> Result<Json<Preview>, ApiError> {
    let scorers = app.online.check(&caller.project, &rule).map_err(|problem| ApiError::rule(problem, ""))?;
    Ok(Json(look(&*app.store, &caller.project, &rule, scorers, app.clock.now()).await?))
}

/// Sum up an online rule's scores.
///
/// Means and rates of all traffic that the filter means, not of the sample only: each score weighs 1 / sample rate. With 95 %
/// confidence intervals, in which spans of one trace count as alike.
#[utoipa::path(get, path = "/api/v1/online-rules/{name}/summary", operation_id = "summarise_online_rule", tag = "Evaluation",
    params(("name" = String, Path, description = "The rule's name."), SummaryParams),
    responses((status = 200, description = "What its scores say; also of a rule that was deleted.", body = OnlineSummary)))]
pub(crate) async fn summary(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Params(params): Params<SummaryParams>,
) -> Result<Json<OnlineSummary>, ApiError> {
    let bound = |field: &str, text: Option<String>, usual: &str| {
        let text = text.unwrap_or_else(|| usual.to_owned());
        text.parse::<TimeBound>().map_err(|error| ApiError::invalid(field, error))
    };
    let time = TimeRange { from: bound("from", params.from, "now-24h")?, to: bound("to", params.to, "now")? };
    let (from, to) = time.resolve(app.clock.now());
    let bucket = params.bucket.unwrap_or_else(|| bucket_for(from, to).to_owned());
    let scorers = sum_up(&*app.store, &caller.project, &name, time, &bucket).await?;
    Ok(Json(OnlineSummary { from, to, bucket, scorers }))
}
