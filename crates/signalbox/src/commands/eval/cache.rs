//! Answers of earlier runs, by everything that they depend on: a file each, named by what was asked.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use signalbox_evals::suite::content_hash;

/// A folder of answers. One that can't be read or written is no failure: it is asked again.
#[derive(Debug, Clone)]
pub(super) struct Cache(Option<PathBuf>);

impl Cache {
    pub(super) fn at(folder: Option<PathBuf>) -> Self {
        Self(folder)
    }

    /// The name of what is asked.
    pub(super) fn key(parts: &[&str]) -> String {
        let lengths: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
        content_hash(lengths.as_bytes())
    }

    pub(super) fn find<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_slice(&std::fs::read(self.file(key)?).ok()?).ok()
    }

    pub(super) fn keep(&self, key: &str, value: &impl Serialize) {
        let Some(file) = self.file(key) else { return };
        let write = || {
            std::fs::create_dir_all(file.parent()?).ok()?;
            // Never half a file, whoever else writes it or ends this process.
            let half = file.with_extension(format!("{}.half", std::process::id()));
            std::fs::write(&half, serde_json::to_vec(value).ok()?).ok()?;
            std::fs::rename(half, &file).ok()
        };
        let _ = write();
    }

    fn file(&self, key: &str) -> Option<PathBuf> {
        let folder = key.get(..2)?;
        Some(self.0.as_ref()?.join(folder).join(format!("{key}.json")))
    }
}

/// A program's content counts, too: of each argument that is a file, what it holds.
pub(super) fn content_of_files(run: &[String], folder: &Path) -> String {
    const LARGEST: u64 = 16 << 20;
    let content = |name: &String| {
        let file = folder.join(name);
        let is_small = std::fs::metadata(&file).is_ok_and(|about| about.is_file() && about.len() <= LARGEST);
        is_small.then(|| std::fs::read(&file).ok()).flatten().map(|bytes| content_hash(&bytes))
    };
    run.iter().filter_map(content).collect::<Vec<_>>().join(" ")
}
