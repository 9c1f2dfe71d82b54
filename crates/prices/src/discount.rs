//! What a contract takes off list prices.

use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error as _};
use signalbox_types::{Cost, Money};

use crate::cost::scaled;
use crate::name;
use crate::row::Dollars;

/// What a contract with a provider takes off its list prices. Prices of your own are what you pay already: nothing is
/// taken off them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Discount {
    /// The provider as `gen_ai.provider.name` has it. Example: `azure.ai.openai`.
    pub provider: String,
    /// The model; `gpt-5*` stands for all that begin so. Default: every model.
    #[serde(default)]
    pub model: Option<String>,
    /// How much is taken off, in percent. Example: `12.5`.
    pub percent: Percent,
}

/// A part of a hundred, to the digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(Decimal);

impl Discount {
    /// Whether it holds for a call.
    pub(crate) fn holds(&self, provider: &str, model: &str) -> bool {
        let same = |one: &str, other: &str| one.trim().eq_ignore_ascii_case(other.trim());
        same(&self.provider, provider)
            && self.model.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
                Some(beginning) => name::model(model).starts_with(&name::model(beginning)),
                None => name::candidates(&name::model(model)).any(|model| model == name::model(wanted)),
            })
    }

    /// A cost with the discount taken off each of its parts, so that they still add up.
    pub(crate) fn off(&self, cost: Cost) -> Cost {
        let take = |money: Money| self.percent.off(money);
        let (input, cache_read, cache_write, output) =
            (take(cost.input), take(cost.cache_read), take(cost.cache_write), take(cost.output));
        let total = [input, cache_read, cache_write, output].into_iter().sum();
        Cost { input, cache_read, cache_write, output, total, source: cost.source }
    }
}

impl Percent {
    fn off(self, money: Money) -> Money {
        scaled(money, (Decimal::ONE_HUNDRED - self.0) / Decimal::ONE_HUNDRED)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str = "expected a percentage from 0 to 100, like `12.5`";
        let Dollars(number) = Dollars::deserialize(deserializer).map_err(|_| D::Error::custom(EXPECTED))?;
        if (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&number) && number.scale() <= 6 {
            return Ok(Self(number));
        }
        Err(D::Error::custom(format!("{EXPECTED}, found {number}")))
    }
}

impl schemars::JsonSchema for Percent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["number", "string"],
            "minimum": 0,
            "maximum": 100,
            "description": "Percent.",
            "examples": ["12.5"],
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use signalbox_types::Usage;

    use super::*;
    use crate::{ModelPrice, PriceBook};

    fn discount(provider: &str, model: Option<&str>, percent: &str) -> Discount {
        serde_json::from_value(json!({"provider": provider, "model": model, "percent": percent})).unwrap()
    }

    fn total(book: &PriceBook, provider: &str, model: &str) -> String {
        let usage = Usage { input_tokens: Some(1_000_000), ..Usage::default() };
        book.price(Some(provider), model, &usage).unwrap().total.to_string()
    }

    #[test]
    fn a_contract_holds_for_its_provider_and_models() {
        let all = vec![
            discount("azure.ai.openai", None, "12.5"),
            discount("openai", Some("gpt-5*"), "10"),
            discount("openai", Some("gpt-4o"), "50"),
        ];
        let book = PriceBook::builtin().discounted(all);
        assert_eq!(total(&book, "openai", "gpt-4o"), "1.25");
        assert_eq!(total(&book, "openai", "gpt-4o-2024-08-06"), "1.25", "a build of the model");
        assert_eq!(total(&book, "openai", "gpt-4o-mini"), "0.15", "another model");
        assert_eq!(total(&book, "azure.ai.openai", "gpt-4o"), "2.1875", "who resells it has a contract of its own");
        assert_eq!(total(&book, "openai", "gpt-5-mini"), "0.225");
        assert_eq!(total(&book, "anthropic", "claude-haiku-4-5"), "1.00");
    }

    #[test]
    fn the_parts_still_add_up_and_nothing_is_lost() {
        let book = PriceBook::builtin().discounted(vec![discount("openai", None, "33.333333")]);
        let usage = Usage { input_tokens: Some(7), output_tokens: Some(3), ..Usage::default() };
        let cost = book.price(Some("openai"), "gpt-4o", &usage).unwrap();
        assert_eq!(cost.total, cost.input + cost.cache_read + cost.cache_write + cost.output);
        // 7 × 2 500 000 and 3 × 10 000 000 picodollars, two thirds of each.
        assert_eq!((cost.input.as_picos(), cost.output.as_picos()), (11_666_667, 20_000_000));
    }

    #[test]
    fn own_prices_are_what_is_paid() {
        let own: ModelPrice =
            serde_json::from_value(json!({"provider": "openai", "model": "gpt-4o", "input": "1", "output": "1"}))
                .unwrap();
        let book = PriceBook::with(&[own], &[]).unwrap().discounted(vec![discount("openai", None, "50")]);
        assert_eq!(total(&book, "openai", "gpt-4o"), "1.00");
        assert_eq!(total(&book, "openai", "gpt-4o-mini"), "0.075");
    }

    #[test]
    fn a_percentage_is_one() {
        for (wrong, said) in [("101", "found 101"), ("-1", "found -1"), ("much", "like `12.5`")] {
            let error = serde_json::from_value::<Percent>(json!(wrong)).unwrap_err().to_string();
            assert!(error.contains("from 0 to 100") && error.contains(said), "{error}");
        }
    }
}
