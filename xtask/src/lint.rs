//! Everything that can be said of the code without running it.

use anyhow::Result;

use crate::run::{has, program, run};
use crate::{profile, setup, tidy};

/// rustfmt, clippy, the house rules, eslint, prettier, tsc, ruff.
pub fn lint() -> Result<()> {
    setup::for_test()?;
    run(&mut program("cargo", &["fmt", "--all", "--check"]))?;
    tidy::tidy()?;
    profile::remind()?;
    // In the release profile, whose third-party crates the tests need anyway.
    run(&mut program(
        "cargo",
        &["clippy", "--release", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"],
    ))?;
    run(program("npm", &["run", "lint"]).current_dir("web"))?;
    run(&mut program("e2e/.venv/bin/ruff", &["check", "e2e", "bench"]))?;
    run(&mut program("e2e/.venv/bin/ruff", &["format", "--check", "e2e", "bench"]))
}

/// Formats everything.
pub fn fmt() -> Result<()> {
    setup::for_test()?;
    run(&mut program("cargo", &["fmt", "--all"]))?;
    run(program("npm", &["run", "format"]).current_dir("web"))?;
    run(&mut program("e2e/.venv/bin/ruff", &["format", "e2e", "bench"]))
}

/// Licences, bans, unused dependencies, known holes.
pub fn audit() -> Result<()> {
    for tool in ["cargo-deny", "cargo-machete"] {
        if !has(tool) {
            run(&mut program("cargo", &["install", "--locked", tool]))?;
        }
    }
    run(&mut program("cargo", &["deny", "check", "licenses", "bans", "sources"]))?;
    // The advisory database is fetched from a host that not every network reaches.
    if let Err(error) = run(&mut program("cargo", &["deny", "check", "advisories"])) {
        println!("advisories were not checked: {error}");
    }
    run(&mut program("cargo", &["machete"]))?;
    run(program("npm", &["audit", "--omit=dev"]).current_dir("web"))
}
