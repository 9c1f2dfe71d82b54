//! Installs what is missing, and nothing that is there.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::run::{has, program, run};

/// What the build needs: a C compiler for the TLS, SQLite and zstd libraries.
const BUILD: &[(&str, &str)] = &[("cc", "build-essential")];
/// What the black-box tests need beside it.
const TEST: &[(&str, &str)] =
    &[("chromium", "chromium"), ("prometheus", "prometheus"), ("prometheus-alertmanager", "prometheus-alertmanager")];
/// What the benchmark compares with.
const BENCH: &[(&str, &str)] = &[("nginx", "nginx-light"), ("wrk", "wrk")];

/// For `make up` and `make build`.
pub fn for_build() -> Result<()> {
    for tool in ["cargo", "node", "npm"] {
        if !has(tool) {
            bail!("`{tool}` is not installed: Signalbox needs Rust (https://rustup.rs) and Node.js 20 or newer");
        }
    }
    packages(BUILD)?;
    npm(Path::new("web"))
}

/// For `make test`.
pub fn for_test() -> Result<()> {
    for_build()?;
    packages(TEST)?;
    npm(Path::new("e2e/js"))?;
    python(Path::new("e2e"))
}

/// For `make bench`.
pub fn for_bench() -> Result<()> {
    packages(BUILD)?;
    packages(BENCH)
}

/// Debian packages whose program is missing.
pub fn packages(wanted: &[(&str, &str)]) -> Result<()> {
    // nginx and Debian's other servers live in /usr/sbin, which is not on every PATH.
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(tool, _)| !has(tool) && !Path::new("/usr/sbin").join(tool).is_file())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !has("apt-get") {
        bail!("please install: {}", missing.join(", "));
    }
    let root = crate::run::output(&mut program("id", &["-u"]))?.trim() == "0";
    let apt = |arguments: &[&str]| {
        let mut command = if root { program("apt-get", &[]) } else { program("sudo", &["apt-get"]) };
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        // A package's service must not start by itself and take a port.
        command.env("RUNLEVEL", "1");
        run(&mut command)
    };
    apt(&["update", "-qq"])?;
    apt(&[&["install", "-y", "-qq", "--no-install-recommends"], missing.as_slice()].concat())
}

/// `npm ci`, unless what is installed came from the same lock file.
fn npm(folder: &Path) -> Result<()> {
    let lock = fs::read(folder.join("package-lock.json"))?;
    let stamp = folder.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).ok().as_deref() == Some(&lock) {
        return Ok(());
    }
    run(program("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(folder))?;
    fs::write(stamp, lock)?;
    Ok(())
}

/// A virtual environment with the packages of `requirements.txt`.
fn python(folder: &Path) -> Result<()> {
    let wanted = fs::read(folder.join("requirements.txt"))?;
    let venv = folder.join(".venv");
    let stamp = venv.join("installed-requirements.txt");
    if fs::read(&stamp).ok().as_deref() == Some(&wanted) {
        return Ok(());
    }
    let venv_text = venv.to_string_lossy().into_owned();
    if !venv.join("bin/python").exists() {
        // Debian ships `venv` apart from Python.
        if run(&mut program("python3", &["-m", "venv", &venv_text])).is_err() {
            packages(&[("python3-with-venv", "python3-venv")])?;
            run(&mut program("python3", &["-m", "venv", &venv_text]))?;
        }
    }
    let requirements = folder.join("requirements.txt");
    let requirements = requirements.to_string_lossy();
    run(&mut program(venv.join("bin/pip"), &["install", "-q", "--disable-pip-version-check", "-r", &requirements]))?;
    fs::write(stamp, wanted)?;
    Ok(())
}
