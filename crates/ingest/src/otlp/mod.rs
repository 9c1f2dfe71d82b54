//! What OTLP over HTTP and over gRPC share: the messages, their JSON, and their way to raw spans.

mod future;
mod json;
pub(crate) mod proto;
pub(crate) mod spans;
pub(crate) mod unstored;

pub(crate) use json::from_json;
