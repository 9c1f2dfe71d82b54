#![doc = include_str!("../README.md")]

mod attributes;
mod content;
mod dialect;
mod dialects;
mod flatten;
mod kept;
mod normalise;
#[cfg(test)]
mod normalise_tests;
mod provider;
mod raw;
mod registry;
#[cfg(test)]
mod testing;

pub use attributes::Attributes;
pub use dialect::{Confidence, Dialect};
pub use kept::{MOVED_TO, Unrestorable, restore};
pub use normalise::{NORMALISER_VERSION, is_placeholder, normalise};
pub use raw::{OtelKind, RawEvent, RawSpan};
pub use registry::ALL;
