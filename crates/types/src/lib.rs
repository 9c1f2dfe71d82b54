#![doc = include_str!("../README.md")]

// Built anew when the profile of calls is counted or left out (`.cargo/rustc`).
const _: Option<&str> = option_env!("SIGNALBOX_PROFILE");

pub mod error;
pub mod events;
pub mod finding;
pub mod id;
pub mod log;
pub mod message;
pub mod metric;
pub mod money;
mod object;
pub mod once;
pub mod query;
pub mod score;
pub mod seam;
pub mod secret;
pub mod span;
pub mod table;
pub mod time;
pub mod top_values;
pub mod usage;

pub use error::ErrorClass;
pub use events::Events;
pub use finding::{Action, Finding, Place, Severity, Verdict};
pub use id::{KeyId, ProjectId, SpanId, TraceId};
pub use log::LogRecord;
pub use message::{Message, Modality, Part, Role, ToolDefinition};
pub use metric::{MetricKind, MetricPoint, Temporality};
pub use money::Money;
pub use once::CountOnce;
pub use query::{Answer, Filter, Query};
pub use score::{Score, ScoreSource};
pub use secret::Secret;
pub use span::{Span, SpanKind, SpanSource, SpanStatus};
pub use time::{TimeRange, Timestamp};
pub use top_values::{FieldValues, TopValues, ValueCount};
pub use usage::{Cost, CostSource, Usage};
