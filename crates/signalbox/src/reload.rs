//! Brings a changed configuration file into force while calls run: all of it or nothing.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use signalbox_api::{ConfigStatus, RefusedConfig};
use signalbox_gateway::{Settings, Switch};
use signalbox_guard::Guard;
use signalbox_prices::{PriceBook, Prices};
use signalbox_types::seam::Clock;
use signalbox_watch::Watch;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::config::{self, Config, Origin, Problems};

/// How often somebody looks at the file. Looking, and not being told by the system, also works for mounted folders and for
/// files that are exchanged by a link, as Kubernetes does; it costs a microsecond.
const LOOK: Duration = Duration::from_millis(500);

/// Who looks after the configuration.
#[derive(Debug)]
pub(crate) struct Reload {
    /// What the process was started with.
    started: Origin,
    /// What is in force.
    current: Mutex<Origin>,
    switch: Arc<Switch>,
    prices: Prices,
    watch: Arc<Watch>,
    clock: Arc<dyn Clock>,
    status: Mutex<ConfigStatus>,
    price_file: Mutex<Option<PathBuf>>,
}

impl Reload {
    /// With this configuration in force.
    pub(crate) fn new(
        config: &Config,
        switch: Arc<Switch>,
        prices: Prices,
        watch: Arc<Watch>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let file = config.origin.file.as_ref().filter(|_| config.origin.is_there);
        let status = ConfigStatus {
            file: file.map(|file| file.display().to_string()),
            since: clock.now(),
            reloads: 0,
            needs_restart: Vec::new(),
            refused: None,
        };
        Self {
            started: config.origin.clone(),
            current: Mutex::new(config.origin.clone()),
            switch,
            prices,
            watch,
            clock,
            status: Mutex::new(status),
            price_file: Mutex::new(price_file_of(config)),
        }
    }

    /// Which configuration is in force.
    pub(crate) fn status(&self) -> ConfigStatus {
        self.status.lock().clone()
    }

    /// Looks at the file for ever, and at once on SIGHUP. A file has to look the same twice before it is read: who writes
    /// one may not have come to its end.
    pub(crate) async fn watch(self: &Arc<Self>) {
        let Some(file) = self.started.file.clone() else { return std::future::pending().await };
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(hangup) => Some(hangup),
            Err(error) => {
                warn!("can't wait for SIGHUP: {error}");
                None
            }
        };
        let mut known = self.look(&file).await;
        let mut before = known.clone();
        loop {
            let asked = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            let asked = tokio::select! {
                _ = asked => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let now = self.look(&file).await;
            if asked || (now != known && now == before) {
                self.read(&file).await;
                // What it was before the reading: a change meanwhile is another one.
                known.clone_from(&now);
            }
            before = now;
        }
    }

    /// What the file and its file of prices look like from outside.
    async fn look(&self, file: &Path) -> Vec<Option<Look>> {
        let price_file = self.price_file.lock().clone();
        let mut looks = Vec::new();
        for path in [Some(file.to_owned()), price_file].into_iter().flatten() {
            looks.push(tokio::fs::metadata(path).await.ok().map(|metadata| Look {
                modified: metadata.modified().ok(),
                bytes: metadata.len(),
                inode: metadata.ino(),
            }));
        }
        looks
    }

    async fn read(self: &Arc<Self>, file: &Path) {
        // Files are read, expressions compiled, certificates loaded: calls shall not wait for that.
        let (this, path) = (Arc::clone(self), file.to_owned());
        let read = tokio::task::spawn_blocking(move || Next::read(&path).and_then(|next| this.apply(next)));
        let fault = |error| Err(vec![format!("a fault of Signalbox while it was read ({error})")]);
        let applied = read.await.unwrap_or_else(fault);
        let file = file.display();
        match applied {
            Ok((needs_restart, changed)) => {
                if needs_restart.is_empty() {
                    info!(%file, "the configuration of `{file}` is in force");
                } else {
                    let fields = needs_restart.join(", ");
                    warn!(%file, "the configuration of `{file}` is in force, but for what needs a restart: {fields}");
                }
                self.watch.configuration_changed(&changed).await;
            }
            Err(problems) => {
                let all = problems.join("\n");
                warn!(%file, "the configuration of `{file}` is refused, the one before stays in force:\n{all}");
                self.status.lock().refused = Some(RefusedConfig { time: self.clock.now(), problems });
            }
        }
    }

    /// Tells what needs a restart, and which sections have changed.
    fn apply(&self, next: Next) -> Result<(Vec<String>, Vec<String>), Vec<String>> {
        let Next { config, guard, prices } = next;
        let price_file = price_file_of(&config);
        let needs_restart = self.started.needs_restart(&config.origin);
        let changed = self.current.lock().changed(&config.origin);
        let origin = config.origin.clone();
        let file = config.origin.file.as_ref().map(|file| file.display().to_string());
        let settings = Settings {
            guard,
            upstream: config.upstream(),
            config: config.gateway,
            routes: config.routes,
            prices: Arc::clone(&prices),
        };
        let texts = |problems: Vec<_>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
        self.switch.apply(settings, &config::environment).map_err(texts)?;
        self.prices.replace(prices);
        self.watch.configure(config.watch);
        *self.price_file.lock() = price_file;
        *self.current.lock() = origin;
        let mut status = self.status.lock();
        status.file = file;
        status.since = self.clock.now();
        status.reloads += 1;
        status.refused = None;
        status.needs_restart.clone_from(&needs_restart);
        Ok((needs_restart, changed))
    }
}

/// What is told of a file without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

/// A configuration that is sound, as far as it can be told without putting it in force.
struct Next {
    config: Config,
    guard: Guard,
    prices: Arc<PriceBook>,
}

impl Next {
    fn read(file: &Path) -> Result<Self, Vec<String>> {
        let texts = |error: anyhow::Error| match error.downcast_ref::<Problems>() {
            Some(problems) => problems.texts().collect(),
            None => vec![format!("{error:#}")],
        };
        let text = Config::text_of(file).map_err(texts)?;
        // Half of saving a file: cut to nothing, not yet written.
        if text.trim().is_empty() {
            let name = file.display();
            return Err(vec![format!("`{name}` is empty; for the defaults alone, leave a comment in it")]);
        }
        let config = Config::of_file(file, &text).map_err(|problems| problems.texts().collect::<Vec<_>>())?;
        let guard = Guard::compile(&config.guard).map_err(|error| vec![format!("`guard` can't be used: {error}")])?;
        let prices = Arc::new(config.price_book().map_err(texts)?);
        Ok(Self { config, guard, prices })
    }
}

fn price_file_of(config: &Config) -> Option<PathBuf> {
    config.price_file.as_ref().map(|file| file.path().to_owned())
}
