//! How people are told: channels, who is on call, and messages that wait or were given up.

#[cfg(test)]
mod tests;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use signalbox_types::Timestamp;
use signalbox_watch::Event;

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// A channel, without its address or credential.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ChannelShown {
    /// Its name.
    name: String,
    /// webhook, slack, pagerduty, opsgenie, alertmanager or email.
    kind: &'static str,
}

/// A schedule, and who is on call now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OnCall {
    /// Its name.
    schedule: String,
    /// Who; absent if nobody is.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<String>,
}

/// Channels and schedules, as the configuration has them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Channels {
    /// Channels.
    channels: Vec<ChannelShown>,
    /// Schedules.
    on_call: Vec<OnCall>,
}

/// A message on its way.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct UndeliveredMessage {
    /// Its id.
    id: String,
    /// By which channel.
    channel: String,
    /// The incident.
    incident: String,
    /// What it is about.
    event: Event,
    /// In a line.
    title: String,
    /// When it was written.
    made_at: Timestamp,
    /// How often it was tried.
    tries: u32,
    /// When it is tried again; absent if it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    /// Why the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// It was given up: nobody has been told.
    dead: bool,
}

/// Messages.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct UndeliveredMessages {
    /// Oldest first.
    messages: Vec<UndeliveredMessage>,
}

/// List channels, and who is on call.
#[utoipa::path(get, path = "/api/v1/channels", operation_id = "list_channels", tag = "Watching",
    responses((status = 200, description = "As the configuration has them.", body = Channels)))]
pub(crate) async fn list(Caller(_caller): Caller, State(app): State<App>) -> Json<Channels> {
    let channels = app.watch.channels().into_iter().map(|(name, kind)| ChannelShown { name, kind }).collect();
    let on_call = app.watch.on_call(app.clock.now()).into_iter();
    let on_call = on_call.map(|(schedule, person)| OnCall { schedule, person }).collect();
    Json(Channels { channels, on_call })
}

/// Test a channel.
///
/// Sends a message that says that it is a test, at once and once.
#[utoipa::path(post, path = "/api/v1/channels/{name}/test", operation_id = "test_channel", tag = "Watching",
    params(("name" = String, Path, description = "Its name.")),
    responses(
        (status = 204, description = "The other side has taken it."),
        (status = 502, description = "It has not, and why.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn test(
    Caller(_caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.watch.test_channel(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List messages that have not been delivered.
#[utoipa::path(get, path = "/api/v1/messages", operation_id = "list_messages", tag = "Watching",
    responses((status = 200, description = "Those that wait, and those that were given up.", body = UndeliveredMessages)))]
pub(crate) async fn messages(Caller(caller): Caller, State(app): State<App>) -> Json<UndeliveredMessages> {
    let shown = |one: signalbox_watch::Message| UndeliveredMessage {
        id: one.id,
        channel: one.channel,
        incident: one.notice.incident,
        event: one.notice.event,
        title: one.notice.title,
        made_at: one.made_at,
        tries: one.tries,
        due: (!one.dead).then_some(one.due),
        error: one.error,
        dead: one.dead,
    };
    Json(UndeliveredMessages { messages: app.watch.messages(&caller.project).into_iter().map(shown).collect() })
}

/// Try a message again.
#[utoipa::path(post, path = "/api/v1/messages/{id}/retry", operation_id = "retry_message", tag = "Watching",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204, description = "It goes out within seconds."),
        (status = 404, description = "There is none of that id.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn retry(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.watch.try_again(&caller.project, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
