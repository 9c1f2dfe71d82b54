//! The rules of the house that no compiler keeps. Each says what broke and the way out.

mod floors;
mod invariants;
mod registries;

use std::fs;

use anyhow::{Result, bail};

use crate::run::{output, program};

/// A file past this many lines wants to be two.
const LONGEST_FILE: usize = 500;

/// A source file that git knows.
pub struct Source {
    pub path: String,
    pub text: String,
    pub lines: usize,
}

/// All checks.
pub fn tidy() -> Result<()> {
    let sources = sources()?;
    let mut problems = Vec::new();
    floors::check(&mut problems)?;
    registries::check(&mut problems)?;
    invariants::check(&sources, &mut problems)?;
    for source in &sources {
        if source.lines > LONGEST_FILE {
            problems.push(format!(
                "{}: {} lines; split what it does in two (limit {LONGEST_FILE})",
                source.path, source.lines
            ));
        }
        if source.path != "xtask/src/tidy/mod.rs"
            && ["TODO", "FIXME", "XXX:"].iter().any(|mark| source.text.contains(mark))
        {
            problems.push(format!("{}: a TODO; do it, or open an issue", source.path));
        }
    }
    if problems.is_empty() {
        println!("tidy: {} files, floors, registries and invariants hold", sources.len());
        return Ok(());
    }
    for problem in &problems {
        println!("tidy: {problem}");
    }
    bail!("{} rules of the house are broken", problems.len())
}

/// Hand-written source files, tracked or new.
pub fn sources() -> Result<Vec<Source>> {
    let listed = output(&mut program("git", &["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    let wanted = |path: &&str| {
        let ending = path.rsplit('.').next().unwrap_or_default();
        matches!(ending, "rs" | "ts" | "tsx" | "py" | "css") && !path.ends_with("api/schema.ts")
    };
    let mut sources = Vec::new();
    for path in listed.lines().filter(wanted) {
        // A file that git lists but somebody just removed.
        let Ok(text) = fs::read_to_string(path) else { continue };
        sources.push(Source { path: path.to_owned(), lines: text.lines().count(), text });
    }
    Ok(sources)
}
