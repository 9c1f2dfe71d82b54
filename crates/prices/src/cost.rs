use signalbox_types::{Cost, CostSource, Money, Usage};

use crate::Price;

/// What this usage costs at this price. Every token is in exactly one class: cached input is never
/// charged again as input, reasoning is part of the output. A usage without any count costs nothing
/// here; whether a cost is *known* is for [`PriceBook::price`](crate::PriceBook::price) to say.
#[must_use]
pub fn cost(usage: &Usage, price: &Price) -> Cost {
    cost_with_one_hour_writes(usage, 0, price)
}

/// As [`cost`], where `one_hour_writes` of the tokens written to the cache were written to the
/// dearer one-hour cache (Anthropic's `ephemeral_1h_input_tokens`).
#[must_use]
pub fn cost_with_one_hour_writes(usage: &Usage, one_hour_writes: u64, price: &Price) -> Cost {
    // A long context is one that *is sent*, whoever holds a copy: cached tokens count.
    let cached = usage.cache_read_tokens.unwrap_or(0).saturating_add(usage.cache_write_tokens.unwrap_or(0));
    let rates = price.rates(usage.input_tokens.unwrap_or(0).max(cached));
    let writes = usage.cache_write_tokens.unwrap_or(0);
    let one_hour_writes = one_hour_writes.min(writes);

    let input = rates.input.times(usage.uncached_input());
    let cache_read = rates.cache_read.times(usage.cache_read_tokens.unwrap_or(0));
    let cache_write = rates.cache_write.times(writes - one_hour_writes) + rates.cache_write_1h.times(one_hour_writes);
    let output = rates.output.times(usage.output_tokens.unwrap_or(0));
    Cost {
        input,
        cache_read,
        cache_write,
        output,
        total: [input, cache_read, cache_write, output].into_iter().sum::<Money>(),
        source: CostSource::Priced,
    }
}

#[cfg(test)]
mod tests {
    use signalbox_types::{CostSource, Money, Usage};

    use crate::{PriceBook, cost, cost_with_one_hour_writes};

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
        let cost = cost_with_one_hour_writes(&usage(3_000, 0, 3_000, 0), 1_000, price);
        assert_eq!(cost.cache_write.to_string(), "0.0135", "2 000 × $3.75/M + 1 000 × $6/M");
        let more_than_there_are = cost_with_one_hour_writes(&usage(3_000, 0, 3_000, 0), u64::MAX, price);
        assert_eq!(more_than_there_are.cache_write.to_string(), "0.018");
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
