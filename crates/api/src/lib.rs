#![doc = include_str!("../README.md")]

mod actions;
mod auth;
mod changes;
mod docs;
mod documents;
mod envelope;
mod error;
mod ledger;
mod openapi;
mod parts;
mod routes;
mod rows;
mod running;
#[cfg(test)]
mod tests;

pub use actions::{DetourProblem, HouseActions, RouteActions};
pub use changes::CatalogChanges;
pub use documents::CatalogDocuments;
pub use ledger::CatalogLedger;
pub use openapi::openapi;
pub use parts::{AddPolicies, Answered, ApiParts, Status};
pub use routes::{ConfigStatus, RefusedConfig, router};
