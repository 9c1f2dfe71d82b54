//! What other services send us: signed by them, so that no virtual key has to be given away.

#[cfg(test)]
mod tests;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use signalbox_types::ErrorClass;
use signalbox_watch::{Hook, HookError, HookKind};

use crate::error::ApiError;
use crate::parts::App;

async fn take(
    app: &App,
    kind: HookKind,
    channel: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<StatusCode, ApiError> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    app.watch.hook(kind, channel, Hook { header: &header, body }).await?;
    Ok(StatusCode::OK)
}

/// Take a webhook of PagerDuty.
///
/// For a webhook subscription (v3) with the channel's `webhook_secret`: what is acknowledged or resolved there is so here.
#[utoipa::path(post, path = "/api/v1/hooks/pagerduty/{channel}", operation_id = "take_pagerduty_webhook", tag = "Watching",
    params(("channel" = String, Path, description = "The channel.")), request_body(content = Object), security(()),
    responses(
        (status = 200, description = "It is taken, also if it changes nothing."),
        (status = 401, description = "It isn't signed with the secret.", body = crate::envelope::ErrorAnswer),
        (status = 404, description = "No channel takes it.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn pagerduty(
    State(app): State<App>,
    Path(channel): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    take(&app, HookKind::Pagerduty, &channel, &headers, &body).await
}

/// Take a press on a button in Slack.
///
/// The request URL for the interactivity of an app whose signing secret the channel has.
#[utoipa::path(post, path = "/api/v1/hooks/slack/{channel}", operation_id = "take_slack_interaction", tag = "Watching",
    params(("channel" = String, Path, description = "The channel.")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"), security(()),
    responses(
        (status = 200, description = "It is taken, also if it changes nothing."),
        (status = 401, description = "It isn't signed with the secret, or not within five minutes.", body = crate::envelope::ErrorAnswer),
        (status = 404, description = "No channel takes it.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn slack(
    State(app): State<App>,
    Path(channel): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    take(&app, HookKind::Slack, &channel, &headers, &body).await
}

/// Take alerts of an Alertmanager.
///
/// For a `webhook_configs` receiver with the channel's `webhook_token` as `http_config.authorization.credentials`: alerts
/// become incidents of `alertmanager.<alertname>`, and end with them.
#[utoipa::path(post, path = "/api/v1/hooks/alertmanager/{channel}", operation_id = "take_alertmanager_webhook", tag = "Watching",
    params(("channel" = String, Path, description = "The channel.")), request_body(content = Object), security(()),
    responses(
        (status = 200, description = "They are taken, also if they change nothing."),
        (status = 401, description = "The token is missing or another one.", body = crate::envelope::ErrorAnswer),
        (status = 404, description = "No channel takes it.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn alertmanager(
    State(app): State<App>,
    Path(channel): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    take(&app, HookKind::Alertmanager, &channel, &headers, &body).await
}

impl From<HookError> for ApiError {
    fn from(error: HookError) -> Self {
        let class = match error {
            HookError::Elsewhere(error) => return error.into(),
            HookError::Closed { .. } => ErrorClass::NotFound,
            HookError::Unsigned(_) => ErrorClass::Unauthenticated,
            HookError::Unreadable(_) => ErrorClass::InvalidRequest,
        };
        Self::new(class, error.to_string())
    }
}
