//! Money is an integer number of picodollars, never a float.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// An amount in US dollars, kept as picodollars (10⁻¹² USD): a token at $0.0375 per million is
/// 37 500 of them, so that no price that a provider publishes has to be rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, utoipa::ToSchema)]
#[schema(value_type = f64)]
pub struct Money(i128);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Decimal places kept.
    pub const SCALE: u32 = 12;

    /// This many picodollars.
    #[must_use]
    pub const fn from_picos(picos: i128) -> Self {
        Self(picos)
    }

    /// The amount in picodollars.
    #[must_use]
    pub const fn as_picos(self) -> i128 {
        self.0
    }

    /// For charts and headers only: never calculate with it.
    #[must_use]
    pub fn as_dollars(self) -> f64 {
        self.0 as f64 / 1e12
    }

    /// The nearest amount to a float that somebody reported; `None` if it is not finite or too large.
    #[must_use]
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        (dollars.is_finite() && dollars.abs() < 1e15).then(|| Self((dollars * 1e12).round() as i128))
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// Dollars with as many decimals as needed and at least two: `0.0000375`, `12.50`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let picos = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let fraction = format!("{:012}", picos % 1_000_000_000_000);
        let kept = fraction.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{}.{}", picos / 1_000_000_000_000, fraction.get(..kept).unwrap_or("00"))
    }
}

impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_dollars())
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(deserializer)?;
        Self::from_dollars(dollars).ok_or_else(|| serde::de::Error::custom("expected an amount in dollars"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_it_is() {
        let check = |picos, text: &str| assert_eq!(Money::from_picos(picos).to_string(), text);
        check(0, "0.00");
        check(37_500, "0.0000000375");
        check(12_500_000_000_000, "12.50");
        check(-1_000_000_000_000, "-1.00");
    }
}
