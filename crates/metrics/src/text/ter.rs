//! Translation edit rate, as sacreBLEU computes it: Tercom's search for shifts on an edit distance that stays near the
//! diagonal.

use std::collections::HashMap;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem, affordable};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::tokenise::western;
use super::words::{Words, split, trim_end};

/// Tercom's limits: words moved at once, words moved over, distance from the diagonal, shifts looked at.
const LONGEST_SHIFT: usize = 10;
const FARTHEST_SHIFT: usize = 50;
const BEAM: usize = 25;
const MOST_CANDIDATES: usize = 1000;
/// Words times words: 160 MB of tables.
const MOST_CELLS: usize = 10_000_000;

pub(crate) static TER: About = About {
    name: "ter",
    aliases: &["translation_edit_rate"],
    family: Family::Text,
    summary: "How many edits turn the answer into a reference, for each of its words.",
    formula: "100 · edits / mean length of the references; edits are insertions, deletions and replacements of a word, and \
              moves of up to 10 words that stand in both, found greedily. The reference with the fewest edits counts.",
    source: "Snover et al. 2006, https://aclanthology.org/2006.amta-papers.25; as Tercom and sacreBLEU 2.6 search",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::FROM_ZERO,
    direction: Direction::Lower,
    threshold: 50.0,
    options: &[
        option("case_sensitive", "false", "tell capitals from small letters"),
        option("normalized", "false", "set punctuation apart, as mteval does"),
        option("no_punct", "false", "leave punctuation out"),
    ],
    make,
};

struct Ter {
    case_sensitive: bool,
    normalized: bool,
    no_punct: bool,
}

fn make(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    Ok(Box::new(Ter {
        case_sensitive: options.flag("case_sensitive", false)?,
        normalized: options.flag("normalized", false)?,
        no_punct: options.flag("no_punct", false)?,
    }))
}

impl Metric for Ter {
    fn measure(&self, case: &Case) -> Result<Outcome, Problem> {
        let output = self.prepare(case.text(Input::Output)?);
        let references: Vec<_> =
            case.texts(Input::Reference)?.into_iter().map(|reference| self.prepare_reference(reference)).collect();
        let mut words = Words::default();
        let output = words.ids(split(&output));
        let (mut fewest, mut length) = (usize::MAX, 0);
        for reference in &references {
            let reference = words.ids(split(reference));
            affordable(Input::Output, output.len(), reference.len(), MOST_CELLS)?;
            fewest = fewest.min(edits(&output, &reference));
            length += reference.len();
        }
        let length = length as f64 / references.len() as f64;
        let value = match fewest {
            _ if length > 0.0 => fewest as f64 / length,
            0 => 0.0,
            _ => 1.0,
        };
        let yes = |flag| if flag { "yes" } else { "no" };
        let reason = format!(
            "{fewest} edits for {length} words; nrefs:{}|case:{}|tok:tercom|norm:{}|punct:{}|asian:no|version:{}",
            references.len(),
            if self.case_sensitive { "mixed" } else { "lc" },
            yes(self.normalized),
            yes(!self.no_punct),
            super::bleu::SACREBLEU
        );
        Ok(Outcome::new(100.0 * value, reason))
    }
}

impl Ter {
    /// sacreBLEU tokenises references twice, answers once: a possessive before a tab or a no-break space is set apart by the second pass only, since
    /// spaces are plain by then. Published scores have it, so it is kept.
    fn prepare_reference(&self, text: &str) -> String {
        let once = self.prepare(text);
        if !self.normalized {
            return once;
        }
        self.prepare(&split(&once).collect::<Vec<_>>().join(" "))
    }

    fn prepare(&self, text: &str) -> String {
        let text = trim_end(text);
        let mut text = if self.case_sensitive { text.to_owned() } else { text.to_lowercase() };
        if self.normalized {
            let plain = text.replace("\n-", "").replace('\n', " ");
            let plain = plain.replace("&quot;", "\"").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
            text = western(&possessives(&format!(" {plain} ")));
        }
        if self.no_punct {
            text.retain(|char| !matches!(char, '.' | ',' | '?' | ':' | ';' | '!' | '"' | '(' | ')'));
        }
        text
    }
}

/// `'s` at the end of a word is a word, also where punctuation that is set apart follows it.
fn possessives(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut rest = line;
    while let Some(at) = rest.find("'s") {
        let (before, after) = rest.split_at(at);
        let tail = after.get(2..).unwrap_or_default();
        let apart = tail.starts_with(|char: char| {
            char.is_ascii()
                && !char.is_ascii_alphanumeric()
                && !matches!(char, '\'' | ',' | '-' | '.')
                && char >= ' '
                && char != '\u{7f}'
        });
        out.push_str(before);
        out.push_str(if apart { " 's" } else { "'s" });
        rest = tail;
    }
    out + rest
}

fn edits(words: &[u32], reference: &[u32]) -> usize {
    if reference.is_empty() {
        return words.len();
    }
    let mut words = words.to_vec();
    let mut table = Table::new(reference, words.len());
    table.fill(&words, 0);
    let (mut moves, mut candidates) = (0, 0);
    while let Some((better, shifted)) = shift(&words, reference, &table, &mut candidates) {
        if candidates >= MOST_CANDIDATES || better <= 0 {
            break;
        }
        moves += 1;
        words = shifted;
        table.fill(&words, 0);
    }
    moves + table.distance() as usize
}

/// What it gains, its length, how early it starts and ends up: larger is better.
type Rank = (i64, usize, i64, i64);

/// The move that helps most, and by how many edits; of equal ones Tercom's first: the longest, the earliest in the answer, the
/// earliest in its new place.
fn shift(words: &[u32], reference: &[u32], table: &Table<'_>, candidates: &mut usize) -> Option<(i64, Vec<u32>)> {
    let before = i64::from(table.distance());
    let alignment = table.alignment();
    let mut best: Option<(Rank, Vec<u32>)> = None;
    let mut trial = table.clone();
    // Up to here the rows of `trial` are those of `words`.
    let mut same = words.len();
    for (start, place, length) in common(words, reference) {
        let wrong =
            |errors: &[bool], from: usize| errors.get(from..from + length).is_some_and(|all| all.contains(&true));
        if !wrong(&alignment.output_errors, start) || !wrong(&alignment.reference_errors, place) {
            continue;
        }
        let target = alignment.places[place];
        if target >= start as i64 && target < (start + length) as i64 {
            continue;
        }
        let mut last = None;
        for offset in 0..=length {
            // Before the first word of the run in the reference, then behind each of its words.
            let index = match (place + offset).checked_sub(1) {
                None => 0,
                Some(at) => match alignment.places.get(at) {
                    Some(target) => target + 1,
                    None => break,
                },
            };
            if last == Some(index) {
                continue;
            }
            last = Some(index);
            let shifted = moved(words, start, length, usize::try_from(index).unwrap_or(0));
            let first = shifted.iter().zip(words).take_while(|(a, b)| a == b).count();
            trial.restore(table, same, first);
            trial.fill(&shifted, first);
            same = first;
            let better = before - i64::from(trial.distance());
            let rank = (better, length, -(start as i64), -index);
            *candidates += 1;
            if best.as_ref().is_none_or(|(other, words)| (&rank, &shifted) > (other, words)) {
                best = Some((rank, shifted));
            }
        }
        if *candidates >= MOST_CANDIDATES {
            break;
        }
    }
    best.map(|(rank, shifted)| (rank.0, shifted))
}

fn moved(words: &[u32], start: usize, length: usize, target: usize) -> Vec<u32> {
    let end = start + length;
    let part = |from: usize, to: usize| words.get(from..to.min(words.len()).max(from)).unwrap_or_default();
    let parts = if target < start {
        [part(0, target), part(start, end), part(target, start), part(end, words.len())]
    } else if target > end {
        [part(0, start), part(end, target), part(start, end), part(target, words.len())]
    } else {
        [part(0, start), part(end, length + target), part(start, end), part(length + target, words.len())]
    };
    parts.concat()
}

/// Runs of words that stand in both, by their place in the answer, then in the reference, then by length.
struct Common<'a> {
    words: &'a [u32],
    places: HashMap<u32, Vec<usize>>,
    reference: &'a [u32],
}

fn common<'a>(words: &'a [u32], reference: &'a [u32]) -> impl Iterator<Item = (usize, usize, usize)> + 'a {
    let mut places: HashMap<u32, Vec<usize>> = HashMap::new();
    for (at, word) in reference.iter().enumerate() {
        places.entry(*word).or_default().push(at);
    }
    let common = Common { words, places, reference };
    (0..words.len()).flat_map(move |start| common.from(start))
}

impl Common<'_> {
    fn from(&self, start: usize) -> Vec<(usize, usize, usize)> {
        let Some(places) = self.words.get(start).and_then(|word| self.places.get(word)) else { return Vec::new() };
        let near = places.iter().filter(|place| place.abs_diff(start) <= FARTHEST_SHIFT);
        near.flat_map(|&place| {
            let pairs = self.words.iter().skip(start).zip(self.reference.iter().skip(place));
            let most = pairs.take(LONGEST_SHIFT).take_while(|(a, b)| a == b).count();
            (1..=most).map(move |length| (start, place, length))
        })
        .collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Nothing,
    Keep,
    Replace,
    /// A word of the reference is missing.
    Insert,
    /// A word of the answer is too much.
    Delete,
}

/// Far more than any text has words, and far enough from overflow.
const FAR: u32 = u32::MAX / 2;

/// The edit distances of all beginnings, near the diagonal.
#[derive(Clone)]
struct Table<'a> {
    reference: &'a [u32],
    /// Rows of `reference.len() + 1`; one for each beginning of the answer.
    cells: Vec<(u32, Step)>,
    rows: usize,
}

struct Alignment {
    /// For each word of the reference the place of its word in the answer, or of the last before it; −1 if none is.
    places: Vec<i64>,
    output_errors: Vec<bool>,
    reference_errors: Vec<bool>,
}

impl<'a> Table<'a> {
    fn new(reference: &'a [u32], words: usize) -> Self {
        let width = reference.len() + 1;
        let mut cells = vec![(FAR, Step::Nothing); width * (words + 1)];
        for (cell, cost) in cells.iter_mut().take(width).zip(0..) {
            *cell = (cost, Step::Insert);
        }
        Self { reference, cells, rows: words }
    }

    /// Takes rows `from + 1` to `to` of another.
    fn restore(&mut self, other: &Self, from: usize, to: usize) {
        let width = self.reference.len() + 1;
        let rows = (from + 1) * width..(to.max(from) + 1) * width;
        if let (Some(own), Some(rows)) = (self.cells.get_mut(rows.clone()), other.cells.get(rows)) {
            own.copy_from_slice(rows);
        }
    }

    /// Computes the rows after `from`. As many words as it was made for; the rows before depend on the first ones only.
    fn fill(&mut self, words: &[u32], from: usize) {
        let (width, all) = (self.reference.len() + 1, words.len());
        let ratio = if all > 0 { self.reference.len() as f64 / all as f64 } else { 1.0 };
        let beam = if (BEAM as f64) < ratio / 2.0 { (ratio / 2.0 + BEAM as f64).ceil() as usize } else { BEAM };
        for row in from + 1..=all {
            let middle = (row as f64 * ratio).floor() as usize;
            let first = middle.saturating_sub(beam);
            let last = if row == all { width } else { width.min(middle + beam) };
            let (above, below) = self.cells.split_at_mut(row * width);
            let above = &above[(row - 1) * width..];
            let below = &mut below[..width];
            below.fill((FAR, Step::Nothing));
            let word = words[row - 1];
            for column in first..last {
                let delete = (above[column].0 + 1, Step::Delete);
                if column == 0 {
                    below[0] = delete;
                    continue;
                }
                let change = if self.reference[column - 1] == word { (0, Step::Keep) } else { (1, Step::Replace) };
                // Of equal ones the first: so Tercom prefers them.
                let mut best = (above[column - 1].0 + change.0, change.1);
                if delete.0 < best.0 {
                    best = delete;
                }
                if below[column - 1].0 + 1 < best.0 {
                    best = (below[column - 1].0 + 1, Step::Insert);
                }
                if best.0 < FAR {
                    below[column] = best;
                }
            }
        }
    }

    fn distance(&self) -> u32 {
        self.cells.last().map_or(0, |cell| cell.0)
    }

    fn alignment(&self) -> Alignment {
        let width = self.reference.len() + 1;
        let (mut row, mut column) = (self.rows, self.reference.len());
        let mut steps = Vec::with_capacity(row + column);
        while row > 0 || column > 0 {
            let step = self.cells[row * width + column].1;
            steps.push(step);
            match step {
                Step::Keep | Step::Replace => (row, column) = (row - 1, column - 1),
                Step::Insert => column -= 1,
                Step::Delete => row -= 1,
                // Outside of the beam, where no way leads.
                Step::Nothing => break,
            }
        }
        let mut alignment = Alignment { places: Vec::new(), output_errors: Vec::new(), reference_errors: Vec::new() };
        let mut place = -1;
        for step in steps.into_iter().rev() {
            if step != Step::Insert {
                place += 1;
                alignment.output_errors.push(step != Step::Keep);
            }
            if step != Step::Delete {
                alignment.places.push(place);
                alignment.reference_errors.push(step != Step::Keep);
            }
        }
        alignment
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::conformance::{near, value_with};

    proptest! {
        /// What isn't computed again for a move is as it would be if it were.
        #[test]
        fn tables_of_moves_are_those_from_scratch(
            words in prop::collection::vec(0_u32..4, 1..90),
            reference in prop::collection::vec(0_u32..4, 1..90),
            moves in prop::collection::vec((0_usize..90, 1_usize..10, 0_usize..90), 1..12),
        ) {
            let mut table = Table::new(&reference, words.len());
            table.fill(&words, 0);
            let (mut trial, mut same) = (table.clone(), words.len());
            for (start, length, target) in moves {
                let start = start % words.len();
                let length = length.min(words.len() - start);
                let shifted = moved(&words, start, length, target % (words.len() + 1));
                let first = shifted.iter().zip(&words).take_while(|(a, b)| a == b).count();
                trial.restore(&table, same, first);
                trial.fill(&shifted, first);
                same = first;
                let mut fresh = Table::new(&reference, words.len());
                fresh.fill(&shifted, 0);
                prop_assert_eq!(&trial.cells, &fresh.cells);
            }
        }
    }

    fn check(output: &str, references: &[&str], expected: f64) {
        let case = Case::new().with(Input::Output, output).with(Input::Reference, references.to_vec());
        near(value_with(&TER, &Options::new(), &case), expected);
    }

    /// Figures of `sacrebleu.sentence_ter` 2.6.
    #[test]
    fn agrees_with_sacrebleu() {
        check("The dog bit the man.", &["The dog had bit the man.", "It was not unexpected"], 20.0);
        check("b c d e f a x", &["a b c d e f g h"], 37.5);
        check("", &["a b"], 100.0);
        check("a b", &[""], 100.0);
        check("", &[""], 0.0);
    }

    /// Figures of `sacrebleu.TER(normalized=True)` 2.6, which tokenises references twice.
    #[test]
    fn references_are_tokenised_twice() {
        let normalised = |text: &str, options: &Options| {
            let case = Case::new().with(Input::Output, text).with(Input::Reference, text);
            value_with(&TER, options, &case)
        };
        let options = Options::new().with("normalized", true);
        near(normalised("3it's\u{2003}on", &options), 200.0 / 3.0);
        near(normalised("\u{85}it's,on?|", &options), 100.0 / 3.0);
        near(normalised("the cat's\ttail...3c, 2-3", &options), 100.0 / 6.0);
        near(normalised("1--2 ..3", &options), 100.0 / 3.0);
        near(normalised("a&amp;amp;b", &options), 0.0);
        near(normalised("it's\u{1c}(3..4),5", &options.with("no_punct", true)), 40.0);
    }

    #[test]
    fn a_move_is_one_edit() {
        check("c d e a b", &["a b c d e"], 20.0);
    }
}
