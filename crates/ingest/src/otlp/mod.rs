//! What OTLP over HTTP and over gRPC share: the messages, their JSON, and their way to raw spans,
//! log records and data points.

mod future;
mod json;
mod logs;
mod metrics;
pub(crate) mod proto;
pub(crate) mod proto_logs;
pub(crate) mod proto_metrics;
pub(crate) mod spans;
mod values;
mod weight;

use bytes::Bytes;
use prost::Message;
use serde::de::DeserializeOwned;
use signalbox_catalog::Principal;
use signalbox_types::{KeyId, ProjectId, Timestamp};

use self::proto::TraceRequest;
use self::proto_logs::LogsRequest;
use self::proto_metrics::MetricsRequest;
use self::weight::{Field, Repeats};
use crate::error::Refusal;
use crate::pipeline::{self, Rejected, Taken};
use crate::{Shared, body};

/// How many times as large as the largest body may be what becomes of one.
const LARGER: usize = 8;

/// What a request tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Metrics,
    Logs,
}

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Protobuf,
    Json,
}

/// How much of a request was not stored, and why.
pub(crate) struct Untaken {
    pub(crate) count: usize,
    pub(crate) message: String,
}

/// Decodes a body and stores what it holds. Resolves once that is on disk.
///
/// `weight` is what it may be once `unpacked`; what is heavy is done beside the threads that serve
/// calls.
pub(crate) async fn take(
    shared: &Shared,
    receiver: &'static str,
    principal: &Principal,
    (signal, format): (Signal, Format),
    weight: usize,
    unpacked: impl FnOnce() -> Result<Bytes, Refusal> + Send + 'static,
) -> Result<Untaken, Refusal> {
    let sender = Sender::new(principal, shared.clock.now());
    let limit = shared.config.max_body_bytes;
    let rejected = match signal {
        Signal::Traces => {
            let (bytes, batch) = body::work(weight, move || {
                let body = unpacked()?;
                Ok::<_, Refusal>((body.len(), spans::batch(decode(&body, format, limit)?, sender.now)))
            })
            .await??;
            pipeline::store(shared, receiver, principal, bytes, batch).await?
        }
        Signal::Metrics => {
            let events =
                move || Ok::<_, Refusal>(decode::<MetricsRequest>(&unpacked()?, format, limit)?.events(&sender));
            pipeline::keep(shared, receiver, body::work(weight, events).await??).await?
        }
        Signal::Logs => {
            let events = move || Ok::<_, Refusal>(decode::<LogsRequest>(&unpacked()?, format, limit)?.events(&sender));
            pipeline::keep(shared, receiver, body::work(weight, events).await??).await?
        }
    };
    Ok(Untaken { count: rejected.len(), message: summary(&rejected) })
}

/// The first few problems; a batch may hold thousands.
fn summary(rejected: &[Rejected]) -> String {
    const SHOWN: usize = 3;
    let mut summary = rejected.iter().take(SHOWN).map(|one| one.problem.as_str()).collect::<Vec<_>>().join("; ");
    if rejected.len() > SHOWN {
        summary.push_str(&format!("; and {} more", rejected.len() - SHOWN));
    }
    summary
}

/// The message in a body, unless it asks for much more memory than the largest body has bytes.
pub(crate) fn decode<T: Request>(body: &[u8], format: Format, max_body_bytes: usize) -> Result<T, Refusal> {
    let limit = max_body_bytes.saturating_mul(LARGER);
    let weigh = |bytes: usize| if bytes > limit { Err(Refusal::TooHeavy { limit }) } else { Ok(()) };
    let request: T = match format {
        Format::Json => {
            weigh(weight::of_json(body))?;
            json::from_json(body).map_err(|error| Refusal::Malformed(format!("the body is no OTLP/JSON: {error}")))?
        }
        Format::Protobuf => {
            weigh(weight::of_protobuf(body, T::FIELDS))?;
            T::decode(body).map_err(|error| Refusal::Malformed(format!("the body is no OTLP protobuf: {error}")))?
        }
    };
    weigh(request.repeated())?;
    Ok(request)
}

/// Whose a request is, and when it came: what has no time of its own happened now.
pub(crate) struct Sender {
    project: ProjectId,
    key_id: KeyId,
    now: Timestamp,
}

impl Sender {
    pub(crate) fn new(principal: &Principal, now: Timestamp) -> Self {
        Self { project: principal.project.clone(), key_id: principal.key_id.clone(), now }
    }
}

/// A request of any signal.
pub(crate) trait Request: Message + Default + DeserializeOwned + Repeats + 'static {
    /// What it may hold many of.
    const FIELDS: &'static [Field];
}

impl Request for TraceRequest {
    const FIELDS: &'static [Field] = weight::SPANS;
}

impl Request for MetricsRequest {
    const FIELDS: &'static [Field] = weight::METRICS;
}

impl Request for LogsRequest {
    const FIELDS: &'static [Field] = weight::LOGS;
}

/// A request whose items are stored as they are.
pub(crate) trait Stored: Request {
    /// Its items. A bad one is refused by itself; the others go on.
    fn events(self, sender: &Sender) -> Taken;
}
