//! How usual letters in a row are in each language: a table by script, made by `examples/train_language.rs` of the
//! Universal Declaration of Human Rights in every language of it.

use std::sync::LazyLock;

use super::script::Script;

/// Letters in a row that are looked up: up to so many.
pub const ROW: usize = 4;
/// No more letters of a block are looked at: they are enough, and the time is bounded.
const ENOUGH: usize = 240;
/// After so many letters it is seen whether more are needed.
const STEP: usize = 32;
/// A lead of so many units over the next language is enough.
const LEAD: u32 = 25 * SCALE as u32;
/// Units of a cost: a natural logarithm.
pub const SCALE: f32 = 20.0;
/// What a cost has less than the logarithm, so that it fits into a byte.
pub const BASE: f32 = 2.0;
/// Languages of one table at most; rows are padded to a multiple of this.
const LANES: usize = 8;
const MOST: usize = 64;

/// Languages by script.
#[must_use]
pub fn languages(script: Script) -> &'static [&'static str] {
    match script {
        Script::Latin => &[
            "af", "az", "bs", "ca", "cs", "cy", "da", "de", "en", "eo", "es", "et", "eu", "fi", "fr", "ga", "hr", "hu",
            "id", "is", "it", "la", "lg", "lt", "lv", "mi", "ms", "nb", "nl", "nn", "pl", "pt", "ro", "sk", "sl", "sn",
            "so", "sq", "st", "sv", "sw", "tl", "tn", "tr", "ts", "vi", "xh", "yo", "zu",
        ],
        Script::Cyrillic => &["be", "bg", "kk", "mk", "mn", "ru", "sr", "uk"],
        Script::Arabic => &["ar", "fa", "ur"],
        Script::Devanagari => &["hi", "mr"],
        _ => &[],
    }
}

/// Rows of the table of a script.
#[must_use]
pub fn buckets(script: Script) -> usize {
    match script {
        Script::Latin => 8192,
        Script::Cyrillic => 4096,
        _ => 2048,
    }
}

/// Bytes of a row.
#[must_use]
pub fn width(script: Script) -> usize {
    languages(script).len().next_multiple_of(LANES)
}

static FILE: &[u8] = include_bytes!("data/table.bin");

/// Where the table of each shared script starts in the file.
static TABLES: LazyLock<[&'static [u8]; 4]> = LazyLock::new(|| {
    let mut rest = FILE;
    Script::SHARED.map(|script| {
        let size = (buckets(script) * width(script)).min(rest.len());
        let (table, more) = rest.split_at(size);
        rest = more;
        table
    })
});

/// The likeliest language of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Likeliest {
    pub(crate) code: &'static str,
    /// The mean cost of a row of letters: the lower, the more usual.
    pub(crate) cost: f32,
    /// By how much the next language costs more, as a natural logarithm.
    pub(crate) lead: f32,
}

impl Likeliest {
    /// From 0.5, for a tie, to 1.
    pub(super) fn confidence(self) -> f32 {
        (1.0 - 0.5 * (-self.lead / 5.0).exp()).min(0.99)
    }
}

/// Adds up what the letters cost in each language.
#[expect(clippy::cast_precision_loss, reason = "sums of a few thousand bytes")]
pub(crate) fn likeliest(text: &str, script: Script) -> Option<Likeliest> {
    let codes = languages(script);
    let place = Script::SHARED.iter().position(|shared| *shared == script)?;
    let (table, width, mask) = (TABLES[place], width(script), buckets(script) - 1);
    let mut sums = [0_u32; MOST];
    let mut count = 0_u32;
    let mut next = STEP;
    rows(text, script, ENOUGH, |letters, row| {
        let start = (row as usize & mask) * width;
        let costs = table.get(start..start + width).unwrap_or_default();
        // In eights, so that the compiler adds them side by side.
        for (sums, costs) in sums.as_chunks_mut::<LANES>().0.iter_mut().zip(costs.as_chunks::<LANES>().0) {
            for (sum, cost) in sums.iter_mut().zip(costs) {
                *sum += u32::from(*cost);
            }
        }
        count += 1;
        if letters < next {
            return true;
        }
        next += STEP;
        let (_, best, second) = two_least(&sums[..codes.len()]);
        second - best < LEAD
    });
    let (best, least, second) = two_least(sums.get(..codes.len())?);
    (count > 0).then(|| Likeliest {
        code: codes[best],
        cost: least as f32 / count as f32 / SCALE + BASE,
        lead: (second - least) as f32 / SCALE,
    })
}

/// The place of the least, the least, and the one after it.
fn two_least(sums: &[u32]) -> (usize, u32, u32) {
    let (mut place, mut least, mut second) = (0, u32::MAX, u32::MAX);
    for (at, &sum) in sums.iter().enumerate() {
        if sum < least {
            (place, second, least) = (at, least, sum);
        } else {
            second = second.min(sum);
        }
    }
    (place, least, second)
}

/// Calls `each` with the hash of every row of up to [`ROW`] letters of the script, the ends of words counted as letters,
/// and how many letters there were so far, until it has had enough.
pub fn rows(text: &str, script: Script, most: usize, mut each: impl FnMut(usize, u32) -> bool) {
    // Hashes of the rows that end before the next letter, the longest first.
    let mut running = [0_u32; ROW];
    let mut length = 0;
    let mut letters = 0;
    let mut step = |c: char, running: &mut [u32; ROW], length: &mut usize, letters: usize| {
        for at in (1..ROW).rev() {
            running[at] = mix(running[at - 1], c);
        }
        running[0] = mix(SEED, c);
        *length = (*length + 1).min(ROW);
        // The end of a word alone is no row.
        let first = usize::from(c == ' ');
        (first..*length).all(|at| each(letters, spread(running[at])))
    };
    for c in text.chars() {
        let inside = Script::of(c) == Some(script) || (length > 1 && joins(c));
        if !inside {
            if length > 1 && !step(' ', &mut running, &mut length, letters) {
                return;
            }
            length = 0;
            continue;
        }
        if letters >= most {
            return;
        }
        if length == 0 {
            (running[0], length) = (mix(SEED, ' '), 1);
        }
        letters += 1;
        if !step(lower(c), &mut running, &mut length, letters) {
            return;
        }
    }
    if length > 1 {
        step(' ', &mut running, &mut length, letters);
    }
}

/// What stands inside of words without being a letter of the script.
fn joins(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{300}'..='\u{36F}' | '\u{64B}'..='\u{65F}' | '\u{200C}' | '\u{200D}')
}

fn lower(c: char) -> char {
    if c.is_ascii() { c.to_ascii_lowercase() } else { c.to_lowercase().next().unwrap_or(c) }
}

const SEED: u32 = 0x811C_9DC5;

fn mix(hash: u32, c: char) -> u32 {
    (hash ^ c as u32).wrapping_mul(0x0100_0193).rotate_left(5)
}

/// The low bits are what counts.
fn spread(hash: u32) -> u32 {
    let hash = (hash ^ hash >> 15).wrapping_mul(0x85EB_CA6B);
    hash ^ hash >> 13
}
