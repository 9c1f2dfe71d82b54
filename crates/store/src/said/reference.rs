//! How a row names a message: `+HASH` where it is said first in its session or trace, `=HASH` where it is
//! said again, with ` FINISH_REASON` behind it on answers; `*HASH` for a value that is no list of
//! messages; `!JSON` for one that is kept as it stands.

use arrow::array::{Array, AsArray, ListArray};

/// A name of something said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference<'a> {
    /// A message of a list.
    Message { hash: u128, first: bool, finish_reason: Option<&'a str> },
    /// The whole value.
    Whole { hash: u128 },
    /// The whole value as JSON.
    Inline(&'a str),
}

impl<'a> Reference<'a> {
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let (mark, rest) = text.split_at_checked(1)?;
        if mark == "!" {
            return Some(Self::Inline(rest));
        }
        let (digits, finish_reason) = match rest.split_once(' ') {
            Some((digits, reason)) => (digits, Some(reason)),
            None => (rest, None),
        };
        let hash = hash_of(digits)?;
        match mark {
            "*" => Some(Self::Whole { hash }),
            "+" | "=" => Some(Self::Message { hash, first: mark == "+", finish_reason }),
            _ => None,
        }
    }

    pub(crate) fn hash(self) -> Option<u128> {
        match self {
            Self::Message { hash, .. } | Self::Whole { hash } => Some(hash),
            Self::Inline(_) => None,
        }
    }
}

impl std::fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inline(json) => write!(f, "!{json}"),
            Self::Whole { hash } => write!(f, "*{hash:032x}"),
            Self::Message { hash, first, finish_reason } => {
                write!(f, "{}{hash:032x}", if *first { '+' } else { '=' })?;
                finish_reason.map_or(Ok(()), |reason| write!(f, " {reason}"))
            }
        }
    }
}

/// A hash as the table of messages has it.
pub(crate) fn hex(hash: u128) -> String {
    format!("{hash:032x}")
}

/// The hash that such digits say.
pub(crate) fn hash_of(digits: &str) -> Option<u128> {
    u128::from_str_radix(digits, 16).ok()
}

/// The references of a row in a column, if it has any.
pub(crate) fn each_reference<'a>(column: &'a ListArray, row: usize, mut each: impl FnMut(Reference<'a>)) {
    let Some(texts) = column.values().as_string_opt::<i32>().filter(|_| column.is_valid(row)) else { return };
    let bounds = column.value_offsets();
    let (start, end) = (bounds[row] as usize, bounds[row + 1] as usize);
    (start..end).filter(|at| texts.is_valid(*at)).filter_map(|at| Reference::read(texts.value(at))).for_each(&mut each);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_round_trip() {
        let texts = ["+0000000000000000000000000000002a", "=0000000000000000000000000000002a tool_calls", "![1]"];
        for text in texts.into_iter().chain(["*ffffffffffffffffffffffffffffffff"]) {
            assert_eq!(Reference::read(text).unwrap().to_string(), text);
        }
        for text in ["", "+", "?0a", "+zz", "é"] {
            assert_eq!(Reference::read(text), None, "{text}");
        }
    }
}
