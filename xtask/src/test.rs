//! Every test, or one crate's.

use std::fs;

use anyhow::Result;

use crate::run::{program, run};
use crate::{build, lint, setup};

/// All of it; with a crate's short name, only its Rust tests.
pub fn test(rest: &[String]) -> Result<()> {
    if let [name] = rest {
        return one("test", name);
    }
    setup::for_test()?;
    build::web()?;
    lint::lint()?;
    // One profile for the tests and for the binary under test: DataFusion is compiled once.
    run(program("cargo", &["test", "--release", "--workspace", "--quiet"]).env("INSTA_UPDATE", "no"))?;
    build::release()?;
    run(program("npm", &["run", "test"]).current_dir("web"))?;
    black_box()
}

/// The tests against the release binary, with real SDKs and a real browser.
fn black_box() -> Result<()> {
    fs::create_dir_all("e2e/out")?;
    run(&mut program("e2e/.venv/bin/python", &["-m", "pytest", "-q", "e2e"]))?;
    run(program("npm", &["test"]).current_dir("e2e/js"))
}

/// `cargo check`.
pub fn check(rest: &[String]) -> Result<()> {
    match rest {
        [name] => one("check", name),
        _ => run(&mut program("cargo", &["check", "--release", "--workspace", "--all-targets"])),
    }
}

/// Golden files are taken as they come out.
pub fn accept(rest: &[String]) -> Result<()> {
    let mut command = match rest {
        [name] => program("cargo", &["test", "--package", &package(name)]),
        _ => program("cargo", &["test", "--release", "--workspace"]),
    };
    run(command.env("INSTA_UPDATE", "always"))?;
    run(&mut program("git", &["--no-pager", "diff", "--stat"]))
}

fn one(verb: &str, name: &str) -> Result<()> {
    let package = package(name);
    // The store and the binary link DataFusion: it exists in the release profile only, and with the
    // features of the whole workspace only; `-p signalbox-store` alone would compile it again.
    if matches!(name, "store" | "signalbox") {
        let both = [verb, "--release", "--package", "signalbox-store", "--package", "signalbox"];
        return run(&mut program("cargo", &both));
    }
    run(&mut program("cargo", &[verb, "--package", &package]))
}

fn package(name: &str) -> String {
    match name {
        "signalbox" | "xtask" => name.to_owned(),
        _ => format!("signalbox-{name}"),
    }
}
