//! Counts which code calls run through, for the compiler: `.cargo/rustc` says how it is used.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result};

use crate::run::{output, program, run, target_dir};
use crate::{build, setup};

/// What the compiler reads.
const PROFILE: &str = "crates/signalbox/calls.profdata";
/// What it was counted with.
const STAMP: &str = "crates/signalbox/calls.stamp";
/// The crates that `.cargo/rustc` compiles with it.
const CRATES: [&str; 7] = ["signalbox", "gateway", "guard", "text", "types", "upstream", "wire"];
/// Functions whose busiest part ran less often are left out: of ten thousand calls it is next to nothing, and they are
/// most of the file.
const LEAST: u64 = 100;

/// `cargo xtask profile`: builds a binary that counts, sends it calls, and keeps what it has counted.
pub fn profile() -> Result<()> {
    setup::for_bench()?;
    let version = output(&mut program("rustc", &["-vV"]))?;
    let llvm = version.lines().find_map(|line| line.strip_prefix("LLVM version: ")).context("rustc without LLVM")?;
    let llvm = llvm.split('.').next().unwrap_or_default();
    let tool = format!("llvm-profdata-{llvm}");
    setup::packages(&[(&tool, &format!("llvm-{llvm}"))])?;

    let folder = target_dir().join("profile");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let folder = fs::canonicalize(folder)?;
    forget()?;
    build::release_where(|cargo| cargo.env("SIGNALBOX_PROFILE", &folder))?;
    run(&mut program("python3", &["bench/gateway/calls.py"]))?;

    let merge = |arguments: &[&str], to: &Path| run(program(&tool, &["merge", "-o"]).arg(to).args(arguments));
    let (all, most) = (folder.join("all.txt"), folder.join("most.txt"));
    merge(&["-text", "-sparse", &folder.to_string_lossy()], &all)?;
    fs::write(&most, busy(&fs::read_to_string(&all)?))?;
    merge(&[&most.to_string_lossy()], Path::new(PROFILE))?;
    fs::write(STAMP, stamp()?)?;
    // What was built counts; the next build is to use the counts.
    forget()?;
    println!("{PROFILE} is written. Now `make build`.");
    Ok(())
}

/// Says so if the names of functions may be others than in the profile: they follow from the compiler and dependencies.
pub fn remind() -> Result<()> {
    if fs::read_to_string(STAMP).ok() != Some(stamp()?) {
        println!(
            "note: Cargo.lock or rustc have changed since calls were counted: `make profile` makes them fast again"
        );
    }
    Ok(())
}

fn stamp() -> Result<String> {
    let mut hasher = DefaultHasher::new();
    fs::read("Cargo.lock")?.hash(&mut hasher);
    let rustc = output(&mut program("rustc", &["--version"]))?;
    Ok(format!("{}\nCargo.lock {:016x}\n", rustc.trim(), hasher.finish()))
}

/// Cargo doesn't know that these depend on the profile.
fn forget() -> Result<()> {
    let mut clean = program("cargo", &["clean", "--release"]);
    for name in CRATES {
        clean.args(["--package", &if name == "signalbox" { name.to_owned() } else { format!("signalbox-{name}") }]);
    }
    run(&mut clean)
}

/// The head of a profile, and its functions that ran often: name, hash and counts, a line each, with comments between
/// them and an empty line at the end of each function.
fn busy(profile: &str) -> String {
    let ran_often = |function: &&str| {
        let mut lines = function.lines().filter(|line| !line.starts_with(['#', ':']));
        let count = lines.nth(2).and_then(|count| count.parse().ok()).unwrap_or(0);
        lines.take(count).filter_map(|line| line.parse::<u64>().ok()).any(|count| count >= LEAST)
    };
    let head = profile.split_inclusive('\n').take_while(|line| line.starts_with(['#', ':'])).map(str::len).sum();
    let (head, functions) = profile.split_at(head);
    let kept: Vec<&str> = functions.split("\n\n").filter(ran_often).collect();
    format!("{head}{}\n", kept.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_often_is_kept() {
        let function = |name: &str, counts: [u64; 2]| {
            let [first, second] = counts;
            format!("{name}\n# Func Hash:\n123456\n# Num Counters:\n2\n# Counter Values:\n{first}\n{second}\n\n")
        };
        let head = "# IR level Instrumentation Flag\n:ir\n";
        let [seldom, often] = [function("_ZN6seldom", [99, 0]), function("_ZN5often", [0, 100])];
        assert_eq!(busy(&format!("{head}{seldom}{often}")).trim_end(), format!("{head}{often}").trim_end());
    }
}
