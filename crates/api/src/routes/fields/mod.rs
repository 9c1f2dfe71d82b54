//! What spans can be filtered by: fields and their frequent values.

#[cfg(test)]
mod tests;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use signalbox_types::FieldValues;

use crate::auth::Caller;
use crate::envelope::{Json, Params};
use crate::parts::App;

/// Fields of spans.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Fields {
    /// By name.
    fields: Vec<FieldValues>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// One field with its most frequent values, e.g. `model` or `attributes.tier`.
    field: Option<String>,
}

/// List fields and values.
///
/// The columns of few values and the attribute keys that spans of this project have; with `field`, that one with its
/// most frequent values. Counted while spans are written, about right, never by reading them.
#[utoipa::path(get, path = "/api/v1/fields", operation_id = "list_fields", tag = "Queries", params(Asked), responses((status = 200, description = "What spans can be filtered by.", body = Fields)))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>, Params(asked): Params<Asked>) -> Json<Fields> {
    Json(Fields { fields: app.store.fields(&caller.project, asked.field.as_deref()) })
}
