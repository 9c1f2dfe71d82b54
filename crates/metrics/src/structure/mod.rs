//! Formats: whether an answer is what programs can read.

pub(crate) mod citations;
pub(crate) mod code;
pub(crate) mod formats;
pub(crate) mod json;
mod markup;
mod sql;
