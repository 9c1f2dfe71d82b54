//! What is known of a model beside who serves it (`model_info`, and prices among `litellm_params`): prices of its own, how
//! long its calls may be, what it can't do.

use serde_json::{Map, Value, json};
use signalbox_prices::{ModelPrice, PriceBook, ServicePrices, UnitPrices};

use super::Report;
use super::models::Target;

/// What a model may be said not to do, and our word for it.
const ABILITIES: &[(&str, &str)] = &[
    ("supports_function_calling", "tools"),
    ("supports_vision", "images"),
    ("supports_audio_input", "audio"),
    ("supports_pdf_input", "documents"),
    ("supports_response_schema", "structured_output"),
];

/// What says nothing that a call depends on, and is known or needed only by LiteLLM.
const NOT_NEEDED: &[&str] = &["id", "mode", "db_model", "description", "litellm_provider", "created_at", "updated_at"];

/// Whether a setting is a price.
pub(super) fn is_price(name: &str) -> bool {
    name.contains("cost_per_") || name.contains("token_cost")
}

/// Reads what is said of a target's model into the target and the prices.
pub(super) fn read(
    place: &str,
    entry: &Value,
    target: &mut Target,
    otel_name: &str,
    prices: &mut Vec<ModelPrice>,
    report: &mut Report,
) {
    let none = Map::new();
    let params = entry.get("litellm_params").and_then(Value::as_object).unwrap_or(&none);
    let info = entry.get("model_info").and_then(Value::as_object).unwrap_or(&none);
    let costs: Map<String, Value> = info
        .iter()
        .chain(params)
        .filter(|(name, _)| is_price(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !costs.is_empty() {
        price(place, costs, info.get("mode"), target, otel_name, prices, report);
    }
    let has_price = prices.iter().any(|price| is_of(price, otel_name, &target.model));
    for (name, value) in info.iter().filter(|(name, _)| !is_price(name)) {
        let at = format!("{place}.model_info.{name}");
        let ability = ABILITIES.iter().find(|(theirs, _)| theirs == name);
        match (name.as_str(), ability) {
            ("max_input_tokens", _) => context(&at, value, target, report),
            ("base_model", _) if has_price => {}
            ("base_model", _) => {
                let why = "prices go by the name that the provider is called with: write those of";
                report.left_out(&at, &format!("{why} {value} under `prices` for `model: {}`", target.model));
            }
            ("max_tokens" | "max_output_tokens", _) => {
                report.left_out(
                    &at,
                    "callers say how long an answer may be; `context_tokens` of a target bounds both together",
                );
            }
            (_, Some((_, lacks))) => target.lacks.extend((value == &json!(false)).then_some(*lacks)),
            _ if NOT_NEEDED.contains(&name.as_str()) || name.starts_with("supports_") => {
                report.note(format!("`model_info.{name}` is not needed: it is known or comes with the call"));
            }
            _ => report.left_out(&at, "it has no counterpart"),
        }
    }
}

fn is_of(price: &ModelPrice, otel_name: &str, model: &str) -> bool {
    price.provider.as_deref() == Some(otel_name) && price.model == model
}

fn context(at: &str, value: &Value, target: &mut Target, report: &mut Report) {
    target.context_tokens = value.as_u64().filter(|most| *most > 0);
    if target.context_tokens.is_none() {
        report.left_out(at, "it is no number of tokens; `context_tokens` of a target takes one");
        return;
    }
    report.note("`max_input_tokens` became `context_tokens` of targets, which counts input and wanted output together");
}

/// Prices of one's own, which hold for a model at a kind of provider.
fn price(
    place: &str,
    mut costs: Map<String, Value>,
    mode: Option<&Value>,
    target: &Target,
    otel_name: &str,
    prices: &mut Vec<ModelPrice>,
    report: &mut Report,
) {
    costs.extend(mode.map(|mode| ("mode".to_owned(), mode.clone())));
    let file = json!({ &target.model: costs }).to_string();
    // What is left out of a file is said of its entry; one that has nothing else is no file.
    let read = signalbox_prices::from_litellm(&file);
    let Some(price) = read.ok().and_then(|read| read.prices.into_iter().next()) else {
        let why = "they aren't a price per token of input and output; write what the model costs under `prices`, in dollars per million tokens, and what is paid by the piece as its `units`";
        report.left_out(&format!("{place}: prices"), why);
        return;
    };
    if price.units != UnitPrices::default() || price.service != ServicePrices::default() {
        let why = "what is paid by the piece belongs into `units` of a price under `prices`, what batches and other services cost into its `service`";
        report.left_out(&format!("{place}: prices"), why);
    }
    let plain = ModelPrice {
        provider: Some(otel_name.to_owned()),
        units: UnitPrices::default(),
        service: ServicePrices::default(),
        ..price
    };
    if plain.rates.input.0.is_zero() && plain.rates.output.0.is_zero() && price.units != UnitPrices::default() {
        return;
    }
    if prices.contains(&plain) {
        return;
    }
    prices.push(plain);
    if !PriceBook::problems(prices).is_empty() {
        prices.pop();
        let why = format!(
            "another entry has other prices for `{}` of the same kind of provider, and `prices` has one for each; \
             write the right one",
            target.model
        );
        report.left_out(&format!("{place}: prices"), &why);
    }
}
