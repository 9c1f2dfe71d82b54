use crate::Span;

/// The sink can't take more now. What it refused is counted by the sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the span queue is full")]
pub struct Full;

/// Where the gateway's spans go. Bounded; never waits, so that storage can't slow a call down.
pub trait SpanSink: Send + Sync + std::fmt::Debug {
    /// Takes a span, or refuses it at once and counts it as shed.
    ///
    /// # Errors
    /// [`Full`] if there is no room.
    fn try_emit(&self, span: Span) -> Result<(), Full>;
}
