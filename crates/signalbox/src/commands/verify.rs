use std::path::{Path, PathBuf};

use anyhow::bail;
use indicatif::HumanBytes;
use signalbox_catalog::Catalog;
use signalbox_store::{Damage, Verification};

use super::place::byte_bar;
use crate::config::Config;

/// Read all data and say what is damaged, also while Signalbox runs
///
/// Reads every data file, keys file, journal record and the catalog, and compares checksums. Ends with status 1
/// if anything is damaged, and says for each what to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The data folder [default: ./signalbox-data, or `server.data_dir` of the configuration]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A backup instead
    #[arg(long, value_name = "DIR", conflicts_with = "data")]
    backup: Option<PathBuf>,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let is_backup = self.backup.is_some();
        let dir = match self.backup.or(self.data) {
            Some(dir) => dir,
            None => Config::load(None)?.server.data_dir,
        };
        let bar = byte_bar("reading");
        let mut found = signalbox_store::verify(&dir, &mut |done, of| {
            bar.set_length(of);
            bar.set_position(done);
        })?;
        bar.finish_and_clear();
        check_catalog(&dir, is_backup, &mut found)?;
        if self.json {
            super::say(&serde_json::to_string(&found)?);
        } else {
            super::say(&told(&dir, &found));
        }
        match found.damages.len() {
            0 => Ok(()),
            1 => bail!("1 file is damaged"),
            damaged => bail!("{damaged} files are damaged"),
        }
    }
}

fn check_catalog(dir: &Path, is_backup: bool, found: &mut Verification) -> anyhow::Result<()> {
    let path = dir.join("catalog.db");
    let (problem, advice) = if path.is_file() {
        found.files += 1;
        let checked = super::block_on(async { Ok(Catalog::check(&path).await) })?;
        let problem = checked.map_or_else(|error| error.to_string(), |problems| problems.join("; "));
        (problem, "restore a backup, or move it away to start with new keys: spans are kept elsewhere and stay")
    } else if is_backup {
        ("it is missing: the backup was cut off".to_owned(), "make the backup again")
    } else {
        return Ok(());
    };
    if !problem.is_empty() {
        found.damages.push(Damage { path, problem, advice: advice.to_owned() });
    }
    Ok(())
}

fn told(dir: &Path, found: &Verification) -> String {
    let mut lines = Vec::new();
    for Damage { path, problem, advice } in &found.damages {
        lines.push(format!("damaged: {}\n  {problem}\n  what to do: {advice}", path.display()));
    }
    let verdict = if found.damages.is_empty() { "nothing is damaged" } else { "see above" };
    lines.push(format!(
        "Read {} files, {}, in {}: {} rows in files, {} records in the journal; {verdict}.",
        found.files,
        HumanBytes(found.bytes),
        dir.display(),
        found.rows,
        found.journal_records
    ));
    lines.join("\n")
}
