use std::time::Duration;

use anyhow::Context;
use signalbox_upstream::simulated::{self, SimOptions};
use tokio::net::TcpListener;

use crate::config::Address;

/// Serve the simulated provider by itself, for tests and benchmarks
///
/// It speaks the OpenAI dialect (/v1/chat/completions, /v1/embeddings, /v1/models), the Anthropic
/// dialect (/v1/messages) and the Gemini dialect (/v1beta/models/…), and needs no key.
#[derive(Debug, clap::Args)]
pub(crate) struct Simulate {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:7400")]
    listen: Address,
    #[command(flatten)]
    options: SimulateOptions,
}

/// How the simulated provider behaves
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SimulateOptions {
    /// Milliseconds before a whole answer
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Milliseconds before the first token of a stream
    #[arg(long, default_value_t = 0)]
    ttft_ms: u64,
    /// Milliseconds between the chunks of a stream
    #[arg(long, default_value_t = 0)]
    chunk_delay_ms: u64,
    /// Share of calls that fail with status 500, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    error_rate: f64,
    /// Share of calls that are refused with status 429, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    rate_limit_rate: f64,
}

impl Simulate {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        super::block_on(async {
            let addresses = self.listen.resolve().await.with_context(|| format!("can't resolve {}", self.listen))?;
            let listener = TcpListener::bind(&*addresses)
                .await
                .with_context(|| format!("can't listen on {}: is the port taken?", self.listen))?;
            super::say(&format!("The simulated provider listens on http://{}", listener.local_addr()?));
            simulated::serve(listener, self.options.into(), crate::server::stop_signal()).await;
            Ok(())
        })
    }
}

/// Without it 7 percent, written as 7, would fail every call.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

impl From<SimulateOptions> for SimOptions {
    fn from(options: SimulateOptions) -> Self {
        Self {
            latency: Duration::from_millis(options.latency_ms),
            ttft: Duration::from_millis(options.ttft_ms),
            chunk_delay: Duration::from_millis(options.chunk_delay_ms),
            error_rate: options.error_rate,
            rate_limit_rate: options.rate_limit_rate,
            ..Self::default()
        }
    }
}
