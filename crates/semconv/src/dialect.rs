use signalbox_types::Span;

use crate::RawSpan;

/// How sure a dialect is that a span speaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Nothing of it.
    No,
    /// Some attributes that others use too.
    Possible,
    /// Attributes that are its own.
    Likely,
    /// The attribute by which it says what it is.
    Certain,
}

/// A telemetry dialect: a set of attribute names with a meaning.
///
/// Spans mix dialects, so every one that recognises a span reads it, the surest first, and only
/// fills what is still empty. It must never panic, whatever the attributes hold.
pub trait Dialect: Send + Sync + std::fmt::Debug {
    /// Its name, in `dialect` of the span and in the documentation.
    fn name(&self) -> &'static str;

    /// How sure it is.
    fn recognise(&self, raw: &RawSpan) -> Confidence;

    /// Fills what it understands and what is still empty.
    fn to_span(&self, raw: &RawSpan, span: &mut Span);
}
