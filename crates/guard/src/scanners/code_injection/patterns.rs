//! The families of payloads: the words that each needs, and the patterns that are looked for at them. Patterns see
//! plain text (see `plain`): lower case, one space, escapes decoded. `^` is the beginning of the text only.

use super::checks::{Holds, MayStart};
use super::rules::Id;
use super::{page, query, sql, system};

/// Payloads of one kind.
pub(super) struct Family {
    /// Literals; every match holds one of them. At most 32 bytes each.
    pub(super) words: &'static [&'static str],
    pub(super) may_start: MayStart,
    pub(super) patterns: &'static [Pattern],
}

/// One shape of a payload.
pub(super) struct Pattern {
    pub(super) rule: Id,
    pub(super) confidence: f32,
    pub(super) regex: &'static str,
    pub(super) holds: Holds,
}

impl Pattern {
    /// The expression to compile: bytes, not characters; a dot is any of them.
    pub(super) fn text(&self) -> String {
        format!("(?s-u){}", self.regex)
    }
}

pub(super) const fn pattern(rule: Id, confidence: f32, regex: &'static str, holds: Holds) -> Pattern {
    Pattern { rule, confidence, regex, holds }
}

pub(super) static FAMILIES: &[&Family] =
    &[&sql::FAMILY, &page::XSS, &page::TEMPLATES, &system::SHELL, &system::PATHS, &query::FILTERS, &query::DOCUMENTS];
