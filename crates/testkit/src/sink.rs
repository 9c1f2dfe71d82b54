use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use signalbox_types::Span;
use signalbox_types::seam::{Full, SpanSink};

/// A sink that keeps spans for the test to look at, up to a bound.
#[derive(Debug)]
pub struct VecSink {
    spans: Mutex<Vec<Span>>,
    capacity: usize,
    shed: AtomicU64,
}

impl VecSink {
    /// A sink with room for so many spans.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { spans: Mutex::default(), capacity, shed: AtomicU64::new(0) }
    }

    /// The spans so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().clone()
    }

    /// How many it refused.
    #[must_use]
    pub fn shed(&self) -> u64 {
        self.shed.load(Ordering::SeqCst)
    }
}

impl Default for VecSink {
    fn default() -> Self {
        Self::with_capacity(usize::MAX)
    }
}

impl SpanSink for VecSink {
    fn try_emit(&self, span: Span) -> Result<(), Full> {
        let mut spans = self.spans.lock();
        if spans.len() >= self.capacity {
            self.shed.fetch_add(1, Ordering::SeqCst);
            return Err(Full);
        }
        spans.push(span);
        Ok(())
    }
}
