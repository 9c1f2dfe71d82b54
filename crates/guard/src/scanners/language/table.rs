//! How usual letters in a row are in each language: a table by script, made by `examples/train_language.rs` of the
//! Universal Declaration of Human Rights in every language of it.

use std::sync::LazyLock;

use super::known::Memory;
use super::script::Script;

/// Letters in a row that are looked up: up to so many.
pub const ROW: usize = 4;
/// At the end of a word, no more letters of a block are looked at: they are enough, and the time is bounded.
const ENOUGH: usize = 240;
/// After so many letters it is seen whether more are needed.
const STEP: usize = 32;
/// A lead of so many units over the next language is enough. Rows overlap, so that a lead says less than it seems: with 25
/// more of the short English texts of the development sets were taken for something else.
const LEAD: u32 = 60 * SCALE as u32;
/// Units of a cost: a natural logarithm.
pub const SCALE: f32 = 20.0;
/// What a cost has less than the logarithm, so that it fits into a byte.
pub const BASE: f32 = 2.0;
/// Languages of one table at most; rows are padded to a multiple of this.
const LANES: usize = 8;
const MOST: usize = 64;

/// Languages by script.
#[must_use]
pub const fn languages(script: Script) -> &'static [&'static str] {
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
pub const fn width(script: Script) -> usize {
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

/// What rows of letters cost in each language of a script.
pub(super) struct Costs {
    table: &'static [u8],
    width: usize,
    mask: usize,
}

impl Costs {
    pub(super) fn of_script(script: Script) -> Option<Self> {
        let place = Script::SHARED.iter().position(|shared| *shared == script)?;
        Some(Self { table: TABLES[place], width: width(script), mask: buckets(script) - 1 })
    }

    /// Of one row, by its hash.
    pub(super) fn of(&self, row: u32) -> &'static [u8] {
        let start = (row as usize & self.mask) * self.width;
        self.table.get(start..start + self.width).unwrap_or_default()
    }
}

/// Adds up what the letters cost in each language.
#[expect(clippy::cast_precision_loss, reason = "sums of a few thousand bytes")]
pub(crate) fn likeliest(text: &str, script: Script) -> Option<Likeliest> {
    let costs = Costs::of_script(script)?;
    let codes = languages(script);
    let mut sums = Sums::default();
    let mut add_all = |mut memory: Option<&mut Memory>| {
        let (mut letters, mut next) = (0, STEP);
        for word in words(text, script) {
            letters += sums.add(word, &costs, memory.as_deref_mut());
            if letters < next {
                continue;
            }
            next = letters + STEP;
            let (_, best, second) = two_least(&sums.whole()[..codes.len()]);
            if letters >= ENOUGH || second - best >= LEAD {
                break;
            }
        }
    };
    // Only words of one script are remembered.
    if script == Script::Latin {
        Memory::with(|memory| add_all(Some(memory)))
    } else {
        add_all(None)
    }
    let count = sums.count;
    let (best, least, second) = two_least(sums.whole().get(..codes.len())?);
    (count > 0).then(|| Likeliest {
        code: codes[best],
        cost: least as f32 / count as f32 / SCALE + BASE,
        lead: (second - least) as f32 / SCALE,
    })
}

/// What rows cost in each language, summed.
struct Sums {
    whole: [u32; MOST],
    /// What was added since, in as few bits as the compiler can add many of side by side.
    recent: [u16; MOST],
    /// Rows that `recent` is of.
    since: usize,
    /// Rows that were added.
    count: usize,
}

impl Default for Sums {
    fn default() -> Self {
        Self { whole: [0; MOST], recent: [0; MOST], since: 0, count: 0 }
    }
}

impl Sums {
    /// Rows that `recent` has room for.
    const ROOM: usize = (u16::MAX / u8::MAX as u16) as usize;

    /// Adds what a word costs, as far as it is looked at, and returns of how many letters that is.
    fn add(&mut self, word: &str, costs: &Costs, memory: Option<&mut Memory>) -> usize {
        match memory.and_then(|memory| memory.of(word, costs)) {
            Some(known) => self.add_word(word.len(), known),
            None => self.add_rows(word, costs),
        }
    }

    /// Adds what a word of so many letters costs, and returns how many those are.
    fn add_word(&mut self, letters: usize, costs: &[u16]) -> usize {
        self.make_room(letters * ROW);
        add(&mut self.recent, costs);
        letters
    }

    /// Adds what the rows of a word cost, as far as it is looked at, and returns of how many letters those are.
    fn add_rows(&mut self, word: &str, costs: &Costs) -> usize {
        let (word, _) = word.split_at(word.char_indices().nth(ENOUGH).map_or(word.len(), |(end, _)| end));
        rows_of(word, |row| {
            self.make_room(1);
            add(&mut self.recent, costs.of(row));
        });
        word.chars().count()
    }

    /// Counts so many rows that are to be added.
    fn make_room(&mut self, rows: usize) {
        if self.since + rows > Self::ROOM {
            self.whole();
        }
        self.since += rows;
        self.count += rows;
    }

    fn whole(&mut self) -> &[u32; MOST] {
        for (sum, more) in self.whole.iter_mut().zip(&mut self.recent) {
            *sum += u32::from(std::mem::take(more));
        }
        self.since = 0;
        &self.whole
    }
}

/// Adds costs to sums, of each language, in eights: the compiler does them side by side.
pub(super) fn add<Cost: Copy + Into<u16>>(sums: &mut [u16], costs: &[Cost]) {
    for (sums, costs) in sums.as_chunks_mut::<LANES>().0.iter_mut().zip(costs.as_chunks::<LANES>().0) {
        for (sum, cost) in sums.iter_mut().zip(costs) {
            *sum += (*cost).into();
        }
    }
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

/// Calls `each` with the hash of every row of up to [`ROW`] letters of the script, the ends of words counted as letters.
pub fn rows(text: &str, script: Script, mut each: impl FnMut(u32)) {
    words(text, script).for_each(|word| rows_of(word, &mut each));
}

/// Letters of a script between what is none.
fn words(text: &str, script: Script) -> impl Iterator<Item = &str> {
    let latin = script == Script::Latin;
    let own =
        move |c: char| if c.is_ascii() { latin && c.is_ascii_alphabetic() } else { Script::of(c) == Some(script) };
    let mut rest = text;
    std::iter::from_fn(move || {
        let word = rest.get(rest.find(own)?..)?;
        let end = word.find(|c| !own(c) && !joins(c)).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        rest = after;
        Some(word)
    })
}

/// Calls `each` with the rows of a word: [`ROW`] times as many as it has letters.
pub(super) fn rows_of(word: &str, mut each: impl FnMut(u32)) {
    // Hashes of the rows that end before the next letter, the longest last.
    let mut running = [0_u32; ROW];
    running[0] = mix(SEED, ' ');
    let mut length = 1;
    for c in word.chars().chain([' ']) {
        let c = lower(c);
        for at in (1..ROW).rev() {
            running[at] = mix(running[at - 1], c);
        }
        running[0] = mix(SEED, c);
        length = (length + 1).min(ROW);
        // The end of a word alone is no row.
        let first = usize::from(c == ' ');
        running[first..length].iter().for_each(|hash| each(spread(*hash)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cost_what_their_rows_do() {
        let longest = "incomprehensibly ".repeat(40);
        let cut: Vec<String> = [239, 240, 241, 1200].map(|letters| "é".repeat(letters)).into();
        let texts = ["Don't l'été, co\u{301}mo se dice", "поезда идут", "این یک متن است", "यह एक वाक्य है", &longest];
        for text in texts.into_iter().chain(cut.iter().map(String::as_str)) {
            for script in Script::SHARED {
                let costs = Costs::of_script(script).unwrap();
                for twice in [false, true] {
                    let (mut sums, mut plain, mut rows) = (Sums::default(), [0_u32; MOST], 0);
                    Memory::with(|memory| {
                        for word in words(text, script) {
                            let latin = script == Script::Latin;
                            let letters = sums.add(word, &costs, latin.then_some(&mut *memory));
                            assert_eq!(letters, word.chars().count().min(ENOUGH));
                            let seen: String = word.chars().take(ENOUGH).collect();
                            rows_of(&seen, |row| {
                                plain.iter_mut().zip(costs.of(row)).for_each(|(sum, cost)| *sum += u32::from(*cost));
                                rows += 1;
                            });
                        }
                    });
                    assert_eq!((sums.count, sums.whole()), (rows, &plain), "{text} ({script:?}, again: {twice})");
                }
            }
        }
    }
}
