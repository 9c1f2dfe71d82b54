use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::PriceBook;

/// The price book in force. Clones are one and the same: who holds one sees the next book once it is replaced.
#[derive(Debug, Clone)]
pub struct Prices(Arc<ArcSwap<PriceBook>>);

impl Prices {
    /// With this book in force.
    #[must_use]
    pub fn new(book: Arc<PriceBook>) -> Self {
        Self(Arc::new(ArcSwap::new(book)))
    }

    /// The book in force.
    #[must_use]
    pub fn current(&self) -> Arc<PriceBook> {
        self.0.load_full()
    }

    /// Puts another book in force.
    pub fn replace(&self, book: Arc<PriceBook>) {
        self.0.store(book);
    }
}

impl From<PriceBook> for Prices {
    fn from(book: PriceBook) -> Self {
        Self::new(Arc::new(book))
    }
}
