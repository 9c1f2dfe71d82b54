//! Citations: whether every sentence has one, and whether what they name is there.

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::score::{Evidence, Outcome};

pub(crate) static CITATIONS: About = About {
    name: "citations",
    aliases: &["citation_format"],
    family: Family::Structure,
    summary: "How many of the answer's citations name a source that is there.",
    formula: "Share of the marks [1], [2, 3], [4-6] that name a text of the context, counted from 1; without a context, any number from 1 will do. 0 of an \
              answer without marks. Whether a source says so is another question: `claim_support`.",
    source: "The form that Gao et al. 2023 (ALCE) ask for, https://aclanthology.org/2023.emnlp-main.398",
    inputs: &[Input::Output],
    also: &[Input::Context],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[],
    make: |_| Ok(Box::new(citations)),
};

fn citations(case: &Case) -> Result<Outcome, Problem> {
    let output = case.text(Input::Output)?;
    let sources = match case.find(Input::Context) {
        Some(_) => Some(case.texts(Input::Context)?.len()),
        None => None,
    };
    let known = |number: usize| number >= 1 && sources.is_none_or(|sources| number <= sources);
    let (mut right, mut all, mut evidence) = (0, 0, Vec::new());
    for mark in marks(output) {
        all += mark.numbers.len();
        let found = mark.numbers.iter().filter(|number| known(**number)).count();
        right += found;
        if found < mark.numbers.len() {
            evidence.push(Evidence {
                input: Input::Output,
                start: mark.start,
                end: mark.end,
                note: "names no text of the context".to_owned(),
            });
        }
    }
    let value = if all == 0 { 0.0 } else { right as f64 / all as f64 };
    Ok(Outcome { value, reason: format!("{right} of {all} citations name a source"), evidence })
}

/// A mark, where it stands and what it names.
pub(crate) struct Mark {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The texts of the context, counted from 1.
    pub(crate) numbers: Vec<usize>,
}

/// The marks of a text: `[1]`, `[2, 3]`, `[4-6]`.
pub(crate) fn marks(text: &str) -> Vec<Mark> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find('[')).map(|found| at + found) {
        at = start + 1;
        let Some(length) = text.get(at..).and_then(|rest| rest.find(']')) else { break };
        let Some(numbers) = text.get(at..at + length).and_then(numbers) else { continue };
        at += length + 1;
        found.push(Mark { start, end: at, numbers });
    }
    found
}

/// What stands in a mark: numbers with commas between, and runs of them.
fn numbers(text: &str) -> Option<Vec<usize>> {
    // A longer run is none: it would be the easiest way to make this list endless.
    const LONGEST_RUN: usize = 100;
    let mut found = Vec::new();
    for part in text.split([',', ';']) {
        let part = part.trim();
        match part.split_once(['-', '–']) {
            None => found.push(part.parse().ok()?),
            Some((first, last)) => {
                let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
                if last < first || last - first > LONGEST_RUN {
                    return None;
                }
                found.extend(first..=last);
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};
    use crate::options::Options;

    #[test]
    fn marks_are_found_and_held_against_the_context() {
        let check = |output: &str, expected| {
            let case = Case::new().with(Input::Output, output).with(Input::Context, vec!["a", "b", "c"]);
            near(value_with(&CITATIONS, &Options::new(), &case), expected);
        };
        check("One [1]. Two [2, 3]. Three [1-3].", 1.0);
        check("One [1]. Two [4].", 0.5);
        check("None [see below] at all.", 0.0);
        check("Endless [1-99999999999] [1].", 1.0);
    }
}
