//! Stores behind `types::seam::EventStore`: a folder each.

pub(crate) mod embedded;
