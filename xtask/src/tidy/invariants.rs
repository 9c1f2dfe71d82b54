//! The invariants of ARCHITECTURE.md: each names the test or check that keeps it, and that is there.

use std::fs;

use anyhow::{Context, Result};

use super::Source;

pub fn check(sources: &[Source], problems: &mut Vec<String>) -> Result<()> {
    documented(problems)?;
    for source in sources {
        let path = source.path.as_str();
        if path.starts_with("xtask/") {
            continue;
        }
        if path.ends_with(".rs") && source.text.contains("cfg(feature") {
            problems.push(format!("{path}: a product feature; everybody builds and tests the same program"));
        }
        if path.starts_with("crates/gateway/src/stages/")
            && source.text.contains("use super::")
            && !path.ends_with("mod.rs")
            && !path.ends_with("tests.rs")
        {
            problems.push(format!("{path}: a stage uses a neighbour; stages don't call stages, `serve` calls them"));
        }
    }
    let secret = fs::read_to_string("crates/types/src/secret.rs").context("types::Secret is gone")?;
    if secret.contains("Serialize") && secret.contains("impl serde::Serialize") || secret.contains("derive(Debug") {
        problems.push("types::Secret can be serialised or printed; secrets must never be".to_owned());
    }
    Ok(())
}

/// Rows of the table `| invariant | kept by |` name files (and tests in them) that exist.
fn documented(problems: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string("ARCHITECTURE.md").context("ARCHITECTURE.md is gone")?;
    if text.lines().count() > 200 {
        problems.push("ARCHITECTURE.md is longer than 200 lines; move detail to docs/".to_owned());
    }
    let section = text.split("## Invariants").nth(1).unwrap_or_default().split("\n## ").next().unwrap_or_default();
    let mut rows = 0;
    for row in section
        .lines()
        .filter(|line| line.starts_with("| ") && !line.contains("---") && !line.starts_with("| invariant"))
    {
        rows += 1;
        let keeper = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        for name in keeper.split('`').skip(1).step_by(2) {
            let (file, test) = name.split_once("::").unwrap_or((name, ""));
            match fs::read_to_string(file) {
                Ok(text) if text.contains(test) => {}
                Ok(_) => problems.push(format!("ARCHITECTURE.md: `{test}` is not in {file}")),
                Err(_) => problems.push(format!("ARCHITECTURE.md: there is no {file}")),
            }
        }
        if !keeper.contains('`') {
            problems.push(format!("ARCHITECTURE.md: nothing keeps the invariant in `{row}`"));
        }
    }
    if rows < 10 {
        problems.push(format!("ARCHITECTURE.md lists {rows} invariants; there are ten at least"));
    }
    Ok(())
}
