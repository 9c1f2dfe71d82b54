//! Projects: the unit of tenancy. There is one, `default`, until projects can be edited.

pub(crate) mod sql;
#[cfg(test)]
mod tests;

use signalbox_types::ProjectId;

/// The project of the first key.
pub(crate) fn first() -> ProjectId {
    ProjectId::new("default")
}
