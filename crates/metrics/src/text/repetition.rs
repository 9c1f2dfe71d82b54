//! Loops: what a model says again and again.

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::ngrams::Runs;
use super::words::{Words, split};

pub(crate) static REPETITION: About = About {
    name: "repetition",
    aliases: &["rep_n"],
    family: Family::Text,
    summary: "How much of the answer was said before in it.",
    formula: "1 − different n-grams / n-grams of words in lower case; 0 if it is too short for one.",
    source: "Welleck et al. 2019 (seq-rep-n), https://arxiv.org/abs/1908.04319",
    inputs: &[Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Lower,
    threshold: 0.3,
    options: &[option("n", "4", "words in a run, 1 to 4")],
    make,
};

fn make(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let order = options.count("n", 4, 1, 4)?;
    Ok(Box::new(move |case: &Case| {
        let text = case.text(Input::Output)?.to_lowercase();
        let runs = Runs::new(&Words::default().ids(split(&text)), order, 32);
        let (different, all) = (runs.different(order), runs.count(order));
        let value = if all == 0 { 0.0 } else { 1.0 - different as f64 / all as f64 };
        Ok(Outcome::new(value, format!("{different} of {all} runs of {order} words are different")))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};

    #[test]
    fn a_loop_is_seen() {
        let case = |text: &str| Case::new().with(Input::Output, text);
        near(value_with(&REPETITION, &Options::new().with("n", 1), &case("a b A b")), 0.5);
        near(value_with(&REPETITION, &Options::new(), &case(&"again and ".repeat(50))), 1.0 - 2.0 / 97.0);
        near(value_with(&REPETITION, &Options::new(), &case("")), 0.0);
    }
}
