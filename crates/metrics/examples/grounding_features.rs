//! Prints what the faithfulness model looks at, for `bench/metrics/fit.py`: a line of `{name: value}` for each line
//! `{"context", "output"}`.

use std::io::{self, BufRead, Write};

use signalbox_metrics::{Case, grounding};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let mut fields: serde_json::Map<_, _> = serde_json::from_str(&line?)?;
        let features = grounding::features(&Case::take(&mut fields))?;
        let row: serde_json::Map<_, _> =
            features.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        writeln!(out, "{}", serde_json::Value::Object(row))?;
    }
    Ok(())
}
