//! Trains the model of the guard: `make train DATA=path/to/data`.
//!
//! Reads only sources whose licence permits a shipped model (`rows.rs` lists them) and what `templates` make; with
//! `--feedback FILE` also what people said of findings (`GET /api/v1/guard/feedback/export`).
//! `--check` writes nothing and fails unless what it makes is the file that is there, byte for byte (`make train DATA=… CHECK=1`).
//! `train DATA OUT SHARES` writes to another file, and takes other shares of harmless texts that may be flagged, one for
//! each head, with commas. With one machine and one compiler it gives the same bytes each time.
#![expect(clippy::print_stdout, reason = "the output of a command line tool")]

mod learn;
mod measure;
mod random;
mod rows;
mod templates;

use std::error::Error;
use std::path::Path;

use signalbox_guard::model::{HEADS, Weights};

use crate::learn::{Plain, examples, train};
use crate::random::Random;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let feedback = match arguments.iter().position(|argument| argument == "--feedback") {
        Some(at) if at + 1 < arguments.len() => arguments.drain(at..at + 2).nth(1),
        Some(_) => return Err("`--feedback` needs a file: --feedback guard-feedback.jsonl".into()),
        None => None,
    };
    let is_check = arguments.iter().any(|argument| argument == "--check");
    arguments.retain(|argument| argument != "--check");
    let mut arguments = arguments.into_iter();
    let data = arguments
        .next()
        .filter(|data| !data.is_empty())
        .ok_or("name the folder of the labelled data: make train DATA=…")?;
    let out =
        arguments.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/src/model/data/weights.bin").into());
    let shares = measure::shares(arguments.next().as_deref())?;
    let mut rows = rows::read(Path::new(&data))?;
    rows.extend(templates::rows(&mut Random::new(1), &rows));
    if let Some(file) = feedback {
        let before = rows.len();
        rows::read_feedback(Path::new(&file), &mut rows)?;
        println!("{} texts of feedback", rows.len() - before);
    }
    let mut sources = Vec::new();
    let examples = examples(&rows, &mut sources);
    println!("{} texts of {} sources, {} units", rows.len(), sources.len(), examples.len());
    let weight: Vec<f32> = sources
        .iter()
        .map(|source| match source.as_str() {
            "deepset" => 0.6,
            "house" => 2.0,
            _ => 1.0,
        })
        .collect();

    let scores = measure::hold_out(&rows, &examples, &sources, &weight);
    let threshold: [f32; HEADS] = std::array::from_fn(|head| measure::threshold(shares[head], &scores, &rows, head));
    for (head, threshold) in threshold.iter().enumerate() {
        measure::print(&rows, &scores, head, *threshold);
    }
    let model = train(&examples, &weight, &|_| true);
    println!("thresholds {threshold:?}, biases {:?}", model.iter().map(|head| head.bias).collect::<Vec<_>>());
    let file = file_of(&model, threshold);
    if is_check {
        return compare(&file, &std::fs::read(&out)?, &out);
    }
    std::fs::write(&out, &file)?;
    println!("{} bytes written", file.len());
    Ok(())
}

/// The file of a model.
fn file_of(model: &[Plain], threshold: [f32; HEADS]) -> Vec<u8> {
    let rows = |part: &dyn Fn(&Plain) -> &Vec<f32>| -> Vec<[f32; HEADS]> {
        (0..part(&model[0]).len()).map(|i| std::array::from_fn(|head| part(&model[head])[i])).collect()
    };
    let bias = std::array::from_fn(|head| model[head].bias);
    Weights::write(bias, threshold, &rows(&|head| &head.hashed), &rows(&|head| &head.dense))
}

/// Says whether both are the same, and where they begin to differ.
fn compare(made: &[u8], shipped: &[u8], path: &str) -> Result<(), Box<dyn Error>> {
    if made == shipped {
        println!("the same {} bytes as in {path}", made.len());
        return Ok(());
    }
    let first = made.iter().zip(shipped).position(|(made, shipped)| made != shipped);
    let different = made.iter().zip(shipped).filter(|(made, shipped)| made != shipped).count();
    let (bytes, there) = (made.len(), shipped.len());
    Err(format!("{bytes} bytes made, {there} in {path}; {different} differ, the first at {first:?}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model of what the templates make.
    fn model() -> Vec<u8> {
        let rows: Vec<_> = templates::rows(&mut Random::new(1), &[]).into_iter().step_by(25).collect();
        let mut sources = Vec::new();
        let examples = examples(&rows, &mut sources);
        file_of(&train(&examples, &vec![1.0; sources.len()], &|_| true), [0.0; HEADS])
    }

    #[test]
    fn training_twice_gives_the_same_bytes() {
        let (one, other) = (model(), model());
        assert!(one.iter().filter(|byte| **byte != 0).count() > 10_000, "it has learnt something");
        assert!(one == other, "{:?}", compare(&one, &other, "the first"));
        assert!(compare(&one, one.get(1..).unwrap_or_default(), "x").is_err());
    }
}
