#![doc = include_str!("../README.md")]

mod book;
mod cost;
mod discount;
mod error;
mod litellm;
mod name;
mod prices;
mod row;
mod units;

pub use book::{Price, PriceBook};
pub use cost::{cost, cost_with_one_hour_writes};
pub use discount::{Discount, Percent};
pub use error::PriceError;
pub use litellm::{LitellmPrices, NotLitellm, from_litellm};
pub use prices::Prices;
pub use row::{Dollars, ModelPrice, Rates, TierPrice};
pub use units::{UnitPrices, Units};
