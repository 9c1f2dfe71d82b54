//! One thing, one folder, one registry line: whatever is in the folder is listed, and has tests.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// A registry: its file, the folder of its rooms, and what each room must hold.
struct Registry {
    file: &'static str,
    rooms: &'static str,
    each: &'static [&'static str],
}

const REGISTRIES: &[Registry] = &[
    Registry { file: "crates/wire/src/registry.rs", rooms: "crates/wire/src/dialects", each: &["mod.rs", "fixtures"] },
    Registry {
        file: "crates/semconv/src/registry.rs",
        rooms: "crates/semconv/src/dialects",
        each: &["mod.rs", "fixtures"],
    },
    Registry { file: "crates/guard/src/registry.rs", rooms: "crates/guard/src/scanners", each: &["mod.rs", "data"] },
    Registry { file: "crates/ingest/src/registry.rs", rooms: "crates/ingest/src/receivers", each: &["mod.rs"] },
    Registry { file: "crates/api/src/routes/mod.rs", rooms: "crates/api/src/routes", each: &["mod.rs", "tests.rs"] },
    Registry { file: "crates/catalog/src/resources/mod.rs", rooms: "crates/catalog/src/resources", each: &["mod.rs"] },
];

pub fn check(problems: &mut Vec<String>) -> Result<()> {
    for registry in REGISTRIES {
        let listed = fs::read_to_string(registry.file).with_context(|| format!("can't read {}", registry.file))?;
        for entry in fs::read_dir(registry.rooms).with_context(|| format!("can't read {}", registry.rooms))? {
            let room = entry?.path();
            let name = room.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !room.is_dir() {
                continue;
            }
            if !listed.contains(&name) {
                problems.push(format!("{} has no line for `{name}` in {}", registry.file, registry.rooms));
            }
            for part in registry.each.iter().filter(|part| !room.join(part).exists()) {
                problems.push(format!("{}/{name} has no {part}", registry.rooms));
            }
        }
    }
    providers(problems)?;
    readmes(problems)
}

fn providers(problems: &mut Vec<String>) -> Result<()> {
    let listed = fs::read_to_string("crates/upstream/src/registry.rs")?;
    for entry in fs::read_dir("crates/upstream/providers")? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !listed.contains(&format!("\"{name}\"")) {
            problems.push(format!("crates/upstream/src/registry.rs has no line for providers/{name}.toml"));
        }
    }
    Ok(())
}

/// Every crate says what it is for.
fn readmes(problems: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir("crates")? {
        let path = entry?.path();
        if !path.join("README.md").exists() {
            problems.push(format!(
                "{} has no README.md: charter, main type, how to add one, what it must never do",
                path.display()
            ));
        }
        let library = path.join("src/lib.rs");
        let documented = |text: String| text.contains("include_str!(\"../README.md\")");
        if Path::new(&library).exists() && !fs::read_to_string(&library).is_ok_and(documented) {
            problems.push(format!("{} doesn't begin with #![doc = include_str!(\"../README.md\")]", library.display()));
        }
    }
    Ok(())
}
