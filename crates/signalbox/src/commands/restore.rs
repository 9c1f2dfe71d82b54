use std::path::PathBuf;

use anyhow::ensure;
use indicatif::HumanBytes;
use signalbox_catalog::Catalog;

use super::place::byte_bar;

/// Bring a backup back into a data folder
///
/// Every file is compared with its checksum before it says that it is done. Start Signalbox on the folder
/// afterwards; keys, projects and spans are those of the backup.
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The folder of the backup
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The data folder to make; it must be empty
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Move what is in the data folder into a folder `replaced-1` within it first
    #[arg(long)]
    force: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let catalog = self.from.join("catalog.db");
        if catalog.is_file() {
            let problems = super::block_on(async { Ok(Catalog::check(&catalog).await?) })?;
            ensure!(
                problems.is_empty(),
                "{} is damaged: {}; take another backup",
                catalog.display(),
                problems.join("; ")
            );
        }
        let bar = byte_bar("restoring");
        let restored = signalbox_store::restore(&self.from, &self.data, self.force, &mut |done, of| {
            bar.set_length(of);
            bar.set_position(done);
        })?;
        bar.finish_and_clear();
        if self.json {
            super::say(&serde_json::to_string(&restored)?);
            return Ok(());
        }
        if let Some(aside) = &restored.moved_aside {
            super::say(&format!("What was in {} is in {} now.", self.data.display(), aside.display()));
        }
        super::say(&format!(
            "Restored {} files, {}, with {} rows; all checksums are right. Start it with `signalbox up --data {}`.",
            restored.files,
            HumanBytes(restored.bytes),
            restored.rows,
            self.data.display()
        ));
        Ok(())
    }
}
