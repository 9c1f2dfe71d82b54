//! Profile-guided optimisation: counts which code calls run through, for the compiler. `.cargo/rustc` says how it is used.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result};

use crate::run::{binary, output, program, run, target_dir};
use crate::{build, setup};

/// What the compiler reads.
const PROFILE: &str = "crates/signalbox/calls.profdata";
/// What it was counted with.
const STAMP: &str = "crates/signalbox/calls.stamp";
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
    let counted = count(&folder);
    // Nobody is to use a binary that counts; the next build is another one.
    let _ = fs::remove_file(binary());
    counted?;

    let merge = |arguments: &[&str], to: &Path| run(program(&tool, &["merge", "-o"]).arg(to).args(arguments));
    let [all, most, done] = ["all.txt", "most.txt", "calls.profdata"].map(|name| folder.join(name));
    merge(&["-text", "-sparse", &folder.to_string_lossy()], &all)?;
    fs::write(&most, busy(&fs::read_to_string(&all)?))?;
    merge(&[&most.to_string_lossy()], &done)?;
    fs::copy(&done, PROFILE)?;
    fs::write(STAMP, stamp()?)?;
    println!("{PROFILE} is written. Now `make build`.");
    Ok(())
}

fn count(folder: &Path) -> Result<()> {
    build::release_with(Some(folder))?;
    run(&mut program("python3", &["bench/gateway/calls.py"]))
}

/// Says so if the names of functions may be others than in the profile: they follow from the compiler, from dependencies
/// and their features.
pub fn remind() -> Result<()> {
    if fs::read_to_string(STAMP).ok() != Some(stamp()?) {
        println!(
            "note: rustc or dependencies have changed since calls were counted: `make profile` makes them fast again"
        );
    }
    Ok(())
}

fn stamp() -> Result<String> {
    let rustc = output(&mut program("rustc", &["--version"]))?;
    let mut stamp = format!("{}\n", rustc.trim());
    for file in ["Cargo.lock", "Cargo.toml"] {
        let mut hasher = DefaultHasher::new();
        fs::read(file)?.hash(&mut hasher);
        stamp += &format!("{file} {:016x}\n", hasher.finish());
    }
    Ok(stamp)
}

/// The head of a profile, and its functions that ran often: name, hash and counts, a line each, with comments between
/// them, perhaps values, and an empty line at the end of each function.
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
    use crate::run::root;

    #[test]
    fn what_ran_often_is_kept() {
        let function = |name: &str, counts: [u64; 2]| {
            let [first, second] = counts;
            let values = "# Num Value Kinds:\n1\n# ValueKind = IPVK_MemOPSize:\n1\n# NumValueSites:\n1\n1\n4096:7";
            format!(
                "{name}\n# Func Hash:\n123456\n# Num Counters:\n2\n# Counter Values:\n{first}\n{second}\n{values}\n8192\n\n"
            )
        };
        let head = "# IR level Instrumentation Flag\n:ir\n";
        let [seldom, often] = [function("_ZN6seldom", [99, 0]), function("_ZN5often", [0, 100])];
        assert_eq!(busy(&format!("{head}{seldom}{often}")).trim_end(), format!("{head}{often}").trim_end());
    }

    #[test]
    fn what_a_call_runs_through_is_compiled_with_it() {
        let release = "--emit=dep-info,metadata,link -C opt-level=3";
        let said = |profile: Option<&str>, arguments: &str| {
            let mut wrapper = program(root().join(".cargo/rustc"), &["echo", "rustc"]);
            wrapper.args(arguments.split(' ')).env_remove("SIGNALBOX_PROFILE");
            if let Some(profile) = profile {
                wrapper.env("SIGNALBOX_PROFILE", profile);
            }
            let said = output(&mut wrapper).unwrap();
            let said = said.trim().strip_prefix("rustc ").unwrap();
            said.strip_prefix(arguments).unwrap().trim().to_owned()
        };
        let mut count = 0;
        for folder in fs::read_dir(root().join("crates")).unwrap() {
            let folder = folder.unwrap();
            let name = folder.file_name().into_string().unwrap();
            let crate_name = if name == "signalbox" { name } else { format!("signalbox_{name}") };
            let arguments = format!("--crate-name {crate_name} --edition=2024 src/lib.rs {release}");
            // Whatever reads the profile is built anew when that is counted or left out, and nothing else.
            let roots = ["src/lib.rs", "src/main.rs"].map(|file| fs::read_to_string(folder.path().join(file)));
            if !roots.into_iter().flatten().any(|text| text.contains("option_env!(\"SIGNALBOX_PROFILE\")")) {
                assert_eq!(said(None, &arguments), "", "{crate_name}");
                continue;
            }
            count += 1;
            let used = said(None, &arguments);
            assert!(used.starts_with("-Cprofile-use=") && used.contains(PROFILE), "{crate_name}: {used}");
            assert_eq!(said(Some("off"), &arguments), "");
            assert_eq!(said(Some("/counts"), &arguments), "-Cprofile-generate=/counts");
        }
        assert_eq!(count, 7);
        for arguments in [
            format!("--crate-name signalbox_store src/lib.rs {release}"),
            format!("--crate-name serde_json src/lib.rs {release}"),
            format!("--crate-name signalbox_wire src/lib.rs {release} --test"),
            format!("--crate-name signalbox_guard src/lib.rs {release} --cfg fuzzing"),
            "--crate-name signalbox_wire src/lib.rs --emit=dep-info,metadata -C opt-level=3".to_owned(),
            "--crate-name signalbox_wire src/lib.rs --emit=dep-info,metadata,link -C debuginfo=1".to_owned(),
            "-vV".to_owned(),
        ] {
            assert_eq!(said(None, &arguments), "", "{arguments}");
            assert_eq!(said(Some("/counts"), &arguments), "", "{arguments}");
        }
    }
}
