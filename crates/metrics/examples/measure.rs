//! Measures JSON lines with one metric, as `signalbox eval metric NAME --jsonl` does, without building the binary:
//! `cargo run --release --example measure -- bleu tokenize=intl < lines.jsonl > scores.jsonl`

use std::io::{self, BufWriter};
use std::time::Instant;

use serde_json::Value;
use signalbox_metrics::{Measure, Options, lines, registry};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("name a metric")?;
    let about = registry::find(&name).ok_or("no such metric")?;
    let pairs = arguments.filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name.to_owned(), Value::String(value.to_owned())))
    });
    let options: Options = pairs.collect();
    let metric = Measure::new(about, &options, None)?;
    let began = Instant::now();
    let clock = || began.elapsed().as_secs_f64() * 1e6;
    lines::measure(&metric, io::stdin().lock(), BufWriter::new(io::stdout().lock()), false, &clock)?;
    Ok(())
}
