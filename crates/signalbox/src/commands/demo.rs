use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use signalbox_types::Secret;
use signalbox_types::time::parse_duration;

use super::up::{Key, client_key, welcome};
use crate::config::{Address, Config, Origin};
use crate::demo::{self, Client, Traffic};
use crate::server::{self, Server};
use crate::wire_up::App;

/// Fill Signalbox with realistic traffic, without any provider key
///
/// Starts Signalbox with the simulated provider and sends it what three applications would: a
/// support assistant with retrieval, an agent with tools, a summariser, with some failures, some
/// attacks, and a release half way that makes things worse. With `--url` the traffic goes to a
/// Signalbox that runs already.
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// The data folder
    #[arg(long, value_name = "DIR", default_value = "signalbox-demo-data")]
    data: PathBuf,
    /// Where to listen [default: 127.0.0.1:7300]
    #[arg(long, value_name = "ADDR")]
    listen: Option<Address>,
    /// The configuration file [default: ./signalbox.yaml if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Send the traffic to the Signalbox at this URL instead of starting one
    #[arg(long)]
    url: Option<String>,
    /// A virtual key of the Signalbox at `--url` [default: SIGNALBOX_KEY]
    #[arg(long, requires = "url")]
    key: Option<String>,
    /// Conversations begun per second
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// How long to go on, e.g. `60s`; without it until Ctrl-C
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,
    /// Leave out the six hours of history
    #[arg(long)]
    no_history: bool,
    #[arg(long, env = "SIGNALBOX_BOOTSTRAP_KEY", hide_env_values = true, hide = true)]
    bootstrap_key: Option<String>,
}

/// The demo's key is no secret: its data is made up, and it listens on this machine only.
const DEMO_KEY: &str = "sb-demo-key-for-this-machine-only";

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        server::start_logging();
        super::block_on(async {
            match &self.url {
                Some(url) => {
                    let client = Client::new(url, &client_key(self.key.clone())?);
                    tokio::select! {
                        sent = self.traffic(&client) => sent,
                        () = server::stop_signal() => Ok(()),
                    }
                }
                None => self.with_own_server().await,
            }
        })
    }

    async fn with_own_server(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut config = Config::load(self.config.as_deref())?;
        config.server.listen = self.listen.clone().unwrap_or(config.server.listen);
        config.server.data_dir.clone_from(&self.data);
        // The file says nothing of the demo's routes.
        config.origin = Origin::default();
        let key = self.bootstrap_key.as_deref().filter(|key| !key.trim().is_empty()).unwrap_or(DEMO_KEY);
        if key == DEMO_KEY && !config.server.listen.is_loopback() {
            anyhow::bail!(
                "the demo's key is public, so it listens on this machine only; set SIGNALBOX_BOOTSTRAP_KEY to a key of your own to let others in"
            );
        }
        for route in demo::routes()? {
            if !config.routes.iter().any(|own| own.name == route.name) {
                config.routes.push(route);
            }
        }
        let server = Server::bind(&config.server).await?;
        let app = App::open(&config, Some(Secret::new(key.to_owned()))).await?;
        super::say(&welcome(&app, server.address(), &self.data, Key::Known(key), began.elapsed().as_secs_f64()));
        let client = Client::new(&format!("http://{}", server.address()), key).routed();
        let (finished, traffic_ended) = tokio::sync::oneshot::channel::<()>();
        let stop = async {
            tokio::select! {
                () = server::stop_signal() => {}
                _ = traffic_ended => {}
            }
        };
        let traffic = async {
            let sent = self.traffic(&client).await;
            // The server is gone already if it was stopped meanwhile.
            let _ = finished.send(());
            sent
        };
        let serve = server.run(app, stop);
        tokio::pin!(serve);
        tokio::select! {
            served = &mut serve => served,
            sent = traffic => serve.await.and(sent),
        }
    }

    async fn traffic(&self, client: &Client) -> anyhow::Result<()> {
        if !self.no_history {
            let bar =
                ProgressBar::new(0).with_style(ProgressStyle::with_template("history {bar:40} {pos}/{len} traces")?);
            demo::fill_history(client, |done, of| {
                bar.set_length(of as u64);
                bar.set_position(done as u64);
            })
            .await
            .context("the history could not be sent")?;
            bar.finish_and_clear();
        }
        let regression_after = self.duration.unwrap_or(Duration::from_secs(90)) / 2;
        super::say("Traffic is running; Ctrl-C stops it.");
        demo::run(client, Traffic { rate: self.rate, duration: self.duration, regression_after }).await;
        Ok(())
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| format!("`{text}` is no duration; expected e.g. `90s` or `10m`"))
}
