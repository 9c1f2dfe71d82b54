#![doc = include_str!("../README.md")]

// Built anew when the profile of calls is counted or left out (`.cargo/rustc`).
const _: Option<&str> = option_env!("SIGNALBOX_PROFILE");

mod assemble;
mod auth;
mod base;
mod call;
mod client;
mod config;
mod error;
mod health;
mod hide;
pub mod lane;
mod post;
mod probe;
mod provider;
mod registry;
pub mod simulated;
mod unpack;
mod upstream;
mod warm;

pub use auth::Vault;
pub use call::{Operation, UpstreamCall, UpstreamReply};
pub use client::{BodyError, Upload, UpstreamBody};
pub use config::{
    Auth, AwsAuth, AzureAuth, CredentialConfig, GcpAuth, HumanDuration, MaxTokensField, ProbeConfig, Problem,
    ProviderConfig, SimulatedConfig, Timeouts, UpstreamConfig, UpstreamConfigError, nearest,
};
pub use error::{SendError, UnknownModel};
pub use health::{HealthSnapshot, LastError, Recent};
pub use post::{Posted, Poster, post};
pub use probe::{ProbeStatus, TargetAsk, TargetProbe, TargetProbeConfig};
pub use provider::{CredentialStatus, ModelEntry, Provider, ProviderStatus, Target};
pub use registry::{Paths, Row, rows};
pub use unpack::{Packing, UnknownPacking, UnpackError, Unpacked, Unpacker};
pub use upstream::Upstream;
