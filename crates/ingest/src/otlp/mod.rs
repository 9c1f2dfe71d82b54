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

use prost::Message;
use serde::de::DeserializeOwned;
use signalbox_catalog::Principal;
use signalbox_types::{KeyId, ProjectId, Timestamp};

use crate::pipeline::Taken;

pub(crate) use json::from_json;

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

/// A request whose items are stored as they are.
pub(crate) trait Stored: Message + Default + DeserializeOwned + 'static {
    /// Its items. A bad one is refused by itself; the others go on.
    fn events(self, sender: &Sender) -> Taken;
}
