//! Fuzzes what reads bytes from others: `fuzz/` says what.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::run::{has, program, run};

const TARGETS: &[&str] = &["guard", "journal_reader", "otlp_decoder"];
/// Where the samples of scanners lie, a line each.
const SCANNERS: &str = "crates/guard/src/scanners";

/// `cargo xtask fuzz [target] [seconds]`: the guard for ten minutes, unless something else is said.
pub fn fuzz(rest: &[String]) -> Result<()> {
    let target = rest.first().map_or("guard", String::as_str);
    if !TARGETS.contains(&target) {
        bail!("there is no fuzz target `{target}`; known: {}", TARGETS.join(", "));
    }
    let seconds: u64 = match rest.get(1) {
        Some(seconds) => seconds.parse().with_context(|| format!("`{seconds}` is no number of seconds"))?,
        None => 600,
    };
    if !has("cargo-fuzz") {
        run(&mut program("cargo", &["install", "--locked", "cargo-fuzz"]))?;
    }
    let corpus = Path::new("fuzz/corpus").join(target);
    fs::create_dir_all(&corpus)?;
    if target == "guard" {
        samples(&corpus)?;
    }
    let limit = format!("-max_total_time={seconds}");
    let mut command = program("cargo", &["fuzz", "run", "--features", target, target, &format!("corpus/{target}")]);
    if target == "otlp_decoder" {
        command.arg("seeds/otlp");
    }
    // The guard builds its automata once; what is left of the limit is for one text.
    command.args(["--", &limit, "-max_len=4096", "-rss_limit_mb=1024", "-timeout=10"]);
    // Coverage and sanitizers are unstable flags of the compiler, which the stable one takes if it is told to.
    run(command.current_dir("fuzz").env("RUSTC_BOOTSTRAP", "1"))
}

/// Puts each sample of each scanner into the corpus, uncut: the first byte says how often a text is cut.
fn samples(corpus: &Path) -> Result<()> {
    for scanner in fs::read_dir(SCANNERS)? {
        let scanner = scanner?;
        let name = scanner.file_name().to_string_lossy().into_owned();
        for kind in ["hit", "miss"] {
            let Ok(lines) = fs::read_to_string(scanner.path().join(format!("data/{kind}.jsonl"))) else { continue };
            for (index, line) in lines.lines().enumerate() {
                fs::write(corpus.join(format!("{name}-{kind}-{index}")), format!("\0{line}"))?;
            }
        }
    }
    Ok(())
}
