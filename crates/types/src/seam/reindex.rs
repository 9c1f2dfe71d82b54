use serde::{Deserialize, Serialize};

use super::{BoxStream, StoreError};
use crate::{ProjectId, TimeRange};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reindexed {
    /// Spans that an earlier normaliser read, as far as they can be read again.
    pub total: u64,
    /// Of these, looked at so far.
    pub spans: u64,
    /// Of these, now told otherwise than before. The others only say that today's normaliser read them.
    pub changed: u64,
    /// Of these, left as they were, because what was sent can't be had back. The log says why.
    pub failed: u64,
    /// All have been looked at.
    pub done: bool,
}

/// Reads spans again that an earlier normaliser read, from the attributes that they keep.
pub trait Reindexer: Send + Sync + std::fmt::Debug {
    /// Says how far it is, once it has counted and after each page. An error ends it. Dropping the
    /// stream ends it between two pages, and the next run goes on with what is left.
    fn reindex(&self, project: &ProjectId, time: TimeRange) -> BoxStream<Result<Reindexed, StoreError>>;
}
