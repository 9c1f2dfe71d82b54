#![doc = include_str!("../README.md")]

mod book;
mod cost;
mod litellm;
mod name;
mod prices;
mod row;

pub use book::{Price, PriceBook, PriceError};
pub use cost::{cost, cost_with_one_hour_writes};
pub use litellm::{LitellmPrices, NotLitellm, from_litellm};
pub use prices::Prices;
pub use row::{Dollars, ModelPrice, Rates, TierPrice};
