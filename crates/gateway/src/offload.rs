//! Work on long bodies happens beside the runtime: one agent's 10 MB prompt must not delay the
//! chunks of everybody's streams.

use signalbox_types::ErrorClass;

use crate::call::CallError;

/// Bodies up to this size are worked on at once: handing them over would cost more.
const SHORT_BYTES: usize = 128 << 10;

/// Runs `work` on a body of this size.
pub(crate) async fn offload<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CallError> {
    if bytes <= SHORT_BYTES {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| CallError::us(ErrorClass::Internal, format!("a fault of Signalbox in a long body ({error})")))
}
