//! Points in time and ranges of it. Microseconds since the Unix epoch, UTC, everywhere.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::object::object_only;

/// A point in time: microseconds since the Unix epoch, UTC. Written as RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(i64);

/// A text that names no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a point in time: expected RFC 3339 (`2026-11-24T08:00:00Z`), `now`, or `now-15m` (units s, m, h, d)"
)]
pub struct InvalidTime(String);

impl Timestamp {
    /// The point this many microseconds after the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The point this many nanoseconds after the Unix epoch, as OTLP writes it; rounded down.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self((nanos / 1_000) as i64)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This point moved later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This point moved earlier.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let time: jiff::Timestamp = text.parse().map_err(|_| InvalidTime(text.chars().take(80).collect()))?;
        Ok(Self(time.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One end of a [`TimeRange`]: RFC 3339, `now`, or `now-15m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeBound {
    /// A fixed point.
    At(Timestamp),
    /// So long before the moment the query runs.
    Ago(Duration),
}

impl TimeBound {
    /// The point this bound names when it is `now`.
    #[must_use]
    pub fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(ago) => now.minus(ago),
        }
    }
}

impl FromStr for TimeBound {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let Some(ago) = text.strip_prefix("now") else { return text.parse().map(Self::At) };
        if ago.is_empty() {
            return Ok(Self::Ago(Duration::ZERO));
        }
        ago.strip_prefix('-')
            .and_then(parse_duration)
            .map(Self::Ago)
            .ok_or_else(|| InvalidTime(text.chars().take(80).collect()))
    }
}

impl fmt::Display for TimeBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(time) => time.fmt(f),
            Self::Ago(Duration::ZERO) => f.write_str("now"),
            Self::Ago(ago) => write!(f, "now-{}s", ago.as_secs()),
        }
    }
}

impl Serialize for TimeBound {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeBound {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A span of time: `from` is in it, `to` is not. The default is the last hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct TimeRange {
    /// The first moment in the range.
    #[serde(default = "an_hour_ago")]
    #[schema(value_type = String, example = "now-1h")]
    pub from: TimeBound,
    /// The first moment after the range.
    #[serde(default = "now")]
    #[schema(value_type = String, example = "now")]
    pub to: TimeBound,
}

object_only!(TimeRange);

fn an_hour_ago() -> TimeBound {
    TimeBound::Ago(Duration::from_secs(3_600))
}

fn now() -> TimeBound {
    TimeBound::Ago(Duration::ZERO)
}

impl Default for TimeRange {
    fn default() -> Self {
        Self { from: an_hour_ago(), to: now() }
    }
}

impl TimeRange {
    /// Everything there is.
    #[must_use]
    pub fn all() -> Self {
        Self { from: TimeBound::At(Timestamp(0)), to: TimeBound::At(Timestamp(i64::MAX / 2_000)) }
    }

    /// The first moment in and the first moment after the range, when it is `now`. A range that
    /// ends `now` includes what happens at this very microsecond.
    #[must_use]
    pub fn resolve(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let to = match self.to {
            TimeBound::Ago(Duration::ZERO) => Timestamp(now.0 + 1),
            bound => bound.resolve(now),
        };
        (self.from.resolve(now), to)
    }
}

/// `15m`, `1h`, `30s`, `7d`, `250ms` as a duration.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(ms)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_round_trips() {
        let time: Timestamp = "2026-11-24T08:00:00.123456Z".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-24T08:00:00.123456Z");
        assert_eq!("2026-11-24T09:00:00.123456+01:00".parse(), Ok(time));
    }

    #[test]
    fn relative_bounds() {
        let now = Timestamp::from_micros(10_000_000_000);
        let range: TimeRange = serde_json::from_str(r#"{"from":"now-15m"}"#).unwrap();
        assert_eq!(range.resolve(now), (now.minus(Duration::from_secs(900)), Timestamp(now.0 + 1)));
        assert!("now-15".parse::<TimeBound>().is_err());
        assert!("yesterday".parse::<TimeBound>().is_err());
    }
}
