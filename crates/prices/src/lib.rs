#![doc = include_str!("../README.md")]

mod book;
mod cost;
mod name;

pub use book::{ModelPrice, Price, PriceBook, PriceError, TierPrice};
pub use cost::{cost, cost_with_one_hour_writes};
