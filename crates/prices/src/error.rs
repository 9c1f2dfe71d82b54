use rust_decimal::Decimal;

/// What is wrong with a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The number can't be a price.
    #[error(
        "price of `{model}`: `{class}` is {found}, expected dollars per million tokens from 0 to 1000000 with at most 6 decimals, e.g. \"2.50\""
    )]
    Rate {
        /// The model.
        model: String,
        /// The field.
        class: &'static str,
        /// What stands there.
        found: Decimal,
    },
    /// The number can't be the price of one thing.
    #[error(
        "price of `{model}`: `units.{unit}` is {found}, expected dollars for one from 0 to 1000 with at most 12 decimals, e.g. \"0.002\""
    )]
    Unit {
        /// The model.
        model: String,
        /// The field.
        unit: &'static str,
        /// What stands there.
        found: Decimal,
    },
    /// The number can't be how many times as much something costs.
    #[error(
        "price of `{model}`: `service.{service}` is {found}, expected how many times as much it costs, from 0 to 100 with at most 6 decimals, e.g. \"0.5\", or rates of its own"
    )]
    Service {
        /// The model.
        model: String,
        /// The field.
        service: &'static str,
        /// What stands there.
        found: Decimal,
    },
    /// The tiers don't rise.
    #[error("price of `{model}`: `tiers` must be in rising order of `above_input_tokens`, each once")]
    Tiers {
        /// The model.
        model: String,
    },
    /// Two prices for one name.
    #[error("two prices for `{model}`: keep one, or give each its `provider`")]
    Twice {
        /// The model.
        model: String,
    },
    /// The built-in file can't be read.
    #[error("the price book can't be read: {0}")]
    Book(String),
}
