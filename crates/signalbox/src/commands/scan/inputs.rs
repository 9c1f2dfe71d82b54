//! What is looked at: files as they are named, and those of folders.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use ignore::{DirEntry, WalkBuilder};

/// Git's mark of a binary file: a byte of zero among so many first ones.
const HEAD_BYTES: usize = 8_000;

/// One file, or standard input.
#[derive(Debug)]
pub(super) struct Input {
    path: PathBuf,
    /// A folder was named, and it was found there.
    pub(super) is_walked: bool,
}

/// Every input: without a name, standard input. Of folders, what `.gitignore` and the like name is left out, unless
/// `all` is wanted.
///
/// # Errors
/// A folder can't be read.
pub(super) fn inputs(named: &[PathBuf], all: bool) -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    if named.is_empty() {
        inputs.push(Input { path: PathBuf::from("-"), is_walked: false });
    }
    for path in named {
        if path.is_dir() {
            let before = inputs.len();
            walk(path, all, &mut inputs)?;
            if inputs.len() == before && !all {
                // Who names a folder that is left out as a whole wants it looked at.
                walk(path, true, &mut inputs)?;
            }
        } else {
            inputs.push(Input { path: path.clone(), is_walked: false });
        }
    }
    Ok(inputs)
}

/// The files below a folder, by name. Hidden folders (`.git`) are left out, hidden files (`.env`) are not; links lead
/// elsewhere or in circles.
fn walk(folder: &Path, all: bool, inputs: &mut Vec<Input>) -> anyhow::Result<()> {
    let is_folder = |entry: &DirEntry| entry.file_type().is_some_and(|kind| kind.is_dir());
    let mut walker = WalkBuilder::new(folder);
    walker.standard_filters(!all).hidden(false).sort_by_file_name(Ord::cmp);
    // What is left out shall be the same on every machine, in a repository or not.
    walker.require_git(false).git_global(false).git_exclude(false);
    walker.filter_entry(move |entry| {
        // The folder that was named is looked at, whatever its name.
        entry.depth() == 0 || !is_folder(entry) || !entry.file_name().as_encoded_bytes().starts_with(b".")
    });
    for entry in walker.build() {
        // A line of a .gitignore that can't be read names nothing.
        if entry.as_ref().is_err_and(|error| error.io_error().is_none()) {
            continue;
        }
        let entry = entry.with_context(|| format!("can't read the folder `{}`", folder.display()))?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            inputs.push(Input { path: entry.into_path(), is_walked: true });
        }
    }
    Ok(())
}

impl Input {
    /// Its name for people.
    pub(super) fn shown(&self) -> String {
        if self.is_standard() { "standard input".to_owned() } else { self.path.display().to_string() }
    }

    /// Whether it is named as files of JSON lines are.
    pub(super) fn has_lines(&self) -> bool {
        self.path.extension().is_some_and(|ending| ending == "jsonl" || ending == "ndjson")
    }

    fn is_standard(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    pub(super) fn open(&self) -> anyhow::Result<Box<dyn Read>> {
        if self.is_standard() {
            return Ok(Box::new(io::stdin()));
        }
        Ok(Box::new(File::open(&self.path).with_context(|| format!("can't read `{}`", self.path.display()))?))
    }

    /// Its text; none of a binary file that nobody named. Bytes that are no UTF-8 are replaced: a binary file may hold
    /// keys, too.
    pub(super) fn text(&self) -> anyhow::Result<Option<String>> {
        let unread = || format!("can't read `{}`", self.path.display());
        let mut file = self.open()?;
        let mut bytes = Vec::new();
        file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut bytes).with_context(unread)?;
        if self.is_walked && bytes.contains(&0) {
            return Ok(None);
        }
        file.read_to_end(&mut bytes).with_context(unread)?;
        Ok(Some(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_by_name_without_hidden_ones_and_binaries() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            ("b.md", &b"b"[..]),
            ("a/z.txt", b"z"),
            ("a/.env", b"KEY=1"),
            ("a/picture", b"\x89PNG\0"),
            (".hidden/config", b"c"),
            (".gitignore", b"/built/\nfoo{\n"),
            ("built/made.txt", b"m"),
            ("lines.jsonl", b"{}"),
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let found = inputs(&[folder.path().to_owned()], false).unwrap();
        let texts: Vec<(String, Option<String>)> = found
            .iter()
            .map(|input| {
                let name = input.path.strip_prefix(folder.path()).unwrap().display().to_string();
                (name, input.text().unwrap())
            })
            .collect();
        let expected = [
            (".gitignore", Some("/built/\nfoo{\n")),
            ("a/.env", Some("KEY=1")),
            ("a/picture", None),
            ("a/z.txt", Some("z")),
            ("b.md", Some("b")),
            ("lines.jsonl", Some("{}")),
        ];
        let expected = expected.map(|(name, text)| (name.to_owned(), text.map(str::to_owned)));
        assert_eq!(texts, expected);
        assert_eq!(found.iter().filter(|input| input.has_lines()).count(), 1);
        let all = inputs(&[folder.path().to_owned()], true).unwrap();
        assert!(all.len() == found.len() + 1 && all.iter().any(|input| input.path.ends_with("built/made.txt")));
        let built = inputs(&[folder.path().join("built")], false).unwrap();
        assert_eq!(built.len(), 1, "who names it wants it looked at");
        // What can't be read of a file above is no reason to look at nothing.
        assert_eq!(inputs(&[folder.path().join("a")], false).unwrap().len(), 3);
        // Who names a binary file wants it looked at.
        let named = inputs(&[folder.path().join("a/picture")], false).unwrap();
        assert!(named[0].text().unwrap().is_some_and(|text| text.contains("PNG")));
    }
}
