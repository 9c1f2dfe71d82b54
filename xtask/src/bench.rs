//! Benchmarks: each is a folder under `bench/` with a `run.py` of its own.

use anyhow::Result;

use crate::run::{program, run};
use crate::{build, setup};

/// `cargo xtask bench [gateway] [options]`.
pub fn bench(rest: &[String]) -> Result<()> {
    setup::for_bench()?;
    build::build()?;
    let (name, options) = match rest.split_first() {
        Some((name, options)) if !name.starts_with('-') => (name.as_str(), options),
        _ => ("gateway", rest),
    };
    let mut command = program("python3", &[&format!("bench/{name}/run.py")]);
    command.args(options);
    run(&mut command)
}
