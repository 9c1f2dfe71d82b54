//! LiteLLM's price file (`model_prices_and_context_window.json`), and others in its format.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::book::PriceBook;
use crate::name;
use crate::row::{Dollars, ModelPrice, Rates, ServicePrice, ServicePrices, TierPrice};
use crate::units::UnitPrices;

/// What a file in LiteLLM's format says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LitellmPrices {
    /// What it says of models that are priced by token.
    pub prices: Vec<ModelPrice>,
    /// Entries that were left out, and why.
    pub skipped: Vec<(String, String)>,
}

/// The file is no JSON object with an entry for each model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not in LiteLLM's format ({0}); expected a JSON object with an entry for each model, like `{{\"gpt-4o\": {{\"input_cost_per_token\": 2.5e-06, …}}}}`"
)]
pub struct NotLitellm(String);

/// Every price per token in a file. An entry of the file can't spoil the others.
///
/// # Errors
/// The file is in another format.
pub fn from_litellm(json: &str) -> Result<LitellmPrices, NotLitellm> {
    let entries: BTreeMap<String, Value> = serde_json::from_str(json).map_err(|error| NotLitellm(error.to_string()))?;
    let mut found = LitellmPrices::default();
    let mut seen = HashSet::new();
    // A vendor's own name comes before its resellers': `gpt-4o` before `azure/gpt-4o`.
    let (named, plain): (Vec<_>, Vec<_>) = entries.iter().partition(|(key, _)| key.contains('/'));
    for (key, entry) in plain.into_iter().chain(named).filter(|(key, _)| *key != "sample_spec") {
        match price(key, entry) {
            Ok(price) if seen.insert(identity(&price)) => found.prices.push(price),
            Ok(_) => found.skipped.push((key.clone(), "another entry is for the same model".to_owned())),
            Err(why) => found.skipped.push((key.clone(), why)),
        }
    }
    if found.prices.is_empty() {
        return Err(NotLitellm("no entry has a price per token".to_owned()));
    }
    Ok(found)
}

fn identity(price: &ModelPrice) -> (String, String) {
    (price.provider.as_deref().map(name::provider).unwrap_or_default(), name::model(&price.model))
}

fn price(key: &str, entry: &Value) -> Result<ModelPrice, String> {
    let fields = entry.as_object().ok_or("it is no object")?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let units = units(fields)?;
    let has_units = units != UnitPrices::default();
    let by_token = matches!(text("mode"), None | Some("chat" | "completion" | "responses" | "embedding"));
    if !by_token && !has_units {
        return Err(format!(
            "`mode` is `{}`, which is priced neither by token of text nor by piece",
            text("mode").unwrap_or_default()
        ));
    }
    let theirs = text("litellm_provider").unwrap_or_default();
    let model = key.strip_prefix(theirs).and_then(|rest| rest.strip_prefix('/')).unwrap_or(key);
    let nothing = Rates::plain(Dollars(Decimal::ZERO), Dollars(Decimal::ZERO));
    // Tokens of sound and pictures have other prices than those of text.
    let rates = if by_token { rates(fields, "")? } else { Some(nothing) };
    let rates = rates.ok_or("it has no `input_cost_per_token`")?;
    let mut tiers = Vec::new();
    for thousands in thresholds(fields) {
        // What has no price of its own beyond it costs what it cost before.
        let long = self::rates(fields, &format!("_above_{thousands}k_tokens"))?;
        tiers.extend(
            long.map(|long| long.or(&rates)).map(|rates| TierPrice { above_input_tokens: thousands * 1_000, rates }),
        );
    }
    let price = ModelPrice {
        provider: Some(provider(theirs)).filter(|name| !name.is_empty()),
        model: model.to_owned(),
        aliases: Vec::new(),
        rates,
        tiers,
        service: if by_token { services(fields, &rates)? } else { ServicePrices::default() },
        units,
        note: None,
    };
    match PriceBook::problems(std::slice::from_ref(&price)).into_iter().next() {
        Some((_, problem)) => Err(problem.to_string()),
        None => Ok(price),
    }
}

/// The rates of one tier; none if it has no price of input.
fn rates(fields: &Map<String, Value>, tier: &str) -> Result<Option<Rates>, String> {
    let rate = |name: &str| per_million(fields, &format!("{name}{tier}"));
    let Some(input) = rate("input_cost_per_token")? else { return Ok(None) };
    let output = match rate("output_cost_per_token")? {
        Some(output) => output,
        // Embeddings have none; a tier may name only what changes.
        None => per_million(fields, "output_cost_per_token")?.unwrap_or(Dollars(Decimal::ZERO)),
    };
    Ok(Some(Rates {
        input,
        cache_read: rate("cache_read_input_token_cost")?,
        cache_write: rate("cache_creation_input_token_cost")?,
        cache_write_1h: if tier.is_empty() { rate("cache_creation_input_token_cost_above_1hr")? } else { None },
        output,
        audio_input: rate("input_cost_per_audio_token")?,
        audio_output: rate("output_cost_per_audio_token")?,
        image_input: rate("input_cost_per_image_token")?,
        image_output: rate("output_cost_per_image_token")?,
    }))
}

/// The prices of calls that are served otherwise.
fn services(fields: &Map<String, Value>, usual: &Rates) -> Result<ServicePrices, String> {
    let of = |word: &str| Ok::<_, String>(rates(fields, word)?.map(|own| ServicePrice::Rates(own.or(usual))));
    Ok(ServicePrices { batch: of("_batches")?, flex: of("_flex")?, priority: of("_priority")? })
}

/// The prices of what is not counted in tokens.
fn units(fields: &Map<String, Value>) -> Result<UnitPrices, String> {
    let one = |name: &str| {
        // What is finer than picodollars is a float's noise.
        let found = dollars(fields, name)?.map(|dollars| dollars.round_dp(12).normalize());
        Ok::<_, String>(found.filter(|dollars| !dollars.is_zero()).map(Dollars))
    };
    let heard = one("input_cost_per_second")?;
    Ok(UnitPrices {
        search: one("input_cost_per_query")?,
        image: one("output_cost_per_image")?.or(one("input_cost_per_image")?),
        character: one("input_cost_per_character")?,
        second: heard.or(one("output_cost_per_second")?),
    })
}

/// Dollars per token, as a float, to dollars per million tokens.
fn per_million(fields: &Map<String, Value>, name: &str) -> Result<Option<Dollars>, String> {
    let Some(dollars) = dollars(fields, name)? else { return Ok(None) };
    let dollars = dollars.checked_mul(Decimal::from(1_000_000)).ok_or_else(|| format!("`{name}` is too large"))?;
    Ok(Some(Dollars(dollars.round_dp(6).normalize())))
}

fn dollars(fields: &Map<String, Value>, name: &str) -> Result<Option<Decimal>, String> {
    let Some(value) = fields.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let wrong = || format!("`{name}` is {value}, expected dollars, e.g. 2.5e-06");
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return Err(wrong()),
    };
    let dollars = text.parse().or_else(|_| Decimal::from_scientific(&text)).map_err(|_| wrong())?;
    Ok(Some(dollars))
}

/// `input_cost_per_token_above_200k_tokens`: 200. Rising.
fn thresholds(fields: &Map<String, Value>) -> BTreeSet<u64> {
    let threshold =
        |name: &String| name.strip_prefix("input_cost_per_token_above_")?.strip_suffix("k_tokens")?.parse::<u64>().ok();
    fields.keys().filter_map(threshold).filter(|thousands| *thousands < 1_000_000).collect()
}

/// LiteLLM's name of a provider as ours.
fn provider(theirs: &str) -> String {
    let name = match theirs {
        "text-completion-openai" => "openai",
        "vertex_ai-anthropic_models" => "anthropic",
        name if name.starts_with("vertex_ai") => "gcp.vertex_ai",
        name if name.starts_with("azure") => "azure.ai.openai",
        name if name.starts_with("bedrock") => "aws.bedrock",
        name => name,
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use signalbox_types::Usage;

    use super::*;
    use crate::Units;

    fn file() -> String {
        json!({
            "sample_spec": {"input_cost_per_token": 0.0, "mode": "one of: chat, …"},
            "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.4e-06,
                "output_cost_per_token": 1e-05, "cache_read_input_token_cost": 1.25e-06},
            "azure/gpt-4o": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 3e-06, "output_cost_per_token": 1e-05},
            "claude-test-1": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 3e-06,
                "output_cost_per_token": 1.5e-05, "cache_creation_input_token_cost": 3.75e-06,
                "cache_creation_input_token_cost_above_1hr": 6e-06, "cache_read_input_token_cost": 3e-07,
                "input_cost_per_token_above_200k_tokens": 6e-06, "output_cost_per_token_above_200k_tokens": 2.25e-05,
                "cache_read_input_token_cost_above_200k_tokens": 6e-07},
            "groq/fast-1": {"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": "5e-08", "output_cost_per_token": 8e-08},
            "dall-e-2": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_pixel": 1e-8},
            "dall-e-3": {"litellm_provider": "openai", "mode": "image_generation", "output_cost_per_image": 0.04},
            "rerank-v3.5": {"litellm_provider": "cohere", "mode": "rerank", "input_cost_per_query": 0.002,
                "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
            "tts-1": {"litellm_provider": "openai", "mode": "audio_speech", "input_cost_per_character": 1.5e-05},
            "whisper-1": {"litellm_provider": "openai", "mode": "audio_transcription", "input_cost_per_second": 0.0001,
                "output_cost_per_second": 0.0001},
            "odd": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": -1.0, "output_cost_per_token": 0.0},
            "free": {"litellm_provider": "openai", "mode": "chat", "max_tokens": 10},
        })
        .to_string()
    }

    #[test]
    fn prices_of_the_file_come_before_our_own_and_after_overrides() {
        let imported = from_litellm(&file()).unwrap();
        let book = PriceBook::with(&[], &imported.prices).unwrap();
        let cost = |provider: &str, model: &str, input: u64, output: u64| {
            let usage = Usage { input_tokens: Some(input), output_tokens: Some(output), ..Usage::default() };
            book.price(Some(provider), model, &usage).map(|cost| cost.total.to_string())
        };
        assert_eq!(cost("openai", "gpt-4o", 1_000_000, 0).as_deref(), Some("2.40"));
        assert_eq!(cost("openai", "gpt-4o-mini", 1_000_000, 0).as_deref(), Some("0.15"), "the built-in ones stay");
        assert_eq!(cost("groq", "fast-1", 1_000_000, 1_000_000).as_deref(), Some("0.13"));
        assert_eq!(cost("anthropic", "claude-test-1", 200_000, 0).as_deref(), Some("0.60"));
        assert_eq!(cost("anthropic", "claude-test-1", 200_001, 10).as_deref(), Some("1.200231"));
        let own: ModelPrice =
            serde_json::from_value(json!({"provider": "openai", "model": "gpt-4o", "input": "1", "output": "1"}))
                .unwrap();
        let book = PriceBook::with(&[own], &imported.prices).unwrap();
        let usage = Usage { input_tokens: Some(1_000_000), ..Usage::default() };
        assert_eq!(book.price(Some("openai"), "gpt-4o", &usage).unwrap().total.to_string(), "1.00");
    }

    #[test]
    fn what_is_not_counted_in_tokens_has_a_price_too() {
        let imported = from_litellm(&file()).unwrap();
        let book = PriceBook::with(&[], &imported.prices).unwrap();
        let check = |provider: &str, model: &str, units: Units, expect: &str| {
            let cost = book.price_units(Some(provider), model, &units).unwrap();
            assert_eq!(cost.total.to_string(), expect, "{model}");
        };
        check("cohere", "rerank-v3.5", Units { searches: 2, ..Units::default() }, "0.004");
        check("openai", "dall-e-3", Units { images: 1, ..Units::default() }, "0.04");
        check("openai", "tts-1", Units { characters: 1_000, ..Units::default() }, "0.015");
        check("openai", "whisper-1", Units { milliseconds: 60_000, ..Units::default() }, "0.006");
        assert_eq!(book.price_units(Some("openai"), "gpt-4o", &Units { searches: 1, ..Units::default() }), None);
    }

    #[test]
    fn what_is_left_out_is_told() {
        let imported = from_litellm(&file()).unwrap();
        let skipped: Vec<&str> = imported.skipped.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(skipped, ["dall-e-2", "free", "odd", "azure/gpt-4o"]);
        assert!(imported.skipped[2].1.contains("`input` is -1000000"), "{:?}", imported.skipped);
        for wrong in ["", "[]", "{}", "{\"gpt-4o\": 1}", "{\"error\": {\"message\": \"not found\"}}"] {
            assert!(from_litellm(wrong).unwrap_err().to_string().contains("LiteLLM's format"), "{wrong}");
        }
    }

    #[test]
    fn tiers_keep_what_does_not_change() {
        let imported = from_litellm(&file()).unwrap();
        let claude = imported.prices.iter().find(|price| price.model == "claude-test-1").unwrap();
        let [tier] = claude.tiers.as_slice() else { panic!("{claude:?}") };
        assert_eq!(tier.above_input_tokens, 200_000);
        assert_eq!(tier.rates.cache_read.map(|dollars| dollars.0.to_string()).as_deref(), Some("0.6"));
        assert_eq!(tier.rates.cache_write_1h, claude.rates.cache_write_1h);
        assert_eq!(claude.rates.cache_write.map(|dollars| dollars.0.to_string()).as_deref(), Some("3.75"));
    }
}
