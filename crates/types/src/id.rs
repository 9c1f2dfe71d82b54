//! Identifiers. Trace and span ids are W3C Trace Context ids; ours are made from UUIDv7, so that
//! they sort by time.

use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Builder;

use crate::seam::{Clock as _, SystemClock};

/// A text that is not an identifier of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {kind}: expected {digits} hexadecimal digits, not all zero")]
pub struct InvalidId {
    kind: &'static str,
    digits: usize,
    found: String,
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, utoipa::ToSchema)]
        #[schema(value_type = String)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The id with these bytes; `None` if all are zero, which W3C Trace Context forbids.
            #[must_use]
            pub fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> {
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }

            /// The id in the bytes of a slice; `None` if the length is wrong or all are zero.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Self::from_bytes(bytes.try_into().ok()?)
            }

            /// The raw bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
                // Every span is told by its ids many times: `{byte:02x}` would take ten times as long.
                self.0.iter().try_for_each(|byte| {
                    f.write_char(DIGITS[usize::from(byte >> 4)])?;
                    f.write_char(DIGITS[usize::from(byte & 15)])
                })
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = || InvalidId { kind: $kind, digits: $bytes * 2, found: text.chars().take(80).collect() };
                let digits = text.as_bytes();
                if digits.len() != $bytes * 2 {
                    return Err(invalid());
                }
                let mut bytes = [0; $bytes];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    let digit = |d: u8| (d as char).to_digit(16).ok_or_else(invalid);
                    *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
                }
                Self::from_bytes(bytes).ok_or_else(invalid)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

hex_id!(
    /// A W3C trace id: 16 bytes, written as 32 lower-case hexadecimal digits.
    TraceId, 16, "trace id"
);
hex_id!(
    /// A W3C span id: 8 bytes, written as 16 lower-case hexadecimal digits.
    SpanId, 8, "span id"
);

impl TraceId {
    /// A new id that sorts by time, and among those of this process by when it was made (a UUIDv7, RFC 9562, whose
    /// milliseconds have twelve bits of fraction). Nobody has to be unable to guess it, so the system isn't asked for
    /// each.
    #[expect(clippy::new_without_default, reason = "every call gives another id")]
    #[must_use]
    pub fn new() -> Self {
        /// The last one's time, in 4096ths of a millisecond.
        static LAST: AtomicU64 = AtomicU64::new(0);
        let now = u64::try_from(SystemClock::new().now().as_micros()).unwrap_or_default() * 4_096 / 1_000;
        let after = |last: u64| now.max(last.saturating_add(1));
        let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(after(last)));
        let ticks = after(last.unwrap_or_else(|last| last));
        let mut rest = [0; 10];
        rest[2..].copy_from_slice(&fastrand::u64(..).to_be_bytes());
        rest[..2].copy_from_slice(&((ticks % 4_096) as u16).to_be_bytes());
        Self(Builder::from_unix_timestamp_millis(ticks / 4_096, &rest).into_uuid().into_bytes())
    }
}

impl SpanId {
    /// A new random id. That of a trace isn't asked of the system either.
    #[expect(clippy::new_without_default, reason = "every call gives another id")]
    #[must_use]
    pub fn new() -> Self {
        Self(fastrand::u64(1..).to_be_bytes())
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[schema(value_type = String)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The id with this text.
            #[must_use]
            pub fn new(text: &str) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A project: the unit of tenancy. Every event and every query carries one.
    ProjectId
);
text_id!(
    /// A virtual key's public name, safe to log and to show.
    KeyId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips() {
        let id: TraceId = "0af7651916cd43dd8448eb211c80319c".parse().unwrap();
        assert_eq!(id.to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(serde_json::from_str::<TraceId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn refuses_what_is_no_id() {
        for text in ["", "00000000000000000000000000000000", "0af7", "zaf7651916cd43dd8448eb211c80319c", "ééééééééé"]
        {
            assert!(text.parse::<TraceId>().is_err(), "{text}");
        }
    }

    #[test]
    fn new_ids_sort_by_time() {
        let ids: Vec<_> = (0..10_000).map(|_| TraceId::new()).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        for id in ids {
            let id = uuid::Uuid::from_bytes(id.0);
            assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
            let (seconds, _) = id.get_timestamp().unwrap().to_unix();
            assert!((SystemClock::new().now().as_micros() / 1_000_000).cast_unsigned().abs_diff(seconds) < 60);
        }
    }
}
