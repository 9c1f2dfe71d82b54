//! What is not counted in tokens: searches, pictures, characters, seconds.

use rust_decimal::Decimal;
use serde::Deserialize;
use signalbox_types::{Cost, CostSource, Money};

use crate::row::Dollars;

/// How much of what is not counted in tokens a call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Units {
    /// Searches, as those who sort texts count them.
    pub searches: u64,
    /// Pictures that were made.
    pub images: u64,
    /// Characters that were spoken.
    pub characters: u64,
    /// Milliseconds of sound that was heard.
    pub milliseconds: u64,
}

impl Units {
    /// Nothing is known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// What one of each costs in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitPrices {
    /// A search. Example: `0.002`.
    #[serde(default)]
    pub search: Option<Dollars>,
    /// A picture. Example: `0.04`.
    #[serde(default)]
    pub image: Option<Dollars>,
    /// A character. Example: `0.000015`.
    #[serde(default)]
    pub character: Option<Dollars>,
    /// A second of sound. Example: `0.0001`.
    #[serde(default)]
    pub second: Option<Dollars>,
}

impl UnitPrices {
    /// Every unit that has a price, by the name of its field.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&'static str, Decimal)> {
        let all =
            [("search", self.search), ("image", self.image), ("character", self.character), ("second", self.second)];
        all.into_iter().filter_map(|(unit, dollars)| Some((unit, dollars?.0)))
    }

    /// What so much costs; none if a unit that was used has no price.
    pub(crate) fn cost(&self, units: &Units) -> Option<Cost> {
        let of = |price: Option<Dollars>, count: u64, per: u64| match count {
            0 => Some(Money::ZERO),
            count => price.map(|dollars| times(dollars, count, per)),
        };
        let read = of(self.search, units.searches, 1)?
            + of(self.character, units.characters, 1)?
            + of(self.second, units.milliseconds, 1_000)?;
        let made = of(self.image, units.images, 1)?;
        Some(Cost {
            input: read,
            cache_read: Money::ZERO,
            cache_write: Money::ZERO,
            output: made,
            total: read + made,
            source: CostSource::Priced,
        })
    }
}

/// Whether it can be the price of one thing.
pub(crate) fn is_sound(dollars: Decimal) -> bool {
    !dollars.is_sign_negative() && dollars <= Decimal::ONE_THOUSAND && dollars.scale() <= 12
}

/// In picodollars; the price has been checked.
fn times(dollars: Dollars, count: u64, per: u64) -> Money {
    const PICOS: u64 = 1_000_000_000_000;
    let picos = dollars.0.checked_mul(Decimal::from(PICOS)).and_then(|picos| i128::try_from(picos.trunc()).ok());
    Money::from_picos(picos.unwrap_or(0).saturating_mul(i128::from(count)) / i128::from(per))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{ModelPrice, PriceBook};

    #[test]
    fn units_have_prices_of_their_own() {
        let rows: Vec<ModelPrice> = serde_json::from_value(json!([
            {"model": "ranker", "input": "0", "output": "0", "units": {"search": "0.002"}},
            {"model": "painter", "input": "0", "output": "0", "units": {"image": "0.04"}},
            {"model": "speaker", "input": "0", "output": "0", "units": {"character": "0.000015"}},
            {"model": "listener", "input": "0", "output": "0", "units": {"second": "0.0001"}},
        ]))
        .unwrap();
        let book = PriceBook::with_overrides(&rows).unwrap();
        let check = |model: &str, units: Units, expect: Option<&str>| {
            let cost = book.price_units(None, model, &units);
            assert_eq!(cost.map(|cost| cost.total.to_string()).as_deref(), expect, "{model} {units:?}");
        };
        check("ranker", Units { searches: 3, ..Units::default() }, Some("0.006"));
        check("painter", Units { images: 2, ..Units::default() }, Some("0.08"));
        check("speaker", Units { characters: 1, ..Units::default() }, Some("0.000015"));
        check("listener", Units { milliseconds: 1_500, ..Units::default() }, Some("0.00015"));
        // What has no price, or was not told, is unknown and not free.
        check("ranker", Units { images: 1, ..Units::default() }, None);
        check("ranker", Units::default(), None);
        check("nobody", Units { searches: 1, ..Units::default() }, None);
        let tokens = signalbox_types::Usage { input_tokens: Some(9), ..Default::default() };
        assert_eq!(book.price(None, "ranker", &tokens), None, "tokens have no price there");
    }

    #[test]
    fn a_price_of_one_thing_is_checked() {
        let row = |price: &str| -> ModelPrice {
            serde_json::from_value(json!({"model": "m", "input": "0", "output": "0", "units": {"search": price}}))
                .unwrap()
        };
        assert!(PriceBook::with_overrides(&[row("0.000000000001")]).is_ok());
        for wrong in ["-1", "1001", "0.0000000000001"] {
            let problems = PriceBook::problems(&[row(wrong)]);
            assert_eq!(problems[0].0, "[0].units.search", "{wrong}");
            assert!(problems[0].1.to_string().contains("from 0 to 1000"), "{}", problems[0].1);
            assert!(PriceBook::with_overrides(&[row(wrong)]).is_err());
        }
    }
}
