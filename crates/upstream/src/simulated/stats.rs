//! What the simulator has seen: for tests that ask whether a cancelled call was really cancelled.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Map, Value, json};

const RECORDED: usize = 100;

/// Counts since the simulator was made; also `GET /sim/stats`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SimStats {
    /// Calls that came in.
    pub requests: u64,
    /// Calls whose answer was taken to its end, cuts that were asked for included.
    pub finished: u64,
    /// Calls whose caller went away before.
    pub cancelled: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Stats {
    requests: AtomicU64,
    finished: AtomicU64,
    cancelled: AtomicU64,
    recorded: Mutex<VecDeque<Value>>,
}

/// Counts a call as cancelled when it is dropped before its end.
#[derive(Debug)]
pub(crate) struct Guard(Option<Arc<Stats>>);

impl Guard {
    pub(crate) fn finish(mut self) {
        if let Some(stats) = self.0.take() {
            stats.finished();
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(stats) = &self.0 {
            stats.cancelled.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Stats {
    pub(crate) fn guard(stats: &Arc<Self>) -> Guard {
        stats.begun();
        Guard(Some(Arc::clone(stats)))
    }

    pub(crate) fn begun(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn finished(&self) {
        self.finished.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> SimStats {
        SimStats {
            requests: self.requests.load(Ordering::Relaxed),
            finished: self.finished.load(Ordering::Relaxed),
            cancelled: self.cancelled.load(Ordering::Relaxed),
        }
    }

    /// Keeps a request as it came, credentials left out.
    pub(crate) fn record(&self, head: &http::request::Parts, body: &Bytes) {
        let headers: Map<String, Value> = head
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "authorization" | "x-api-key" | "x-goog-api-key"))
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
            .collect();
        let body = String::from_utf8_lossy(body);
        let mut recorded = self.recorded.lock();
        if recorded.len() == RECORDED {
            recorded.pop_front();
        }
        recorded
            .push_back(json!({ "path": head.uri.path(), "query": head.uri.query(), "headers": headers, "body": body }));
    }

    pub(crate) fn recorded(&self) -> String {
        serde_json::to_string(&*self.recorded.lock()).unwrap_or_default()
    }
}
