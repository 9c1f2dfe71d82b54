//! The configuration: which one is in force, and why a newer one isn't.

#[cfg(test)]
mod tests;

use axum::extract::State;
use serde::Serialize;
use signalbox_types::Timestamp;

use crate::auth::Caller;
use crate::envelope::Json;
use crate::parts::App;

/// The configuration that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ConfigStatus {
    /// The file that it was read from; without one, all is as it is by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "signalbox.yaml")]
    pub file: Option<String>,
    /// Since when it has been in force.
    pub since: Timestamp,
    /// How often a changed file has come into force since the process began.
    pub reloads: u64,
    /// Settings that the file has changed and that only a restart brings into force.
    pub needs_restart: Vec<String>,
    /// Why what the file says now is not in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedConfig>,
}

/// A configuration that is not in force because something is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RefusedConfig {
    /// When it was read.
    pub time: Timestamp,
    /// Everything that is wrong with it, each with its line and a hint.
    #[schema(example = json!(["signalbox.yaml:12:5: unknown field `stratgy`\n  hint: did you mean `strategy`?"]))]
    pub problems: Vec<String>,
}

/// Show which configuration is in force.
#[utoipa::path(get, path = "/api/v1/config", operation_id = "show_config", tag = "House", responses((status = 200, description = "The one in force, and why a newer one isn't.", body = ConfigStatus)))]
pub(crate) async fn show(_: Caller, State(app): State<App>) -> Json<ConfigStatus> {
    Json((app.config)())
}
