//! Where a command finds its data: at a Signalbox that runs, or in a folder on which none does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use signalbox_store::Store;
use signalbox_types::ProjectId;
use signalbox_types::seam::{Clock, SystemClock};

use crate::config::Config;
use crate::remote::{At, Remote};

/// Where the rows are.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    #[command(flatten)]
    at: At,
    /// Open this data folder instead of asking a Signalbox; none may run on it
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The project in the data folder; at a Signalbox the key says which
    #[arg(long, default_value = "default", requires = "data")]
    project: String,
}

/// What is at that place.
pub(super) enum Source {
    Running(Box<Remote>),
    Folder(Arc<Store>, ProjectId),
}

impl Place {
    pub(super) fn open(self) -> anyhow::Result<Source> {
        match self.data {
            Some(data) => Ok(Source::Folder(open_folder(&data)?, ProjectId::new(&self.project))),
            None => Ok(Source::Running(Box::new(self.at.remote()?))),
        }
    }
}

/// Opens a data folder that is there: it makes none.
pub(super) fn open_folder(data: &Path) -> anyhow::Result<Arc<Store>> {
    if !is_data_folder(data) {
        anyhow::bail!("`{}` is no data folder of Signalbox", data.display());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let config = Config::load(None).map(|config| config.store).unwrap_or_default();
    Store::open(data, config, clock)
        .context("ask the Signalbox that runs on it, with `--url` and `--key` instead of `--data`")
}

pub(super) fn is_data_folder(data: &Path) -> bool {
    data.join("manifest.json").exists() || data.join("journal").exists()
}

/// A bar over bytes; nothing where nobody looks.
pub(super) fn byte_bar(doing: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:40} {bytes}/{total_bytes} {bytes_per_sec}");
    let bar = ProgressBar::new(0).with_message(doing);
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}

/// A count of bytes of which nobody knows the end.
pub(super) fn byte_spinner(doing: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {bytes} {bytes_per_sec}");
    let bar = ProgressBar::new_spinner().with_message(doing);
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}
