use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_types::table::Retention;

use crate::said::GRACE_DAYS;

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
    /// A text in a span is cut when it takes more kilobytes, with a mark where it ends.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub max_field_kb: u32,
    /// Journal and data files may take so many gigabytes; then nothing more is taken, and reading goes
    /// on. No limit if absent.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_disk_gb: Option<u32>,
    /// How long rows are kept.
    pub retention: RetentionConfig,
}

/// How long rows are kept, in days by their own time. 0 keeps them for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Spans and findings.
    pub spans_days: u32,
    /// What was said in them: messages, inputs, outputs, attributes.
    pub bodies_days: u32,
    /// Scores.
    pub scores_days: u32,
    /// Log records.
    pub logs_days: u32,
    /// Data points of metrics.
    pub metrics_days: u32,
    /// What spans were summed up to: `span_minutes`.
    pub aggregates_days: u32,
    /// Other times for some projects.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub projects: BTreeMap<String, ProjectRetention>,
}

/// How long the rows of one project are kept, where that is another time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectRetention {
    /// Spans and findings, in days. 0 keeps them for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spans_days: Option<u32>,
    /// Scores, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scores_days: Option<u32>,
    /// Log records, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logs_days: Option<u32>,
    /// Data points, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_days: Option<u32>,
    /// What spans were summed up to, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregates_days: Option<u32>,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            spans_days: 90,
            bodies_days: 30,
            scores_days: 0,
            logs_days: 30,
            metrics_days: 90,
            aggregates_days: 0,
            projects: BTreeMap::new(),
        }
    }
}

impl RetentionConfig {
    /// How long rows of this class are kept, those of a project that says otherwise too.
    pub(crate) fn days(&self, class: Retention, project: Option<&str>) -> Option<u32> {
        let own = project.and_then(|project| self.projects.get(project));
        let (own, all) = match class {
            Retention::Spans => (own.and_then(|own| own.spans_days), self.spans_days),
            Retention::Bodies => return self.said_days(own.and_then(|own| own.spans_days)),
            Retention::Scores => (own.and_then(|own| own.scores_days), self.scores_days),
            Retention::Logs => (own.and_then(|own| own.logs_days), self.logs_days),
            Retention::Metrics => (own.and_then(|own| own.metrics_days), self.metrics_days),
            Retention::Aggregates => (own.and_then(|own| own.aggregates_days), self.aggregates_days),
        };
        let days = own.unwrap_or(all);
        (days > 0).then_some(days)
    }

    /// Longer than what names it, whichever of both goes first.
    fn said_days(&self, spans_days: Option<u32>) -> Option<u32> {
        let bounds = [spans_days.unwrap_or(self.spans_days), self.bodies_days];
        bounds.into_iter().filter(|days| *days > 0).min().map(|days| days.saturating_add(GRACE_DAYS))
    }
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
            max_field_kb: 4_096,
            max_disk_gb: None,
            retention: RetentionConfig::default(),
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

    pub(crate) fn max_disk_bytes(&self) -> Option<u64> {
        self.max_disk_gb.map(|gigabytes| u64::from(gigabytes) << 30)
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
