//! What can be asked about: the event tables and their columns.

#[cfg(test)]
mod tests;

use serde::Serialize;
use signalbox_types::table::{self, Table};

use crate::auth::Caller;
use crate::envelope::Json;

/// The event tables.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Tables {
    /// Sorted by name.
    tables: &'static [&'static Table],
}

/// List tables and columns.
#[utoipa::path(get, path = "/api/v1/tables", operation_id = "list_tables", tag = "Queries", responses((status = 200, description = "What queries may name.", body = Tables)))]
pub(crate) async fn list(_: Caller) -> Json<Tables> {
    Json(Tables { tables: table::ALL })
}
