//! How large everything is.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::tidy::sources;

/// Lines per crate, and the longest files.
pub fn sizes() -> Result<()> {
    let mut crates: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut files = Vec::new();
    for file in sources()? {
        let path = Path::new(&file.path);
        let part: Vec<_> = path.iter().take(2).map(|part| part.to_string_lossy().into_owned()).collect();
        let entry = crates.entry(part.join("/")).or_default();
        entry.0 += 1;
        entry.1 += file.lines;
        files.push((file.lines, file.path));
    }
    println!("{:<24} {:>6} {:>8}", "part", "files", "lines");
    for (name, (count, lines)) in &crates {
        println!("{name:<24} {count:>6} {lines:>8}");
    }
    files.sort_unstable_by(|left, right| right.cmp(left));
    println!("\nlongest files");
    for (lines, path) in files.iter().take(10) {
        println!("{lines:>6}  {path}");
    }
    Ok(())
}
