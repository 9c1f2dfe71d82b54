//! A crate imports only lower floors; a few third-party crates have one home.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run::{output, program};

/// Third-party crates that only these of ours may name.
const HOMES: &[(&str, &[&str])] = &[
    ("datafusion", &["signalbox-store"]),
    // The binary reads files of items; both are linked by the store anyway.
    ("arrow", &["signalbox-store", "signalbox"]),
    ("parquet", &["signalbox-store", "signalbox"]),
    ("tantivy", &["signalbox-store"]),
    ("sqlx", &["signalbox-catalog"]),
    ("axum", &["signalbox-api", "signalbox"]),
    ("clap", &["signalbox"]),
];

pub fn check(problems: &mut Vec<String>) -> Result<()> {
    let metadata = output(&mut program("cargo", &["metadata", "--no-deps", "--format-version", "1", "--offline"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let floor = |package: &Value| package["metadata"]["house"]["floor"].as_u64();
    let floors: BTreeMap<&str, u64> =
        packages.iter().filter_map(|package| Some((package["name"].as_str()?, floor(package)?))).collect();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if name == "xtask" {
            continue;
        }
        let Some(own) = floors.get(name) else {
            problems.push(format!("{name}: Cargo.toml says no [package.metadata.house] floor"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["kind"] == "dev" {
                continue;
            }
            let other = dependency["name"].as_str().unwrap_or_default();
            check_one(name, *own, other, &floors, problems);
        }
    }
    Ok(())
}

fn check_one(name: &str, own: u64, other: &str, floors: &BTreeMap<&str, u64>, problems: &mut Vec<String>) {
    if other == "signalbox-testkit" {
        problems.push(format!("{name} imports the testkit outside of tests; list it under [dev-dependencies]"));
    }
    match floors.get(other) {
        Some(floor) if *floor >= own => problems.push(format!(
            "{name} (floor {own}) imports {other} (floor {floor}); floors only point down: let them meet through a trait in `types`"
        )),
        _ => {}
    }
    if other == "signalbox-store" && name != "signalbox" {
        problems.push(format!("{name} imports the store; take an `Arc<dyn EventStore>` instead"));
    }
    let home = HOMES.iter().find(|(crate_name, _)| *crate_name == other);
    if let Some((_, homes)) = home.filter(|(_, homes)| !homes.contains(&name)) {
        problems.push(format!("{name} imports {other}, which only {} may", homes.join(" and ")));
    }
}
