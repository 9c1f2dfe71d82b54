//! Prices as they are written: in the book and in overrides.

use std::fmt;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::units::UnitPrices;

/// What a million tokens of a model cost in US dollars. A class without a price of its own is charged like uncached
/// input.
// Serde can't refuse unknown fields beside flattened ones. The schema does, for overrides; a test does, for the book.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ModelPrice {
    /// Whose price it is. Without one it holds for the model's name wherever it is served.
    #[serde(default)]
    pub provider: Option<String>,
    /// The model's name at that provider. Example: `gpt-4o-mini`.
    pub model: String,
    /// Other names of the same model.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The usual rates.
    #[serde(flatten)]
    pub rates: Rates,
    /// Other rates for calls whose input is long.
    #[serde(default)]
    pub tiers: Vec<TierPrice>,
    /// Other prices for calls that are served otherwise than usual.
    #[serde(default)]
    pub service: ServicePrices,
    /// What is not counted in tokens, in dollars for one.
    #[serde(default)]
    pub units: UnitPrices,
    /// Anything that a reader of the book should know.
    #[serde(default)]
    pub note: Option<String>,
}

impl ModelPrice {
    /// Whether every tier begins above the one before it.
    pub(crate) fn tiers_rise(&self) -> bool {
        self.tiers.is_sorted_by(|a, b| a.above_input_tokens < b.above_input_tokens)
    }
}

/// Rates that replace the usual ones, for the whole call, once its input is longer than so much.
#[derive(Debug, Clone, PartialEq, Deserialize, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TierPrice {
    /// The tier holds for calls with more input tokens than this, cached ones included.
    pub above_input_tokens: u64,
    /// The rates beyond it.
    #[serde(flatten)]
    pub rates: Rates,
}

/// What calls cost that are served otherwise than usual. One without a price of its own here, at a provider that has one for
/// another of its models, has an unknown cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServicePrices {
    /// Sent together and answered within a day.
    pub batch: Option<ServicePrice>,
    /// Answered when there is room.
    pub flex: Option<ServicePrice>,
    /// Answered before others.
    pub priority: Option<ServicePrice>,
}

impl ServicePrices {
    /// What isn't said is taken from others.
    pub(crate) fn or(self, others: Self) -> Self {
        Self {
            batch: self.batch.or(others.batch),
            flex: self.flex.or(others.flex),
            priority: self.priority.or(others.priority),
        }
    }

    /// Every one that has a price, by the name of its field.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&'static str, ServicePrice)> {
        let all = [("batch", self.batch), ("flex", self.flex), ("priority", self.priority)];
        all.into_iter().filter_map(|(service, price)| Some((service, price?)))
    }
}

/// The price of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum ServicePrice {
    /// So many times the usual one. Example: `0.5`.
    Times(Dollars),
    /// Rates of its own, which hold for every length of the input.
    Rates(Rates),
}

/// What a million tokens of each class cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
pub struct Rates {
    /// Uncached input. Example: `0.15`.
    pub input: Dollars,
    /// Input read from a prompt cache.
    #[serde(default)]
    pub cache_read: Option<Dollars>,
    /// Input written to a prompt cache (Anthropic: kept for five minutes).
    #[serde(default)]
    pub cache_write: Option<Dollars>,
    /// Input written to a prompt cache that keeps it for an hour.
    #[serde(default)]
    pub cache_write_1h: Option<Dollars>,
    /// Output, reasoning included.
    pub output: Dollars,
    /// Input that is sound and was not read from a cache.
    #[serde(default)]
    pub audio_input: Option<Dollars>,
    /// Output that is sound; without a price of its own it is charged like output.
    #[serde(default)]
    pub audio_output: Option<Dollars>,
    /// Input that is pictures and was not read from a cache.
    #[serde(default)]
    pub image_input: Option<Dollars>,
    /// Output that is pictures; without a price of its own it is charged like output.
    #[serde(default)]
    pub image_output: Option<Dollars>,
}

impl Rates {
    /// These two, and nothing else.
    pub(crate) fn plain(input: Dollars, output: Dollars) -> Self {
        Self {
            input,
            cache_read: None,
            cache_write: None,
            cache_write_1h: None,
            output,
            audio_input: None,
            audio_output: None,
            image_input: None,
            image_output: None,
        }
    }

    /// The same; what has no price of its own costs what it costs in others.
    pub(crate) fn or(self, others: &Self) -> Self {
        Self {
            cache_read: self.cache_read.or(others.cache_read),
            cache_write: self.cache_write.or(others.cache_write),
            cache_write_1h: self.cache_write_1h.or(others.cache_write_1h),
            audio_input: self.audio_input.or(others.audio_input),
            audio_output: self.audio_output.or(others.audio_output),
            image_input: self.image_input.or(others.image_input),
            image_output: self.image_output.or(others.image_output),
            ..self
        }
    }

    /// Every class that has a price of its own, by the name of its field.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&'static str, Decimal)> {
        let all = [
            ("input", Some(self.input)),
            ("cache_read", self.cache_read),
            ("cache_write", self.cache_write),
            ("cache_write_1h", self.cache_write_1h),
            ("output", Some(self.output)),
            ("audio_input", self.audio_input),
            ("audio_output", self.audio_output),
            ("image_input", self.image_input),
            ("image_output", self.image_output),
        ];
        all.into_iter().filter_map(|(class, dollars)| Some((class, dollars?.0)))
    }
}

/// US dollars, to the digit: written as a number, or as a text where a reader of the file might round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dollars(pub Decimal);

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amount;
        impl Visitor<'_> for Amount {
            type Value = Dollars;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("dollars, like `2.50`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Dollars, E> {
                let amount = text.trim().parse();
                amount.map(Dollars).map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Dollars, E> {
                Ok(Dollars(number.into()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Dollars, E> {
                Ok(Dollars(number.into()))
            }

            // The shortest digits that mean this number are those that were written.
            fn visit_f64<E: Error>(self, number: f64) -> Result<Dollars, E> {
                self.visit_str(&number.to_string())
            }
        }
        deserializer.deserialize_any(Amount)
    }
}

impl schemars::JsonSchema for Dollars {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Dollars".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["number", "string"],
            "pattern": r"^\s*-?[0-9]+(\.[0-9]+)?\s*$",
            "description": "Dollars per million tokens.",
            "examples": ["2.50"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_in_every_way_that_people_write_them() {
        let check = |json: &str, expected: &str| {
            assert_eq!(serde_json::from_str::<Dollars>(json).unwrap().0.to_string(), expected, "{json}");
        };
        check("2", "2");
        check("0.15", "0.15");
        check("0.000001", "0.000001");
        check("\"2.50\"", "2.50");
        check("\" 3 \"", "3");
        check("-1", "-1");
        for json in ["\"much\"", "true", "null", "[]"] {
            let error = serde_json::from_str::<Dollars>(json).unwrap_err().to_string();
            assert!(error.contains("expected dollars, like `2.50`"), "{error}");
        }
    }

    #[test]
    fn the_book_names_no_field_that_does_not_exist() {
        let book: serde_json::Value = serde_json::from_str(include_str!("../data/prices.json")).unwrap();
        let known = |schema: schemars::Schema| -> Vec<String> {
            assert_eq!(schema.get("additionalProperties"), Some(&false.into()), "{schema:?}");
            schema.get("properties").unwrap().as_object().unwrap().keys().cloned().collect()
        };
        let (model_fields, tier_fields) =
            (known(schemars::schema_for!(ModelPrice)), known(schemars::schema_for!(TierPrice)));
        for model in book.as_array().unwrap().iter().flat_map(|vendor| vendor["models"].as_array().unwrap()) {
            let mut fields = model.as_object().unwrap().keys();
            assert!(fields.all(|field| model_fields.contains(field)), "{model}");
            for tier in model["tiers"].as_array().into_iter().flatten() {
                assert!(tier.as_object().unwrap().keys().all(|field| tier_fields.contains(field)), "{tier}");
            }
        }
    }
}
