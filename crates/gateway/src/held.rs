//! How much of something all calls may hold together: bytes of their bodies, or room to be under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A share of what all calls may hold; given back when dropped.
pub(crate) struct Held {
    total: Arc<AtomicUsize>,
    limit: usize,
    bytes: usize,
}

impl Held {
    pub(crate) fn new(total: Arc<AtomicUsize>, limit: usize) -> Self {
        Self { total, limit, bytes: 0 }
    }

    /// Another share of the same.
    pub(crate) fn another(&self) -> Self {
        Self::new(Arc::clone(&self.total), self.limit)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes so much more, if there is any left.
    pub(crate) fn try_grow(&mut self, bytes: usize) -> bool {
        let before = self.total.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.limit {
            self.total.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.bytes += bytes;
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_given_back() {
        let total = Arc::new(AtomicUsize::new(0));
        let mut one = Held::new(Arc::clone(&total), 10);
        let mut two = Held::new(Arc::clone(&total), 10);
        assert!(one.try_grow(6));
        assert!(!two.try_grow(5));
        assert!(two.try_grow(4));
        drop(one);
        assert!(two.try_grow(6));
        drop(two);
        assert_eq!(total.load(Ordering::Relaxed), 0);
    }
}
