#![doc = include_str!("../README.md")]

// Built anew when the profile of calls is counted or left out (`.cargo/rustc`).
const _: Option<&str> = option_env!("SIGNALBOX_PROFILE");

mod along;
mod batches;
mod bedrock;
mod call;
mod call_error;
mod checked;
mod checks;
mod config;
mod cross;
mod endpoint;
mod exchange;
mod facts;
mod gemini;
mod headers;
mod held;
mod idempotency;
mod kept;
mod list;
mod metrics;
mod models;
mod offload;
mod out;
mod own;
mod own_guards;
mod owners;
mod pass;
mod record;
mod relay;
mod restore;
mod route;
mod serve;
mod stages;
mod switch;
mod through;
mod until;
mod upload;
mod vaults;
mod verdict;
mod windows;

pub use config::{GatewayConfig, Unread};
pub use metrics::{GatewayMetrics, Name};
pub use route::{
    Ability, ArmConfig, ArmStatus, BreakerConfig, BreakerState, Detour, ExperimentConfig, FallbackOn, HedgeConfig,
    MirrorConfig, OnDisconnect, RetryConfig, RouteConfig, RouteStatus, RouteTimeouts, Routes, StickyBy, StrategyName,
    TargetConfig, TargetStatus,
};
pub use serve::{BoxError, Gateway, GatewayParts, RequestBody, ResponseBody};
pub use switch::{Settings, Switch};
