#![doc = include_str!("../README.md")]

mod book;
mod cost;
mod discount;
mod error;
mod litellm;
mod name;
mod prices;
mod row;
mod service;
mod units;

pub use book::{Price, PriceBook};
pub use cost::{Details, Service, cost, cost_with};
pub use discount::{Discount, Percent};
pub use error::PriceError;
pub use litellm::{LitellmPrices, NotLitellm, from_litellm};
pub use prices::Prices;
pub use row::{Dollars, ModelPrice, Rates, ServicePrice, ServicePrices, TierPrice};
pub use units::{UnitPrices, Units};
