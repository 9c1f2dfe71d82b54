//! Bytes of a streamed answer on their way out.

use bytes::{Bytes, BytesMut};

/// What goes out next. A single event, the usual case, is not copied.
#[derive(Default)]
pub(crate) struct Out {
    first: Bytes,
    all: BytesMut,
}

impl Out {
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if self.first.is_empty() && self.all.is_empty() {
            self.first = bytes;
            return;
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.all.extend_from_slice(&bytes);
    }

    pub(crate) fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    pub(crate) fn take(&mut self) -> Option<Bytes> {
        let next = if self.all.is_empty() { std::mem::take(&mut self.first) } else { self.all.split().freeze() };
        (!next.is_empty()).then_some(next)
    }
}
