//! Online rules: which spans of the traffic are scored, and by what.

pub(super) mod look;
#[cfg(test)]
mod tests;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use signalbox_catalog::OnlineRule;
use signalbox_evals::online::{Backfill, BackfillError, Counts, Rule, RuleProblem, RuleState};
use signalbox_types::{KeyId, ProjectId, TimeRange, Timestamp};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

const MOST_CHANGES: u32 = 200;

/// The online rules of a project.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OnlineRules {
    /// By name.
    rules: Vec<KeptOnlineRule>,
}

/// A rule as it is kept, and how it is doing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct KeptOnlineRule {
    /// What it says.
    rule: Rule,
    /// From 1; each change makes the next.
    version: u32,
    /// When this version was made.
    made_at: Timestamp,
    /// The key that made it.
    made_by: KeyId,
    /// How it is doing.
    state: OnlineState,
}

/// How a rule is doing.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct OnlineState {
    /// Scores of today (UTC).
    scored_today: u64,
    /// US dollars that judges took today.
    spent_today_usd: f64,
    /// Spans that wait for their scores.
    waiting: u64,
    /// How long ago the oldest span started that waits, in seconds.
    lag_s: f64,
    /// Spans were dropped or Signalbox was restarted, and the store is being looked through for what lacks scores.
    catching_up: bool,
    /// Since Signalbox was started.
    since_start: Counts,
    /// The last run over history.
    #[serde(skip_serializing_if = "Option::is_none")]
    backfill: Option<Backfill>,
    /// The last failure since Signalbox was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<OnlineFailure>,
    /// Why it scores nothing, though it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// A failure.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OnlineFailure {
    /// When.
    time: Timestamp,
    /// What went wrong.
    message: String,
}

/// A rule as it shall be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeOnlineRule {
    /// The version that was changed: if another one is in force by now, this is refused.
    base: u32,
    /// All of it, not only what changed. Its name stays.
    rule: Rule,
}

/// The changes of a rule.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OnlineRuleChanges {
    /// The latest first, at most 200.
    changes: Vec<OnlineRuleChange>,
}

/// A change of a rule.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OnlineRuleChange {
    /// When.
    time: Timestamp,
    /// The key that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    made_by: Option<KeyId>,
    /// `create`, `change` or `delete`.
    action: String,
    /// How it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    before: Option<serde_json::Value>,
    /// How it is since.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    after: Option<serde_json::Value>,
}

impl OnlineState {
    fn of(state: RuleState) -> Self {
        let RuleState { shown, problem } = state;
        Self {
            scored_today: shown.scored_today,
            spent_today_usd: shown.spent_today.as_dollars(),
            waiting: shown.waiting,
            lag_s: shown.lag.as_secs_f64(),
            catching_up: shown.catching_up,
            since_start: shown.counts,
            backfill: shown.backfill,
            last_error: shown.last_error.map(|(time, message)| OnlineFailure { time, message }),
            problem,
        }
    }
}

impl KeptOnlineRule {
    fn of(app: &App, project: &ProjectId, kept: OnlineRule) -> Option<Self> {
        let OnlineRule { name, version, made_at, made_by, definition, .. } = kept;
        // One that can't be read was told in the log.
        let rule = serde_json::from_value(definition).ok()?;
        let state = app.online.state(project, &name).map(OnlineState::of).unwrap_or_default();
        Some(Self { rule, version, made_at, made_by, state })
    }
}

impl ApiError {
    pub(super) fn rule(problem: RuleProblem, prefix: &str) -> Self {
        Self::invalid(format!("{prefix}{}", problem.field), problem.problem)
    }
}

impl From<BackfillError> for ApiError {
    fn from(error: BackfillError) -> Self {
        match error {
            BackfillError::Unknown => no_rule(),
            BackfillError::Range => Self::invalid("from", error),
            BackfillError::Off | BackfillError::Running => {
                Self::new(signalbox_types::ErrorClass::InvalidRequest, error.to_string()).status(StatusCode::CONFLICT)
            }
        }
    }
}

pub(super) fn no_rule() -> ApiError {
    ApiError::not_found("there is no such online rule").hint("`GET /api/v1/online-rules` lists them")
}

/// List the online rules.
///
/// Which spans of the traffic are scored, by what, and how that is going.
#[utoipa::path(get, path = "/api/v1/online-rules", operation_id = "list_online_rules", tag = "Evaluation",
    responses((status = 200, description = "The rules of this project.", body = OnlineRules)))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>) -> Result<Json<OnlineRules>, ApiError> {
    let kept = app.catalog.online_rules(&caller.project).await?;
    let rules = kept.into_iter().filter_map(|one| KeptOnlineRule::of(&app, &caller.project, one));
    Ok(Json(OnlineRules { rules: rules.collect() }))
}

/// Show an online rule.
#[utoipa::path(get, path = "/api/v1/online-rules/{name}", operation_id = "show_online_rule", tag = "Evaluation",
    params(("name" = String, Path, description = "The rule's name.")), responses(
    (status = 200, description = "The rule.", body = KeptOnlineRule),
    (status = 404, description = "There is no such rule in this project.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn show(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<KeptOnlineRule>, ApiError> {
    let kept = app.catalog.online_rules(&caller.project).await?.into_iter().find(|one| one.name == name);
    let kept = kept.and_then(|one| KeptOnlineRule::of(&app, &caller.project, one));
    kept.map(Json).ok_or_else(no_rule)
}

/// Make an online rule.
///
/// If it is on, spans that arrive from now on are scored.
#[utoipa::path(post, path = "/api/v1/online-rules", operation_id = "create_online_rule", tag = "Evaluation",
    request_body = Rule, responses(
    (status = 201, description = "The rule.", body = KeptOnlineRule),
    (status = 409, description = "There is a rule of this name.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn create(
    caller: Caller,
    State(app): State<App>,
    Json(rule): Json<Rule>,
) -> Result<(StatusCode, Json<KeptOnlineRule>), ApiError> {
    app.online.check(&caller.0.project, &rule).map_err(|problem| ApiError::rule(problem, ""))?;
    save(&app, &caller, 0, rule).await.map(|made| (StatusCode::CREATED, Json(made)))
}

/// Change an online rule.
///
/// The new version is in force from the moment this is answered. Spans that have scores of an earlier version keep those.
#[utoipa::path(put, path = "/api/v1/online-rules/{name}", operation_id = "change_online_rule", tag = "Evaluation",
    params(("name" = String, Path, description = "The rule's name.")), request_body = ChangeOnlineRule, responses(
    (status = 200, description = "The new version.", body = KeptOnlineRule),
    (status = 409, description = "Another version is in force by now.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn change(
    caller: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(wanted): Json<ChangeOnlineRule>,
) -> Result<Json<KeptOnlineRule>, ApiError> {
    let ChangeOnlineRule { base, rule } = wanted;
    if rule.name != name {
        let problem = format!("a rule keeps its name, which scores carry; expected `{name}`, found `{}`", rule.name);
        return Err(ApiError::invalid("rule.name", problem));
    }
    if base == 0 {
        return Err(ApiError::invalid(
            "base",
            "expected the version that was changed, 1 or more; a new rule is made by POST",
        ));
    }
    app.online.check(&caller.0.project, &rule).map_err(|problem| ApiError::rule(problem, "rule."))?;
    save(&app, &caller, base, rule).await.map(Json)
}

async fn save(app: &App, caller: &Caller, base: u32, rule: Rule) -> Result<KeptOnlineRule, ApiError> {
    // Progress of the version before goes along with it.
    let typed = serde_json::to_value(&rule).map_err(|error| ApiError::internal(&error))?;
    let kept = app.catalog.save_online_rule(&caller.0, &rule.name, base, typed).await?;
    app.online.reload().await.map_err(|error| ApiError::internal(&error))?;
    KeptOnlineRule::of(app, &caller.0.project, kept).ok_or_else(no_rule)
}

/// Delete an online rule.
///
/// What it has scored stays.
#[utoipa::path(delete, path = "/api/v1/online-rules/{name}", operation_id = "delete_online_rule", tag = "Evaluation",
    params(("name" = String, Path, description = "The rule's name.")), responses(
    (status = 204, description = "Deleted."),
    (status = 404, description = "There is no such rule in this project.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn delete(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.catalog.delete_online_rule(&caller, &name).await?;
    app.online.reload().await.map_err(|error| ApiError::internal(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the changes of an online rule.
#[utoipa::path(get, path = "/api/v1/online-rules/{name}/history", operation_id = "list_online_rule_changes", tag = "Evaluation",
    params(("name" = String, Path, description = "The rule's name.")),
    responses((status = 200, description = "Its changes, also of a rule that was deleted.", body = OnlineRuleChanges)))]
pub(crate) async fn history(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<OnlineRuleChanges>, ApiError> {
    let changes = app.catalog.online_rule_history(&caller.project, &name, MOST_CHANGES).await?;
    let changes = changes.into_iter().map(|one| OnlineRuleChange {
        time: one.time,
        made_by: one.actor,
        action: one.action,
        before: one.before,
        after: one.after,
    });
    Ok(Json(OnlineRuleChanges { changes: changes.collect() }))
}

/// Score history.
///
/// Spans that started in the time range and have no scores of this rule get them, a stretch at a time, also over a restart.
/// `GET /api/v1/online-rules/{name}` shows how far it has come.
#[utoipa::path(post, path = "/api/v1/online-rules/{name}/backfill", operation_id = "begin_backfill", tag = "Evaluation",
    params(("name" = String, Path, description = "The rule's name.")), request_body = TimeRange, responses(
    (status = 202, description = "It has begun.", body = Backfill),
    (status = 404, description = "There is no such rule in this project.", body = crate::envelope::ErrorAnswer),
    (status = 409, description = "The rule is off, or a run over history is under way.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn backfill(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(time): Json<TimeRange>,
) -> Result<(StatusCode, Json<Backfill>), ApiError> {
    let fill = app.online.backfill(&caller.project, &name, time.resolve(app.clock.now())).await?;
    Ok((StatusCode::ACCEPTED, Json(fill)))
}

/// Stop scoring history.
///
/// What was scored stays.
#[utoipa::path(delete, path = "/api/v1/online-rules/{name}/backfill", operation_id = "cancel_backfill", tag = "Evaluation",
    params(("name" = String, Path, description = "The rule's name.")), responses(
    (status = 204, description = "Nothing runs any more."),
    (status = 404, description = "There is no such rule in this project.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn cancel(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.online.cancel_backfill(&caller.project, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
