use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use rust_decimal::Decimal;
use serde::Deserialize;
use signalbox_types::{Cost, Money, Usage};

use crate::discount::Discount;
use crate::error::PriceError;
use crate::row::{Dollars, ModelPrice, Rates, ServicePrices, TierPrice};
use crate::service::{self, ServiceRates, Services};
use crate::units::{self, UnitPrices, Units};
use crate::{Details, Service, cost_with, name};

/// Picodollars per token: exact for every price with at most six decimals per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate(i128);

impl Rate {
    pub(crate) fn new(model: &str, class: &'static str, dollars_per_million: Decimal) -> Result<Self, PriceError> {
        let wrong = || PriceError::Rate { model: model.to_owned(), class, found: dollars_per_million };
        let million = Decimal::from(1_000_000);
        if dollars_per_million.is_sign_negative() || dollars_per_million > million {
            return Err(wrong());
        }
        let picos = dollars_per_million.checked_mul(million).ok_or_else(wrong)?;
        if !picos.fract().is_zero() {
            return Err(wrong());
        }
        i128::try_from(picos).map(Self).map_err(|_| wrong())
    }

    pub(crate) fn times(self, tokens: u64) -> Money {
        Money::from_picos(self.0.saturating_mul(i128::from(tokens)))
    }
}

/// What a token of each class costs; one without a price of its own is charged like input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenRates {
    pub(crate) input: Rate,
    pub(crate) cache_read: Rate,
    pub(crate) cache_write: Rate,
    pub(crate) cache_write_1h: Rate,
    pub(crate) output: Rate,
    pub(crate) audio_input: Rate,
    pub(crate) audio_output: Rate,
    pub(crate) image_input: Rate,
    pub(crate) image_output: Rate,
}

impl TokenRates {
    pub(crate) fn new(model: &str, rates: &Rates) -> Result<Self, PriceError> {
        let rate = |class, dollars: Dollars| Rate::new(model, class, dollars.0);
        let cache_write = rates.cache_write.unwrap_or(rates.input);
        Ok(Self {
            input: rate("input", rates.input)?,
            cache_read: rate("cache_read", rates.cache_read.unwrap_or(rates.input))?,
            cache_write: rate("cache_write", cache_write)?,
            cache_write_1h: rate("cache_write_1h", rates.cache_write_1h.unwrap_or(cache_write))?,
            output: rate("output", rates.output)?,
            audio_input: rate("audio_input", rates.audio_input.unwrap_or(rates.input))?,
            audio_output: rate("audio_output", rates.audio_output.unwrap_or(rates.output))?,
            image_input: rate("image_input", rates.image_input.unwrap_or(rates.input))?,
            image_output: rate("image_output", rates.image_output.unwrap_or(rates.output))?,
        })
    }
}

/// The price of one model at one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Whose price it is; empty where it holds for the name wherever it is served.
    pub provider: String,
    /// The model, as the book names it.
    pub model: String,
    base: TokenRates,
    /// Rising; the last one below the input's length holds.
    tiers: Vec<(u64, TokenRates)>,
    services: Services,
    units: UnitPrices,
    /// Others serve the same name at prices of their own.
    open_weights: bool,
    /// Somebody wrote down what he pays.
    is_own: bool,
}

impl Price {
    /// The rates of a call with so many input tokens, cached ones included.
    pub(crate) fn rates(&self, input_tokens: u64) -> &TokenRates {
        self.tiers.iter().rev().find(|(above, _)| input_tokens > *above).map_or(&self.base, |(_, rates)| rates)
    }

    /// What calls of a service cost, beside the usual rates; none if that isn't known.
    pub(crate) fn service(&self, service: Service) -> Option<ServiceRates> {
        self.services.of(service)
    }

    /// What is paid by the piece alone has no price of tokens, which is not a price of nothing.
    fn is_by_token(&self) -> bool {
        self.units == UnitPrices::default() || self.base.input.0 > 0 || self.base.output.0 > 0
    }

    fn new(provider: &str, open_weights: bool, row: &ModelPrice) -> Result<Self, PriceError> {
        let tier = |tier: &TierPrice| Ok((tier.above_input_tokens, TokenRates::new(&row.model, &tier.rates)?));
        let tiers = row.tiers.iter().map(tier).collect::<Result<Vec<_>, PriceError>>()?;
        if !row.tiers_rise() {
            return Err(PriceError::Tiers { model: row.model.clone() });
        }
        if let Some((_, problem)) = unit_problems(row).next() {
            return Err(problem);
        }
        Ok(Self {
            provider: provider.to_owned(),
            model: row.model.clone(),
            base: TokenRates::new(&row.model, &row.rates)?,
            tiers,
            services: Services::new(row)?,
            units: row.units,
            open_weights,
            is_own: false,
        })
    }
}

/// Prices of single things that are none.
fn unit_problems(row: &ModelPrice) -> impl Iterator<Item = (&'static str, PriceError)> {
    let wrong = row.units.written().filter(|(_, dollars)| !units::is_sound(*dollars));
    wrong.map(move |(unit, found)| (unit, PriceError::Unit { model: row.model.clone(), unit, found }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vendor {
    provider: String,
    // For people who check a price: the file is its own documentation.
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(default)]
    open_weights: bool,
    /// What holds for every model that says nothing else.
    #[serde(default)]
    service: ServicePrices,
    models: Vec<ModelPrice>,
}

/// Who charges what. See the crate's README for how names are matched.
#[derive(Debug, Clone, Default)]
pub struct PriceBook {
    /// By the book's name of the provider, then by model. The provider `""` is everybody.
    vendors: HashMap<String, HashMap<String, Price>>,
    /// What contracts take off; the first that holds counts.
    discounts: Vec<Discount>,
}

impl PriceBook {
    /// The book that comes with this version.
    #[must_use]
    pub fn builtin() -> Self {
        static BOOK: LazyLock<PriceBook> = LazyLock::new(|| {
            // A broken file can't be released: a test reads it. Unknown prices beat no service.
            PriceBook::read(include_str!("../data/prices.json")).unwrap_or_default()
        });
        BOOK.clone()
    }

    /// The built-in book with these prices added, or put in the place of its own.
    ///
    /// # Errors
    /// If one of them can't be a price, or two are for the same name.
    pub fn with_overrides(overrides: &[ModelPrice]) -> Result<Self, PriceError> {
        Self::with(overrides, &[])
    }

    /// The built-in book with imported prices in front of it, and overrides in front of those.
    ///
    /// # Errors
    /// If one of them can't be a price, or two of a list are for the same name.
    pub fn with(overrides: &[ModelPrice], imported: &[ModelPrice]) -> Result<Self, PriceError> {
        let mut book = Self::builtin();
        for (list, is_own) in [(imported, false), (overrides, true)] {
            let mut own = Self::default();
            for row in list {
                let provider = row.provider.as_deref().map(name::provider).unwrap_or_default();
                own.add(&provider, false, row)?;
            }
            for price in own.vendors.values_mut().flat_map(HashMap::values_mut) {
                price.is_own = is_own;
            }
            for (provider, models) in own.vendors {
                book.vendors.entry(provider).or_default().extend(models);
            }
        }
        Ok(book)
    }

    /// The same book with what contracts take off: of several that hold for a call, the first one counts.
    #[must_use]
    pub fn discounted(mut self, discounts: Vec<Discount>) -> Self {
        self.discounts = discounts;
        self
    }

    /// Everything that keeps these overrides from being used, each with its path: `[1].tiers[0].input`.
    #[must_use]
    pub fn problems(overrides: &[ModelPrice]) -> Vec<(String, PriceError)> {
        let mut problems = Vec::new();
        let mut seen = HashSet::new();
        for (place, row) in overrides.iter().enumerate() {
            let tiers = row.tiers.iter().enumerate().map(|(n, tier)| (format!("[{place}].tiers[{n}]"), &tier.rates));
            for (path, rates) in std::iter::once((format!("[{place}]"), &row.rates)).chain(tiers) {
                let wrong =
                    |(class, dollars)| Some((format!("{path}.{class}"), Rate::new(&row.model, class, dollars).err()?));
                problems.extend(rates.written().filter_map(wrong));
            }
            problems.extend(service::problems(row).map(|(at, error)| (format!("[{place}].service.{at}"), error)));
            problems.extend(unit_problems(row).map(|(unit, error)| (format!("[{place}].units.{unit}"), error)));
            if !row.tiers_rise() {
                problems.push((format!("[{place}].tiers"), PriceError::Tiers { model: row.model.clone() }));
            }
            let provider = row.provider.as_deref().map(name::provider).unwrap_or_default();
            let aliases = row.aliases.iter().enumerate().map(|(n, alias)| (format!("[{place}].aliases[{n}]"), alias));
            for (path, alias) in std::iter::once((format!("[{place}].model"), &row.model)).chain(aliases) {
                if !seen.insert((provider.clone(), name::model(alias))) {
                    problems.push((path, PriceError::Twice { model: alias.clone() }));
                }
            }
        }
        problems
    }

    fn read(json: &str) -> Result<Self, PriceError> {
        let vendors: Vec<Vendor> = serde_json::from_str(json).map_err(|error| PriceError::Book(error.to_string()))?;
        let mut book = Self::default();
        for vendor in vendors {
            for mut row in vendor.models {
                row.service = row.service.or(vendor.service);
                book.add(&vendor.provider, vendor.open_weights, &row)?;
            }
        }
        Ok(book)
    }

    fn add(&mut self, provider: &str, open_weights: bool, row: &ModelPrice) -> Result<(), PriceError> {
        let price = Price::new(provider, open_weights, row)?;
        let models = self.vendors.entry(provider.to_owned()).or_default();
        for alias in std::iter::once(&row.model).chain(&row.aliases) {
            if models.insert(name::model(alias), price.clone()).is_some() {
                return Err(PriceError::Twice { model: alias.clone() });
            }
        }
        Ok(())
    }

    /// The price of this model, as this provider or anybody who resells it at the vendor's price
    /// names it. `None` rather than the price of another model.
    #[must_use]
    pub fn find(&self, provider: Option<&str>, model: &str) -> Option<&Price> {
        let server = provider.map(name::provider).filter(|provider| !provider.is_empty());
        let model = name::model(model);
        let mut vendor = server.clone();
        let mut rest = model.as_str();
        // `openrouter/anthropic/claude-…`, `models/gemini-…`, `anthropic.claude-…`: at most a few.
        for _ in 0..8 {
            if let Some(price) = self.find_exactly(server.as_deref(), vendor.as_deref(), rest) {
                return Some(price);
            }
            if let Some((prefix, tail)) = rest.split_once('/') {
                let named = name::provider(prefix);
                if self.vendors.contains_key(&named) {
                    vendor = Some(named);
                }
                rest = tail;
            } else if let Some(tail) =
                rest.strip_prefix("global-anthropic-").or_else(|| rest.strip_prefix("anthropic-"))
            {
                // Bedrock's ids; the regional ones (`us.anthropic.…`) cost more for newer models.
                vendor = Some("anthropic".to_owned());
                rest = tail;
            } else {
                return None;
            }
        }
        None
    }

    /// What this usage costs; `None` if the model's price or the usage is unknown, which is not zero.
    #[must_use]
    pub fn price(&self, provider: Option<&str>, model: &str, usage: &Usage) -> Option<Cost> {
        self.price_with(provider, model, usage, &Details::default())
    }

    /// The same where more is known of how it was used. `None` also where it was served in a way that this provider takes
    /// another price for, and that price is unknown.
    #[must_use]
    pub fn price_with(&self, provider: Option<&str>, model: &str, usage: &Usage, details: &Details) -> Option<Cost> {
        if usage.is_unknown() {
            return None;
        }
        let price = self.find(provider, model).filter(|price| price.is_by_token())?;
        if let Some(service) = details.service
            && price.service(service).is_none()
            && self.takes_another_price(price, service)
        {
            return None;
        }
        Some(self.off(provider, model, price, cost_with(usage, details, price)))
    }

    /// Whoever sells one of its models in another way at another price does so with the rest.
    fn takes_another_price(&self, price: &Price, service: Service) -> bool {
        let others = self.vendors.get(&price.provider);
        others.is_some_and(|others| others.values().any(|other| other.service(service).is_some()))
    }

    /// What is not counted in tokens costs; `None` if it or its price is unknown, which is not zero.
    #[must_use]
    pub fn price_units(&self, provider: Option<&str>, model: &str, units: &Units) -> Option<Cost> {
        if units.is_unknown() {
            return None;
        }
        let price = self.find(provider, model)?;
        Some(self.off(provider, model, price, price.units.cost(units)?))
    }

    fn off(&self, provider: Option<&str>, model: &str, price: &Price, cost: Cost) -> Cost {
        let by = provider.unwrap_or(&price.provider);
        let discount = self.discounts.iter().find(|discount| !price.is_own && discount.holds(by, model));
        discount.map_or(cost, |discount| discount.off(cost))
    }

    fn find_exactly(&self, server: Option<&str>, vendor: Option<&str>, model: &str) -> Option<&Price> {
        let everybody = self.vendors.get("");
        name::candidates(model).find_map(|model| {
            let of = |vendor: &str| self.vendors.get(vendor)?.get(model);
            if let Some(price) = vendor.and_then(of).or_else(|| everybody?.get(model)) {
                // Open weights cost what their server asks, not what their maker asks.
                let made_here =
                    server.is_none() || server == Some(price.provider.as_str()) || price.provider.is_empty();
                return (made_here || !price.open_weights).then_some(price);
            }
            // A known vendor in front of the name says where to look; otherwise a name that only
            // one vendor has is that vendor's, whoever passes the call on.
            let mut found = self.vendors.values().filter_map(|models| models.get(model));
            let price = found.next().filter(|price| !price.open_weights)?;
            found.next().is_none().then_some(price)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(provider: Option<&str>, model: &str, expected: Option<(&str, &str)>) {
        let book = PriceBook::builtin();
        let found = book.find(provider, model).map(|price| (price.provider.as_str(), price.model.as_str()));
        assert_eq!(found, expected, "{provider:?} {model}");
    }

    #[test]
    fn the_built_in_book_is_sound() {
        let book = PriceBook::read(include_str!("../data/prices.json")).unwrap();
        assert!(book.vendors.len() >= 8);
        for models in book.vendors.values() {
            for price in models.values() {
                assert!(price.base.cache_read.0 <= price.base.input.0, "{}", price.model);
                assert!(price.base.output.0 >= price.base.input.0 || price.base.output.0 == 0, "{}", price.model);
            }
        }
    }

    #[test]
    fn names_as_people_write_them() {
        let mini = Some(("openai", "gpt-4o-mini"));
        check(Some("openai"), "gpt-4o-mini", mini);
        check(None, "gpt-4o-mini", mini);
        check(None, "GPT-4o-Mini", mini);
        check(Some("openai"), "gpt-4o-mini-2024-07-18", mini);
        check(None, "openai/gpt-4o-mini", mini);
        check(Some("openrouter"), "openai/gpt-4o-mini", mini);
        check(None, "openrouter/openai/gpt-4o-mini-2024-07-18", mini);
        check(Some("azure.ai.openai"), "gpt-4o-mini", mini);
        check(Some("litellm"), "gpt-4o-mini", mini);

        let sonnet = Some(("anthropic", "claude-3-5-sonnet"));
        check(Some("anthropic"), "claude-3-5-sonnet-20241022", sonnet);
        check(Some("anthropic"), "claude-3-5-sonnet-latest", sonnet);
        check(Some("gcp.vertex_ai"), "claude-3-5-sonnet@20240620", sonnet);
        check(Some("aws.bedrock"), "anthropic.claude-3-5-sonnet-20240620-v1:0", sonnet);
        check(Some("openai"), "anthropic/claude-3.5-sonnet", sonnet);
        check(Some("openai"), "claude-3-5-sonnet", sonnet);

        check(Some("gcp.gemini"), "models/gemini-2.5-flash", Some(("gcp.gemini", "gemini-2.5-flash")));
        check(Some("google"), "gemini-2.0-flash-001", Some(("gcp.gemini", "gemini-2.0-flash")));
        check(
            Some("vertex_ai"),
            "projects/p/locations/eu/publishers/google/models/gemini-2.5-pro",
            Some(("gcp.gemini", "gemini-2.5-pro")),
        );
        check(Some("groq"), "openai/gpt-oss-120b", Some(("groq", "openai/gpt-oss-120b")));
        check(None, "groq/openai/gpt-oss-120b", Some(("groq", "openai/gpt-oss-120b")));
    }

    #[test]
    fn simulated_models() {
        let small = Some(("sim", "small"));
        check(Some("sim"), "sim/small", small);
        check(None, "sim/small", small);
        check(Some("sim"), "small", small);
        check(Some("simulated"), "small", small);
        check(None, "small", None);
    }

    #[test]
    fn never_another_model() {
        check(None, "gpt-4o", Some(("openai", "gpt-4o")));
        check(None, "gpt-4o-2024-05-13", Some(("openai", "gpt-4o-2024-05-13")));
        check(None, "gpt-4", Some(("openai", "gpt-4")));
        for unknown in [
            "",
            "/",
            "gpt-4o-mini-turbo",
            "gpt-4o-miniature",
            "gpt-4o-audio-preview",
            "gpt",
            "ft:gpt-4o-mini-2024-07-18:acme::abc",
            "gemini-2.5-flash-image",
            "mistral-large-2407",
            "claude",
            "o3-2025",
            "deepseek/gpt-4o:free",
            "a/b/c/d/e/f/g/h/i/j/k/gpt-4o",
        ] {
            check(None, unknown, None);
        }
        // Whoever serves open weights sets the price.
        check(Some("together"), "openai/gpt-oss-120b", None);
        check(None, "llama-3.3-70b-versatile", None);
        check(Some("ollama"), "llama-3.3-70b-versatile", None);
        check(Some("openrouter"), "deepseek/deepseek-v4-pro", None);
        check(Some("deepseek"), "deepseek-v4-pro", Some(("deepseek", "deepseek-v4-pro")));
        // Dearer than the list price in some regions.
        check(Some("aws.bedrock"), "us.anthropic.claude-sonnet-4-5-20250929-v1:0", None);
    }

    #[test]
    fn overrides_win_and_must_be_prices() {
        let row = |json: &str| serde_json::from_str::<ModelPrice>(json).unwrap();
        let own = [
            row(r#"{"provider":"openai","model":"gpt-4o","input":"1","output":"2"}"#),
            row(r#"{"model":"our-model","input":0.25,"output":1}"#),
        ];
        let book = PriceBook::with_overrides(&own).unwrap();
        let usage = Usage { input_tokens: Some(1_000_000), ..Usage::default() };
        let total = |provider, model| book.price(provider, model, &usage).map(|cost| cost.total.to_string());
        assert_eq!(total(Some("openai"), "gpt-4o-2024-08-06").as_deref(), Some("1.00"));
        assert_eq!(total(Some("vllm"), "our-model").as_deref(), Some("0.25"));

        let error = |json: &str| PriceBook::with_overrides(&[row(json)]).unwrap_err().to_string();
        assert_eq!(
            error(r#"{"model":"m","input":"-1","output":"1"}"#),
            "price of `m`: `input` is -1, expected dollars per million tokens from 0 to 1000000 with at most 6 decimals, e.g. \"2.50\""
        );
        assert!(error(r#"{"model":"m","input":"1","output":"0.0000001"}"#).contains("`output`"));
        assert!(error(r#"{"model":"m","aliases":["M"],"input":"1","output":"1"}"#).contains("two prices"));
        let tier = r#"{"above_input_tokens":5,"input":"1","output":"1"}"#;
        let error = error(&format!(r#"{{"model":"m","input":"1","output":"1","tiers":[{tier},{tier}]}}"#));
        assert!(error.contains("rising order"), "{error}");
    }

    #[test]
    fn every_problem_of_overrides_has_its_path() {
        let rows = r#"[
            {"model":"m","input":"-1","cache_read":"0.0000001","output":"1"},
            {"model":"n","aliases":["M"],"input":"1","output":"1","tiers":[
                {"above_input_tokens":5,"input":1,"output":-2},{"above_input_tokens":5,"input":1,"output":1}]}]"#;
        let rows: Vec<ModelPrice> = serde_json::from_str(rows).unwrap();
        let paths: Vec<String> = PriceBook::problems(&rows).into_iter().map(|(path, _)| path).collect();
        let expected = ["[0].input", "[0].cache_read", "[1].tiers[0].output", "[1].tiers", "[1].aliases[0]"];
        assert_eq!(paths, expected);
        assert!(PriceBook::with_overrides(&rows).is_err());
    }
}
