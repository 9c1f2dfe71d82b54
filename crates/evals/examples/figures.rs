//! Works out one figure for each JSON line, for comparing with other implementations:
//! `cargo run --release -p signalbox-evals --example figures -- kappa weights=linear < lines.jsonl > figures.jsonl`

use std::error::Error;
use std::io::{self, BufRead as _, BufWriter, Write as _};
use std::time::Instant;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use signalbox_evals::calibrate::{Confusion, Difference, Weights, fleiss_kappa, krippendorff_alpha};
use signalbox_evals::stats::{Interval, Tail, mcnemar, mean_interval, permutation, quantile, wilson};

type Found = Result<Option<f64>, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("name a figure")?;
    let option = arguments.next().unwrap_or_default();
    let option = option.split_once('=').map_or("", |(_, value)| value);
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line: Value = serde_json::from_str(&line?)?;
        let began = Instant::now();
        let found = figure(&name, option, &line)?;
        let us = began.elapsed().as_secs_f64() * 1e6;
        writeln!(out, "{}", json!({"score": found, "us": us}))?;
    }
    out.flush()?;
    Ok(())
}

fn figure(name: &str, option: &str, line: &Value) -> Found {
    let end = |found: Option<Interval>| found.map(|found| if option == "high" { found.high } else { found.low });
    Ok(match name {
        "kappa" => {
            let (labels, pairs): (usize, Vec<(usize, usize)>) = (part(line, "labels")?, part(line, "pairs")?);
            let confusion = Confusion::new((0..labels).map(|label| label.to_string()).collect(), pairs);
            confusion.kappa(match option {
                "linear" => Weights::Linear,
                "quadratic" => Weights::Quadratic,
                _ => Weights::None,
            })
        }
        "fleiss_kappa" => fleiss_kappa(&part::<Vec<Vec<u64>>>(line, "items")?),
        "krippendorff_alpha" => {
            let difference = if option == "interval" { Difference::Interval } else { Difference::Nominal };
            krippendorff_alpha(&part::<Vec<Vec<f64>>>(line, "units")?, difference)
        }
        "mcnemar" => Some(mcnemar(part(line, "gained")?, part(line, "lost")?, Tail::Both)),
        "wilson" => end(wilson(part(line, "gained")?, part(line, "all")?, 0.95)),
        "student" => end(mean_interval(&part::<Vec<f64>>(line, "values")?, 0.95)),
        "permutation" => Some(permutation(&part::<Vec<f64>>(line, "values")?, Tail::Both, 1)),
        "quantile" => quantile(&part::<Vec<f64>>(line, "values")?, option.parse()?),
        other => return Err(format!("no figure is called `{other}`").into()),
    })
}

fn part<T: DeserializeOwned>(line: &Value, name: &str) -> Result<T, Box<dyn Error>> {
    Ok(T::deserialize(&line[name])?)
}
