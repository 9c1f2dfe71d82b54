use std::io::Write as _;
use std::path::PathBuf;

use crate::config::{self, Config};

/// Check a configuration file: every unknown or wrong field with its line and what was expected
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The file to check
    #[arg(default_value = config::DEFAULT_FILE)]
    file: PathBuf,
    /// Print the file's JSON Schema instead, for editors
    #[arg(long)]
    schema: bool,
}

impl Check {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if self.schema {
            super::say(&serde_json::to_string_pretty(&config::schema())?);
            return Ok(());
        }
        let config = Config::load(Some(&self.file))?;
        for warning in config.warnings(&config::environment) {
            let _ = writeln!(std::io::stderr(), "{}: warning: {warning}", self.file.display());
        }
        super::say(&format!("{} is valid.", self.file.display()));
        Ok(())
    }
}
