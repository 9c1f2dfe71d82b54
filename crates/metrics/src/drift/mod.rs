//! Whether numbers have changed: two samples side by side, or one series as it goes on.

pub(crate) mod adwin;
pub(crate) mod classifier;
pub mod multiple;
pub(crate) mod points;
pub(crate) mod relation;
pub(crate) mod samples;
pub(crate) mod segments;
pub(crate) mod series;
mod special;
