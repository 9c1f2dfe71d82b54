//! JSON lines in, JSON lines out: what `signalbox eval metric NAME --jsonl` does.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

use crate::case::{Case, kind};
use crate::score::{Measure, Score};

/// How a file went.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum {
    /// Lines that were measured.
    pub measured: usize,
    /// Of these, the good ones.
    pub passed: usize,
    /// Of these, the sum of the values.
    pub total: f64,
    /// Lines that couldn't be measured.
    pub failed: usize,
}

impl std::ops::AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.measured += other.measured;
        self.passed += other.passed;
        self.total += other.total;
        self.failed += other.failed;
    }
}

/// Measures every line `{"id", …}` and writes `{"id", "score", "passed", "reason", "us"}`; for one that can't be measured,
/// `{"id", "line", "error"}`. `evidence` adds the places that decided; `clock` counts microseconds.
///
/// # Errors
/// Reading or writing failed.
pub fn measure(
    measure: &Measure,
    input: impl BufRead,
    mut output: impl Write,
    evidence: bool,
    clock: &dyn Fn() -> f64,
) -> io::Result<Sum> {
    let mut sum = Sum::default();
    for (at, line) in input.split(b'\n').enumerate() {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let (id, outcome) = match read(&line) {
            Ok((id, case)) => {
                let began = clock();
                let score = measure.score(&case);
                let us = clock() - began;
                (id, score.map(|score| (score, us)).map_err(|problem| problem.to_string()))
            }
            Err(problem) => (Value::Null, Err(problem)),
        };
        let answer = match outcome {
            Ok((score, us)) => {
                sum.measured += 1;
                sum.passed += usize::from(score.passed);
                sum.total += score.value;
                answer(id, score, us, evidence)
            }
            Err(error) => {
                sum.failed += 1;
                json!({"id": id, "line": at + 1, "error": error})
            }
        };
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
    }
    Ok(sum)
}

fn answer(id: Value, score: Score, us: f64, evidence: bool) -> Value {
    let us = (us * 10.0).round() / 10.0;
    let mut answer = json!({"id": id, "score": score.value, "passed": score.passed, "reason": score.reason, "us": us});
    if evidence {
        answer["evidence"] = json!(score.evidence);
    }
    answer
}

fn read(line: &[u8]) -> Result<(Value, Case), String> {
    let mut fields = match serde_json::from_slice(line) {
        Ok(Value::Object(fields)) => fields,
        Ok(other) => return Err(format!("expected an object, found {}", kind(&other))),
        Err(error) => return Err(format!("not JSON: {error}")),
    };
    let id = fields.remove("id").unwrap_or_default();
    Ok((id, Case::take(&mut fields)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::registry;

    fn run(name: &str, lines: &str) -> (Sum, Vec<Value>) {
        let metric = Measure::new(registry::find(name).unwrap(), &Options::new(), None).unwrap();
        let mut out = Vec::new();
        let sum = measure(&metric, lines.as_bytes(), &mut out, false, &|| 0.0).unwrap();
        let lines = String::from_utf8(out).unwrap();
        (sum, lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    #[test]
    fn a_line_gives_a_line_and_a_bad_one_says_why() {
        let (sum, out) = run(
            "exact_match",
            "{\"id\": 7, \"output\": \"a\", \"reference\": \"a\"}\n\n{\"id\": 8, \"output\": \"a\"}\n[]\n{\"id\": 9, \"output\": 3, \"reference\": \"a\"}\nno",
        );
        assert_eq!((sum.measured, sum.passed, sum.failed), (1, 1, 4));
        assert_eq!(out[0], json!({"id": 7, "score": 1.0, "passed": true, "reason": "the same", "us": 0.0}));
        assert_eq!(
            out[1],
            json!({"id": 8, "line": 3, "error": "`reference`: expected the right answer, or a list of right ones, found nothing"})
        );
        assert_eq!(out[2], json!({"id": null, "line": 4, "error": "expected an object, found a list"}));
        assert_eq!(out[3], json!({"id": 9, "line": 5, "error": "`output`: expected a text, found a number"}));
        assert!(out[4]["error"].as_str().unwrap().starts_with("not JSON: expected ident"));
    }
}
