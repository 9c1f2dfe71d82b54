//! How long scanners take for a text: median and 99th percentile in microseconds, by length, as JSON; and how often
//! they ask for memory.
//! `cargo run --release -p signalbox-guard --example latency`
#![expect(clippy::print_stdout, reason = "the output of a command line tool")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use signalbox_guard::{Notes, Scanner, Text, registry};

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// Prose with numbers, a link and a list, as prompts have them.
const PROSE: &str = "Please summarise the report below for our board, in five sentences. Revenue rose by 4.2 % to 1,204 \
million euros; see https://example.com/reports/2024?page=3 for the tables. The team in Lyon (14 people) moves in May.\n\
- Check the figures of the second quarter.\n- Write to Ada about the contract, she knows the details.\n";

/// The system's allocator, which counts.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it came.
#[expect(unsafe_code, reason = "an allocator can't be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(place, layout, size) }
    }
}

fn main() {
    let mut rows = Vec::new();
    for size in SIZES {
        let text: String = PROSE.chars().cycle().take(size).collect();
        let rounds = (40_000_000 / size).clamp(200, 20_000);
        for scanner in registry::ALL {
            rows.push(row(scanner.about().name, &text, rounds, &[*scanner]));
        }
        rows.push(row("all", &text, rounds, registry::ALL));
    }
    println!("{}", serde_json::Value::Array(rows));
}

fn row(name: &str, text: &str, rounds: usize, scanners: &[&dyn Scanner]) -> serde_json::Value {
    let mut hits = Vec::new();
    let mut allocations = 0;
    let mut times: Vec<f64> = (0..rounds + rounds / 10)
        .map(|_| {
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            let start = Instant::now();
            hits.clear();
            let notes = Notes::default();
            for scanner in scanners {
                scanner.scan(Text::whole(black_box(text)).noted(&notes), &mut hits);
            }
            black_box(&hits);
            let us = start.elapsed().as_secs_f64() * 1e6;
            // As many each time, but for the first.
            allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
            us
        })
        .skip(rounds / 10)
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    serde_json::json!({
        "scanner": name, "bytes": text.len(), "p50_us": at(50), "p99_us": at(99), "allocations": allocations
    })
}
