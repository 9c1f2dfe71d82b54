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
pub use resources::dataset::{
    Dataset, DatasetChange, DatasetCommit, DatasetDiff, DatasetImport, DatasetItem, DatasetRef, DatasetVersion,
    DiffEntry, FieldChange, ImportMode, Imported, ItemChange, ItemFilter, ItemPage, MAIN, MAX_ITEM_BYTES, MAX_ITEMS,
    RefKind, Share, StoredItem,
};
pub use resources::feedback::{Feedback, KeptFeedback};
pub use resources::kept::{KeptBounds, KeptThing};
pub use resources::key::{Key, MIN_KEY_CHARS, NewKey, Principal};
pub use resources::lease::{Lease, LeaseAsk, LeaseTerm};
pub use resources::online_rule::OnlineRule;
pub use resources::policy_set::PolicySet;
pub use resources::run::{
    Experiment, ItemNumbers, ItemOrder, ItemsAsk, MetricSummary, Run, RunAbout, RunDirection, RunEvidence, RunItem,
    RunMetric, RunScore, RunStatus, RunSummary, RunsOf, Spread,
};
pub use resources::session::SESSION_LIFETIME;
pub use resources::watched::WatchedDocument;
