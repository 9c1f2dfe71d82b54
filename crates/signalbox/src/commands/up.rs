use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use signalbox_types::Secret;

use crate::config::{self, Address, Config};
use crate::server::{self, Server};
use crate::wire_up::App;

/// Start Signalbox: gateway, API, web UI and OTLP receivers on one port
///
/// Works without a configuration file and without a provider key: the simulated provider serves
/// `sim/small`, `sim/large` and `sim/embed`. Keys found in the usual environment variables
/// (OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, …) switch those providers on.
#[derive(Debug, clap::Args)]
pub(crate) struct Up {
    /// The data folder [default: ./signalbox-data, or `server.data_dir` of the configuration]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:7300, or `server.listen` of the configuration]
    #[arg(long, value_name = "ADDR")]
    listen: Option<Address>,
    /// The configuration file [default: ./signalbox.yaml if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The first virtual key on an empty data folder; made up and printed if absent
    #[arg(long, env = "SIGNALBOX_BOOTSTRAP_KEY", hide_env_values = true, hide = true)]
    bootstrap_key: Option<String>,
}

impl Up {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut config = Config::load(self.config.as_deref())?;
        config.server.listen = self.listen.unwrap_or(config.server.listen);
        if let Some(data) = self.data {
            config.server.data_dir = data;
        }
        server::start_logging();
        super::block_on(async move {
            let bootstrap = self.bootstrap_key.filter(|key| !key.trim().is_empty()).map(Secret::new);
            let chosen = bootstrap.is_some();
            // The port first: a second start by mistake must not touch the data folder.
            let server = Server::bind(&config.server).await?;
            let app = App::open(&config, bootstrap).await?;
            let first_key = app.first_key().filter(|_| !chosen).map(|key| key.expose().to_owned());
            super::say(&welcome(
                &app,
                server.address(),
                &config.server.data_dir,
                Key::of(first_key.as_deref()),
                began.elapsed().as_secs_f64(),
            ));
            server.run(app, server::stop_signal()).await
        })
    }
}

/// What the welcome can say about the virtual key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key<'a> {
    /// It was made just now, and only its hash is kept.
    New(&'a str),
    /// Everybody knows it: the demo's.
    Known(&'a str),
    /// It was shown at an earlier start.
    Earlier,
}

impl<'a> Key<'a> {
    fn of(new: Option<&'a str>) -> Self {
        new.map_or(Self::Earlier, Self::New)
    }
}

/// What a person sees: where to go, with which key, and a call to paste.
pub(super) fn welcome(app: &App, address: SocketAddr, data: &Path, known: Key<'_>, seconds: f64) -> String {
    let url = format!("http://{}", reachable(address));
    let key = match known {
        Key::New(key) | Key::Known(key) => Some(key),
        Key::Earlier => None,
    };
    let shown = key.unwrap_or("$SIGNALBOX_KEY");
    let in_python = key.map_or_else(|| "os.environ[\"SIGNALBOX_KEY\"]".to_owned(), |key| format!("\"{key}\""));
    let import_os = if key.is_none() { "import os\n  " } else { "" };
    let key_line = match known {
        Key::New(key) => format!("{key}   (shown only now: keep it)"),
        Key::Known(key) => key.to_owned(),
        Key::Earlier => "the one you were given at the first start; more under Keys in the UI".to_owned(),
    };
    format!(
        r#"Signalbox {version} is ready after {seconds:.2} s

  Open   {url}
  Key    {key_line}
  Data   {data}
  Providers on: {providers}

Call it like OpenAI (any `sim/…` model works without a provider key):

  curl {url}/v1/chat/completions \
    -H "Authorization: Bearer {shown}" -H "Content-Type: application/json" \
    -d '{{"model": "sim/small", "messages": [{{"role": "user", "content": "Hello"}}]}}'

  {import_os}from openai import OpenAI
  client = OpenAI(base_url="{url}/v1", api_key={in_python})
  client.chat.completions.create(model="sim/small", messages=[{{"role": "user", "content": "Hello"}}])

Send OpenTelemetry spans to {url} with the header `authorization: Bearer {shown}`.
"#,
        version = env!("CARGO_PKG_VERSION"),
        data = data.display(),
        providers = app.providers_on().join(", "),
    )
}

/// `0.0.0.0` is no address to open in a browser.
fn reachable(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("localhost:{}", address.port()),
        false => address.to_string(),
    }
}

/// The key for a client command: given, or from the environment.
pub(crate) fn client_key(given: Option<String>) -> anyhow::Result<String> {
    given.or_else(|| config::environment("SIGNALBOX_KEY")).ok_or_else(|| {
        anyhow::anyhow!("no virtual key: give `--key sb-…` or set SIGNALBOX_KEY (the first key is printed by the first `signalbox up`)")
    })
}
