use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the event store uses memory, disk and time. The defaults suit one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// Rows in memory are written to files when they take so many megabytes. Four times as much is
    /// the most that may wait for the disk; then writers are asked to come back later.
    #[schemars(range(min = 1, max = 4096))]
    pub memtable_mb: u32,
    /// Rows in memory are written to files after so many seconds, if they are worth a file.
    #[schemars(range(min = 1, max = 3600))]
    pub flush_after_s: u32,
    /// … and however few they are, after so many. They are safe in the journal before.
    #[schemars(range(min = 1, max = 86_400))]
    pub flush_at_latest_s: u32,
    /// Memory that all running queries share, in megabytes.
    #[schemars(range(min = 16, max = 65_536))]
    pub query_memory_mb: u32,
    /// A query that takes longer is stopped.
    #[schemars(range(min = 1, max = 3600))]
    pub query_timeout_s: u32,
    /// Threads that queries run on, and parts that one query is split into.
    #[schemars(range(min = 1, max = 64))]
    pub query_threads: u32,
    /// Memory for what is known of data files, in megabytes.
    #[schemars(range(min = 1, max = 4096))]
    pub metadata_cache_mb: u32,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            memtable_mb: 64,
            flush_after_s: 30,
            flush_at_latest_s: 300,
            query_memory_mb: 256,
            query_timeout_s: 30,
            query_threads: 2,
            metadata_cache_mb: 32,
        }
    }
}

const MB: u64 = 1 << 20;

impl StoreConfig {
    pub(crate) fn flush_bytes(&self) -> u64 {
        u64::from(self.memtable_mb.max(1)) * MB
    }

    /// What is flushed before it must be is at least an eighth of a full memtable.
    pub(crate) fn worth_a_file_bytes(&self) -> u64 {
        self.flush_bytes() / 8
    }

    pub(crate) fn memory_limit_bytes(&self) -> u64 {
        self.flush_bytes() * 4
    }

    pub(crate) fn query_memory_bytes(&self) -> usize {
        usize::try_from(u64::from(self.query_memory_mb.max(16)) * MB).unwrap_or(usize::MAX)
    }

    pub(crate) fn metadata_cache_bytes(&self) -> usize {
        usize::try_from(u64::from(self.metadata_cache_mb) * MB).unwrap_or(usize::MAX)
    }

    pub(crate) fn query_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.query_timeout_s.max(1)))
    }

    pub(crate) fn flush_after(&self) -> Duration {
        Duration::from_secs(u64::from(self.flush_after_s))
    }

    pub(crate) fn flush_at_latest(&self) -> Duration {
        Duration::from_secs(u64::from(self.flush_at_latest_s))
    }

    pub(crate) fn query_threads(&self) -> usize {
        self.query_threads.clamp(1, 64) as usize
    }
}
