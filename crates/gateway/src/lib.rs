#![doc = include_str!("../README.md")]

mod call;
mod config;
mod endpoint;
mod gemini;
mod headers;
mod list;
mod metrics;
mod models;
mod offload;
mod record;
mod relay;
mod serve;
mod stages;
mod verdict;

pub use config::GatewayConfig;
pub use metrics::{GatewayMetrics, Name};
pub use serve::{BoxError, Gateway, GatewayParts, RequestBody, ResponseBody};
