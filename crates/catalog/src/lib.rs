#![doc = include_str!("../README.md")]

mod backup;
mod catalog;
mod database;
mod error;
mod history;
mod resources;
mod snapshot;
mod token;

pub use catalog::Catalog;
pub use error::{AuthError, CatalogError, FileFault};
pub use history::Change;
pub use resources::feedback::{Feedback, KeptFeedback};
pub use resources::key::{Key, MIN_KEY_CHARS, NewKey, Principal};
pub use resources::policy_set::PolicySet;
pub use resources::session::SESSION_LIFETIME;
