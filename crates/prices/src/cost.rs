use rust_decimal::Decimal;
use signalbox_types::{Cost, CostSource, Money, Usage};

use crate::Price;
use crate::service::ServiceRates;

/// What is known of a usage beside its counts. Absent is not zero, and what is not known is charged as usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Details {
    /// Of the tokens written to the cache, those in the dearer one-hour cache (Anthropic's `ephemeral_1h_input_tokens`).
    pub one_hour_writes: u64,
    /// Of the input, sound.
    pub audio_input: Option<u64>,
    /// Of the output, sound.
    pub audio_output: Option<u64>,
    /// Of the input, pictures.
    pub image_input: Option<u64>,
    /// Of the output, pictures.
    pub image_output: Option<u64>,
    /// How it was served, if not as usual.
    pub service: Option<Service>,
}

/// Ways to be served that have prices of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Sent together with others, and answered within a day.
    Batch,
    /// Answered when there is room.
    Flex,
    /// Answered before others.
    Priority,
}

/// What this usage costs at this price. Every token is in exactly one class: cached input is never
/// charged again as input, reasoning is part of the output. A usage without any count costs nothing
/// here; whether a cost is *known* is for [`PriceBook::price`](crate::PriceBook::price) to say.
#[must_use]
pub fn cost(usage: &Usage, price: &Price) -> Cost {
    cost_with(usage, &Details::default(), price)
}

/// As [`cost`], with what else is known. A service that the price says nothing of costs as usual.
#[must_use]
pub fn cost_with(usage: &Usage, details: &Details, price: &Price) -> Cost {
    // A long context is one that *is sent*, whoever holds a copy: cached tokens count.
    let cached = usage.cache_read_tokens.unwrap_or(0).saturating_add(usage.cache_write_tokens.unwrap_or(0));
    let usual = price.rates(usage.input_tokens.unwrap_or(0).max(cached));
    let service = details.service.and_then(|service| price.service(service));
    let rates = if let Some(ServiceRates::Own(rates)) = &service { rates } else { usual };
    let writes = usage.cache_write_tokens.unwrap_or(0);
    let one_hour_writes = details.one_hour_writes.min(writes);

    // Sound and pictures first, as far as there is input that wasn't cached; the rest is text.
    let (audio, image, text) = split(usage.uncached_input(), details.audio_input, details.image_input);
    let input = rates.input.times(text) + rates.audio_input.times(audio) + rates.image_input.times(image);
    let cache_read = rates.cache_read.times(usage.cache_read_tokens.unwrap_or(0));
    let cache_write = rates.cache_write.times(writes - one_hour_writes) + rates.cache_write_1h.times(one_hour_writes);
    let (audio, image, text) = split(usage.output_tokens.unwrap_or(0), details.audio_output, details.image_output);
    let output = rates.output.times(text) + rates.audio_output.times(audio) + rates.image_output.times(image);
    let parts = [input, cache_read, cache_write, output].map(|money| match service {
        Some(ServiceRates::Times(times)) => scaled(money, times),
        _ => money,
    });
    let [input, cache_read, cache_write, output] = parts;
    Cost { input, cache_read, cache_write, output, total: parts.into_iter().sum::<Money>(), source: CostSource::Priced }
}

/// How many tokens are sound, pictures and the rest.
fn split(all: u64, audio: Option<u64>, image: Option<u64>) -> (u64, u64, u64) {
    let audio = audio.unwrap_or(0).min(all);
    let image = image.unwrap_or(0).min(all - audio);
    (audio, image, all - audio - image)
}

/// Picodollars are the smallest unit there is; what is below is rounded.
pub(crate) fn scaled(money: Money, times: Decimal) -> Money {
    let picos = Decimal::try_from_i128_with_scale(money.as_picos(), 0).ok().and_then(|picos| picos.checked_mul(times));
    // Beyond every bill that anybody could pay.
    picos.and_then(|picos| i128::try_from(picos.round()).ok()).map_or(money, Money::from_picos)
}

#[cfg(test)]
mod tests {
    use signalbox_types::{CostSource, Money, Usage};

    use crate::{Details, ModelPrice, PriceBook, Service, cost, cost_with};

    fn usage(input: u64, cache_read: u64, cache_write: u64, output: u64) -> Usage {
        Usage {
            input_tokens: Some(input),
            output_tokens: Some(output),
            cache_read_tokens: Some(cache_read),
            cache_write_tokens: Some(cache_write),
            reasoning_tokens: None,
        }
    }

    /// Input, cache read, cache write, output and total, in dollars as they would be written.
    fn check(model: &str, usage: Usage, expected: [&str; 5]) {
        let book = PriceBook::builtin();
        let cost = cost(&usage, book.find(None, model).unwrap());
        let found = [cost.input, cost.cache_read, cost.cache_write, cost.output, cost.total]
            .map(|money: Money| money.to_string());
        assert_eq!(found, expected, "{model} {usage:?}");
        assert_eq!(cost.source, CostSource::Priced);
    }

    #[test]
    fn worked_examples() {
        // 1 200 × $2.50/M, 350 × $10/M
        check("gpt-4o", usage(1_200, 0, 0, 350), ["0.003", "0.00", "0.00", "0.0035", "0.0065"]);
        // One token of the cheapest class: nothing is rounded away.
        check("gpt-4o-mini", usage(1, 0, 0, 1), ["0.00000015", "0.00", "0.00", "0.0000006", "0.00000075"]);
        check("text-embedding-3-small", usage(1_000_000, 0, 0, 0), ["0.02", "0.00", "0.00", "0.00", "0.02"]);
    }

    #[test]
    fn cached_tokens_are_charged_once() {
        // 1 000 input of which 800 from the cache: 200 × $2.50/M + 800 × $1.25/M
        check("gpt-4o", usage(1_000, 800, 0, 0), ["0.0005", "0.001", "0.00", "0.00", "0.0015"]);
        // 10 000 input, 6 000 read and 3 000 written: 1 000 × $3 + 6 000 × $0.30 + 3 000 × $3.75 per million
        check(
            "claude-sonnet-4-5",
            usage(10_000, 6_000, 3_000, 100),
            ["0.003", "0.0018", "0.01125", "0.0015", "0.01755"],
        );
    }

    #[test]
    fn reasoning_is_part_of_the_output() {
        let with = Usage { reasoning_tokens: Some(900), ..usage(0, 0, 0, 1_000) };
        check("o3", with, ["0.00", "0.00", "0.00", "0.008", "0.008"]);
    }

    #[test]
    fn a_long_context_changes_every_rate() {
        // At the threshold the first tier still holds.
        check("gemini-2.5-pro", usage(200_000, 0, 0, 1_000), ["0.25", "0.00", "0.00", "0.01", "0.26"]);
        // Above it: $2.50, cached $0.25, output $15. What is cached counts towards the length.
        check("gemini-2.5-pro", usage(200_001, 200_000, 0, 1_000), ["0.0000025", "0.05", "0.00", "0.015", "0.0650025"]);
    }

    #[test]
    fn one_hour_writes_have_their_own_rate() {
        let book = PriceBook::builtin();
        let price = book.find(Some("anthropic"), "claude-sonnet-4-5").unwrap();
        let of = |one_hour_writes| Details { one_hour_writes, ..Details::default() };
        let cost = cost_with(&usage(3_000, 0, 3_000, 0), &of(1_000), price);
        assert_eq!(cost.cache_write.to_string(), "0.0135", "2 000 × $3.75/M + 1 000 × $6/M");
        let more_than_there_are = cost_with(&usage(3_000, 0, 3_000, 0), &of(u64::MAX), price);
        assert_eq!(more_than_there_are.cache_write.to_string(), "0.018");
    }

    fn book(rows: &str) -> PriceBook {
        let rows: Vec<ModelPrice> = serde_json::from_str(rows).unwrap();
        PriceBook::with_overrides(&rows).unwrap()
    }

    #[test]
    fn sound_and_pictures_have_rates_of_their_own_and_no_token_is_charged_twice() {
        let book = book(
            r#"[{"provider":"p","model":"m","input":"2","cache_read":"1","output":"10","audio_input":"40","audio_output":"80",
                "image_input":"5"}]"#,
        );
        let details = Details {
            audio_input: Some(100),
            image_input: Some(200),
            audio_output: Some(50),
            image_output: Some(10),
            ..Details::default()
        };
        let total = |usage, details: &Details| {
            let cost = book.price_with(Some("p"), "m", &usage, details).unwrap();
            (cost.input.to_string(), cost.output.to_string())
        };
        // 1 000 input: 100 sound, 200 pictures, 200 cached, 500 text; 110 output: 50 sound, 10 pictures like output, 50 text.
        assert_eq!(total(usage(1_000, 200, 0, 110), &details), ("0.006".into(), "0.0046".into()));
        assert_eq!(total(usage(1_000, 200, 0, 110), &Details::default()), ("0.0016".into(), "0.0011".into()));
        // More than there is: never below zero, never twice.
        assert_eq!(total(usage(150, 100, 0, 20), &details), ("0.002".into(), "0.0016".into()));
    }

    #[test]
    fn services_cost_what_they_say_or_nobody_knows() {
        let book = book(
            r#"[{"provider":"p","model":"m","input":"2","output":"10","service":{"batch":"0.5","priority":{"input":"3.5","output":"17"}},
                "tiers":[{"above_input_tokens":1000,"input":"4","output":"20"}]},
                {"provider":"p","model":"n","input":"2","output":"10"}, {"provider":"q","model":"o","input":"2","output":"10"}]"#,
        );
        let total = |provider, model, input, service| {
            let details = Details { service, ..Details::default() };
            book.price_with(Some(provider), model, &usage(input, 0, 0, 100), &details)
                .map(|cost| cost.total.to_string())
        };
        let check = |found: Option<String>, expect: Option<&str>| assert_eq!(found.as_deref(), expect);
        check(total("p", "m", 1_000, None), Some("0.003"));
        check(total("p", "m", 1_000, Some(Service::Batch)), Some("0.0015"));
        check(total("p", "m", 2_000, Some(Service::Batch)), Some("0.005"));
        check(total("p", "m", 1_000, Some(Service::Priority)), Some("0.0052"));
        // It has a price for another of its models.
        check(total("p", "n", 1_000, Some(Service::Batch)), None);
        check(total("p", "n", 1_000, Some(Service::Flex)), Some("0.003"));
        check(total("q", "o", 1_000, Some(Service::Batch)), Some("0.003"));
    }

    #[test]
    fn absent_counts_and_absurd_counts() {
        check("gpt-4o", Usage::default(), ["0.00"; 5]);
        let book = PriceBook::builtin();
        assert_eq!(book.price(Some("openai"), "gpt-4o", &Usage::default()), None, "unknown is not zero");
        let only_output = Usage { output_tokens: Some(1), ..Usage::default() };
        check("gpt-4o", only_output, ["0.00", "0.00", "0.00", "0.00001", "0.00001"]);
        let absurd = usage(u64::MAX, u64::MAX, u64::MAX, u64::MAX);
        let cost = cost(&absurd, book.find(None, "gpt-4o").unwrap());
        assert!(cost.total > Money::ZERO);
    }
}
