use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;

use crate::config;

/// Write a commented `signalbox.yaml` with every setting and its default
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// The file to write
    #[arg(default_value = config::DEFAULT_FILE)]
    file: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

impl Init {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let path = self.file.display();
        let mut open = OpenOptions::new();
        open.write(true).truncate(true);
        if self.force {
            open.create(true)
        } else {
            open.create_new(true)
        };
        let mut file = open.open(&self.file).with_context(|| match self.file.exists() && !self.force {
            true => format!("`{path}` is already there; `--force` replaces it"),
            false => format!("can't write `{path}`"),
        })?;
        file.write_all(config::TEMPLATE.as_bytes()).with_context(|| format!("can't write `{path}`"))?;
        super::say(&format!(
            "Wrote {path}. Edit it, check it with `signalbox check {path}`, start with `signalbox up`."
        ));
        Ok(())
    }
}
