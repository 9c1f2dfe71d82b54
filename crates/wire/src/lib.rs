#![doc = include_str!("../README.md")]

// Built anew when the profile of calls is counted or left out (`.cargo/rustc`).
const _: Option<&str> = option_env!("SIGNALBOX_PROFILE");

pub mod accumulate;
pub mod along;
pub mod batch;
pub mod canonical;
mod codec;
pub mod completion;
mod dialects;
pub mod embeddings;
mod error;
pub mod event_stream;
mod fields;
pub mod files;
mod json;
mod lenient;
mod media;
mod multipart;
mod probabilities;
mod registry;
mod repeat;
pub mod rerank;
pub mod rewrite;
mod schema_rules;
mod search;
mod splice;
pub mod sse;
mod write;

#[cfg(test)]
mod crossing_tests;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod loss_tests;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod property_tests;

pub use accumulate::Accumulator;
pub use canonical::{ChatRequest, ChatResponse, FinishReason, StreamEvent};
pub use codec::{Codec, Peek, StreamDecoder, StreamEncoder, StreamStart, TextSlot};
pub use dialects::anthropic_messages::anthropic_in_cloud;
pub use error::{ErrorBody, WireError, tells_error};
pub use event_stream::{EventDecoder, Framing};
pub use json::field_at;
pub use lenient::encode_leniently;
pub use probabilities::without_probabilities;
pub use registry::{ALL, Dialect, codec};
pub use repeat::Repeat;
pub use rewrite::{Channel, ChannelKind, Deltas, EventRewriter, StreamRewriter, TextFilter};
pub use splice::splice;
pub use sse::{SseDecoder, SseEvent};
