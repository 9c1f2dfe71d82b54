//! The tool behind the Makefile. Depends on none of our crates, so that it starts in a second.

mod bench;
mod build;
mod fuzz;
mod lint;
mod profile;
mod run;
mod setup;
mod sizes;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask up|demo|dev|build|test|check|lint|fmt|accept|bench|audit|fuzz|profile|gen|sizes|tidy  (see `make help`)";

fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn work() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    std::env::set_current_dir(run::root())?;
    match command.as_str() {
        "up" => build::up("up", &rest),
        "demo" => build::up("demo", &rest),
        "dev" => build::dev(),
        "build" => build::build(),
        "test" => test::test(&rest),
        "check" => test::check(&rest),
        "accept" => test::accept(&rest),
        "lint" => lint::lint(),
        "fmt" => lint::fmt(),
        "audit" => lint::audit(),
        "gen" => build::generate(),
        "bench" => bench::bench(&rest),
        "fuzz" => fuzz::fuzz(&rest),
        "profile" => profile::profile(),
        "sizes" => sizes::sizes(),
        "tidy" => tidy::tidy(),
        _ => bail!("{USAGE}"),
    }
}
