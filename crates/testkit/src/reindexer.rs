use futures_util::stream;
use parking_lot::Mutex;
use signalbox_types::seam::{BoxStream, Reindexed, Reindexer, StoreError};
use signalbox_types::{ProjectId, TimeRange};

/// A reindexer that says what it was told to say, and keeps what it was asked.
#[derive(Debug, Default)]
pub struct ScriptedReindexer {
    steps: Mutex<Vec<Result<Reindexed, StoreError>>>,
    asked: Mutex<Vec<(String, String)>>,
}

impl ScriptedReindexer {
    /// The steps of the next run.
    pub fn will_say(&self, steps: impl IntoIterator<Item = Result<Reindexed, StoreError>>) {
        *self.steps.lock() = steps.into_iter().collect();
    }

    /// The projects and beginnings so far.
    #[must_use]
    pub fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().clone()
    }
}

impl Reindexer for ScriptedReindexer {
    fn reindex(&self, project: &ProjectId, time: TimeRange) -> BoxStream<Result<Reindexed, StoreError>> {
        self.asked.lock().push((project.to_string(), time.from.to_string()));
        Box::pin(stream::iter(std::mem::take(&mut *self.steps.lock())))
    }
}
