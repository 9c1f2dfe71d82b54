use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{HumanBytes, ProgressBar};
use serde_json::{Value, json};
use signalbox_catalog::Catalog;
use signalbox_store::{OpenError, Store};
use signalbox_types::seam::{Clock, EventStore, SystemClock};

use super::place::is_data_folder;
use crate::config::Config;
use crate::remote::Remote;

/// Back up everything into a folder, while Signalbox runs or while it doesn't
///
/// If a Signalbox runs on the data folder, or `--url` names one, it makes the backup itself, on its own disk;
/// the key must be its first one. Otherwise the data folder is opened here. A folder that has a backup already
/// is brought up to date, and that backup stays whole until the new one is. `signalbox restore` brings it back.
#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The folder to write to: empty, not there yet, or with an earlier backup
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The data folder [default: ./signalbox-data, or `server.data_dir` of the configuration]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Ask the Signalbox at this URL [default: http://127.0.0.1:7300, if one uses the data folder]
    #[arg(long, env = "SIGNALBOX_URL")]
    url: Option<String>,
    /// Its first virtual key [default: SIGNALBOX_KEY]
    #[arg(long)]
    key: Option<String>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let to = std::path::absolute(&self.to).context("the path of the backup can't be used")?;
        let bar = ProgressBar::new_spinner().with_message("backing up");
        bar.enable_steady_tick(Duration::from_millis(100));
        let json = self.json;
        let report = super::block_on(async move {
            match self.folder()? {
                Some(store) => here(store, &to).await,
                None => {
                    let remote = Remote::new(self.url.as_deref(), self.key)?;
                    remote.post("/api/v1/admin/backup", &json!({"to": to.display().to_string()})).await
                }
            }
        })?;
        bar.finish_and_clear();
        super::say(&if json { report.to_string() } else { told(&report) });
        Ok(())
    }

    /// The data folder, if no Signalbox is to be asked.
    fn folder(&self) -> anyhow::Result<Option<(PathBuf, Arc<Store>)>> {
        if self.url.is_some() && self.data.is_none() {
            return Ok(None);
        }
        let config = Config::load(None)?;
        let data = self.data.clone().unwrap_or(config.server.data_dir);
        if !is_data_folder(&data) {
            anyhow::ensure!(self.data.is_none(), "`{}` is no data folder of Signalbox", data.display());
            return Ok(None);
        }
        match Store::open(&data, config.store, Arc::new(SystemClock::new())) {
            Ok(store) => Ok(Some((data, store))),
            Err(OpenError::Locked { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

async fn here((data, store): (PathBuf, Arc<Store>), to: &std::path::Path) -> anyhow::Result<Value> {
    let began = Instant::now();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let catalog = Catalog::open(&data, clock).await?;
    let report = store.backup(to).await?;
    catalog.backup(&to.join("catalog.db")).await?;
    catalog.close().await?;
    store.close().await?;
    let mut answer = serde_json::to_value(report)?;
    answer["to"] = json!(to.display().to_string());
    answer["took_ms"] = json!(began.elapsed().as_millis() as u64);
    Ok(answer)
}

fn told(report: &Value) -> String {
    let number = |name: &str| report[name].as_u64().unwrap_or(0);
    format!(
        "Backed up to {} in {:.1} s: {} files, {} ({} linked, {} copied, {} kept, {} removed).",
        report["to"].as_str().unwrap_or_default(),
        number("took_ms") as f64 / 1_000.0,
        number("files"),
        HumanBytes(number("bytes")),
        number("linked"),
        number("copied"),
        number("kept"),
        number("removed"),
    )
}
