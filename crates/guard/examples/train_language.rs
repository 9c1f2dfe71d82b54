//! Makes the table of the scanner `language` of texts: a folder with a file `<code>.txt` for each language.
//! `cargo run --release -p signalbox-guard --example train_language -- FOLDER > table.bin`

use std::io::Write;
use std::path::Path;

use signalbox_guard::scanners::language::Script;
use signalbox_guard::scanners::language::table::{BASE, SCALE, buckets, languages, rows, width};

/// How often a row is counted that was never seen.
const UNSEEN: f32 = 0.1;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    let mut out = std::io::stdout().lock();
    for script in Script::SHARED {
        let (buckets, width) = (buckets(script), width(script));
        let mut table = vec![u8::MAX; buckets * width];
        for (place, code) in languages(script).iter().enumerate() {
            let text = std::fs::read_to_string(Path::new(&folder).join(format!("{code}.txt")))?;
            let mut counts = vec![0_u32; buckets];
            rows(&text, script, |row| counts[row as usize & (buckets - 1)] += 1);
            #[expect(clippy::cast_precision_loss, reason = "counts of a few ten thousand")]
            let total = counts.iter().sum::<u32>() as f32 + UNSEEN * buckets as f32;
            for (bucket, count) in counts.into_iter().enumerate() {
                #[expect(clippy::cast_precision_loss, reason = "counts of a few ten thousand")]
                let cost = -((count as f32 + UNSEEN) / total).ln();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
                let byte = ((cost - BASE) * SCALE).round().clamp(0.0, 255.0) as u8;
                table[bucket * width + place] = byte;
            }
        }
        out.write_all(&table)?;
    }
    Ok(())
}
