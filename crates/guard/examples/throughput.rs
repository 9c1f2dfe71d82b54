//! Measures the scanners on plain prose: `cargo run --release -p signalbox-guard --example throughput`.
#![expect(clippy::print_stdout, reason = "the output of a command line tool")]

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;

use signalbox_guard::{Guard, GuardConfig, Text, registry};
use signalbox_types::Place;

const PROSE: &str = "The control room of a railway routes its trains, keeps the register, and locks the levers, so that no \
unsafe move can be made. Whoever works there knows the token for each section and the key of every lever; nobody passes a \
signal at danger, and each author of an order signs for it. On Monday at 8:15 the express to Leeds was 4 minutes late. ";

/// Seconds that this process has computed, so that other work on the machine doesn't count; where the kernel
/// doesn't say, seconds that have passed.
fn seconds() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let computed = std::fs::read_to_string("/proc/self/schedstat").ok();
    let computed = computed.as_deref().and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    computed.map_or_else(|| START.elapsed().as_secs_f64(), |ns| ns / 1e9)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = Guard::compile(&GuardConfig::default())?;
    let cyrillic = "В диспетчерской железной дороги составляют маршруты поездов, ведут журнал и запирают рычаги. ";
    for (name, piece) in
        [("prose", PROSE), ("russian", cyrillic), ("chinese", "信号楼安排列车的进路，记录列车运行，并锁闭道岔。")]
    {
        for size in [100, 1_000, 10_000, 100_000, 1_000_000] {
            let text: String =
                piece.chars().cycle().take(size / piece.chars().next().map_or(1, char::len_utf8)).collect();
            let rounds = 20_000_000 / size;
            let time = |work: &dyn Fn()| {
                work();
                let start = seconds();
                for _ in 0..rounds {
                    work();
                }
                (seconds() - start) / rounds as f64
            };
            let both = time(&|| drop(black_box(guard.check(Place::Output, black_box(&text)))));
            print!(
                "{name:8} {:>8} bytes: check {:>9.2} us {:>6.0} MB/s",
                text.len(),
                both * 1e6,
                text.len() as f64 / both / 1e6
            );
            for scanner in registry::ALL {
                let one = time(&|| {
                    let mut hits = Vec::new();
                    scanner.scan(Text::whole(black_box(&text)), &mut hits);
                    black_box(hits);
                });
                print!(", {} {:.0} ns/KB", scanner.about().name, one * 1e9 / (text.len() as f64 / 1e3));
            }
            println!();
        }
        let text: String = piece.chars().cycle().take(200_000).collect();
        let chunks: Vec<String> =
            text.chars().collect::<Vec<_>>().chunks(4).map(|chunk| chunk.iter().collect()).collect();
        let start = seconds();
        let mut window = guard.window(Place::Output);
        for chunk in &chunks {
            black_box(window.push(chunk));
        }
        black_box(window.finish());
        println!(
            "{name:8} stream: {:.2} us per chunk of 4 characters",
            (seconds() - start) * 1e6 / chunks.len() as f64
        );
    }
    Ok(())
}
