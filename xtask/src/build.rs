//! Building and starting.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::run::{binary, program, run, target_dir};
use crate::setup;

/// Web UI and release binary.
pub fn build() -> Result<()> {
    setup::for_build()?;
    web()?;
    release()
}

/// `make up` and `make demo`: build, then become Signalbox.
pub fn up(verb: &str, rest: &[String]) -> Result<()> {
    build()?;
    let mut command = program(binary(), &[verb]);
    command.args(rest);
    run(&mut command)
}

/// The web UI with hot reload, against a running Signalbox.
pub fn dev() -> Result<()> {
    build()?;
    let mut server = program(binary(), &["up"]).spawn().context("can't start Signalbox")?;
    let vite = run(program("npm", &["run", "dev"]).current_dir("web"));
    // Ours to end: it was started here.
    let _ = server.kill();
    let _ = server.wait();
    vite
}

/// The web UI into `web/dist`.
pub fn web() -> Result<()> {
    run(program("npm", &["run", "build"]).current_dir("web"))
}

/// The release binary into `target/release`, wherever cargo builds.
pub fn release() -> Result<()> {
    release_with(None)
}

/// The same; with a folder, a binary that counts which of its code runs, and writes there.
pub fn release_with(counts: Option<&Path>) -> Result<()> {
    let mut cargo = program("cargo", &["build", "--release", "--package", "signalbox"]);
    if let Some(folder) = counts {
        cargo.env("SIGNALBOX_PROFILE", folder);
    }
    run(&mut cargo)?;
    let built = target_dir().join("release/signalbox");
    if built != binary() {
        fs::create_dir_all(binary().parent().context("no folder")?)?;
        // Not over the old file: it may be running.
        let _ = fs::remove_file(binary());
        fs::copy(&built, binary()).with_context(|| format!("can't copy {}", built.display()))?;
    }
    Ok(())
}

/// The OpenAPI document from the code, the web UI's types from the document.
pub fn generate() -> Result<()> {
    run(program("cargo", &["test", "--quiet", "--package", "signalbox-api", "the_document"])
        .env("INSTA_UPDATE", "always"))?;
    setup::for_build()?;
    run(program("npm", &["run", "gen"]).current_dir("web"))
}
