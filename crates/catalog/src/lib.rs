#![doc = include_str!("../README.md")]

mod backup;
mod catalog;
mod database;
mod error;
mod history;
mod resources;
mod seal;
mod snapshot;
mod token;

pub use catalog::Catalog;
pub use error::{AuthError, CatalogError, CredentialFault, FileFault};
pub use history::Change;
pub use resources::credential::Credential;
pub use resources::feedback::{Feedback, KeptFeedback};
pub use resources::kept::{KeptBounds, KeptThing};
pub use resources::key::{Key, MIN_KEY_CHARS, NewKey, Principal};
pub use resources::policy_set::PolicySet;
pub use resources::session::SESSION_LIFETIME;
pub use resources::watched::WatchedDocument;
