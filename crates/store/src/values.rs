//! Fields and their frequent values, as of the last flush on disk. They are about right: what came after
//! it is not counted again after a crash.

use std::io::{self, Write as _};
use std::path::Path;

use signalbox_journal::fs::Fs;
use signalbox_types::TopValues;
use tracing::warn;

const NAME: &str = "values.json";

/// What the last flush left; nothing if there is none, or it can't be read.
pub(crate) fn load(fs: &dyn Fs, dir: &Path) -> TopValues {
    let bytes = match fs.read(&dir.join(NAME)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return TopValues::default(),
        Err(error) => {
            warn!(%error, "the frequent values of fields can't be read, counting anew");
            return TopValues::default();
        }
    };
    serde_json::from_slice(&bytes).unwrap_or_else(|error| {
        warn!(%error, "the frequent values of fields are damaged, counting anew");
        TopValues::default()
    })
}

/// Puts them where the next start finds them.
pub(crate) fn save(fs: &dyn Fs, dir: &Path, values: &TopValues) -> io::Result<()> {
    let bytes = serde_json::to_vec(values).map_err(io::Error::other)?;
    let tmp = dir.join("values.tmp");
    let mut file = fs.create(&tmp)?;
    file.write_all(&bytes)?;
    file.sync()?;
    fs.rename(&tmp, &dir.join(NAME))?;
    fs.sync_dir(dir)
}
