//! Yes or no: what an answer is, holds, begins or ends with, and how long it is.

use regex_automata::meta::Regex;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionDoc, OptionProblem, Options, option};
use crate::score::{Evidence, Metric, Outcome};

use super::words::{is_space, split};

const LOWERCASE: OptionDoc = option("lowercase", "false", "leave case aside");
const TRIM: OptionDoc = option("trim", "true", "leave spaces at both ends aside");
const OURS: &str = "Signalbox's own; as the assertions of promptfoo and the string metrics of other tools";

macro_rules! wants {
    ($name:ident, $test:expr, $text:literal, $aliases:expr, $summary:literal, $formula:literal) => {
        pub(crate) static $name: About = About {
            name: $text,
            aliases: $aliases,
            family: Family::Text,
            summary: $summary,
            formula: $formula,
            source: OURS,
            inputs: &[Input::Output, Input::Reference],
            also: &[],
            range: Range::UNIT,
            direction: Direction::Higher,
            threshold: 1.0,
            options: &[LOWERCASE, TRIM],
            make: |options| wanted(options, $test),
        };
    };
}

wants!(
    EXACT_MATCH,
    exact,
    "exact_match",
    &["equals", "exact"],
    "Whether the answer is a reference.",
    "1 if the answer is one of the references, character by character, else 0."
);
wants!(
    CONTAINS,
    any,
    "contains",
    &["contains_any"],
    "Whether the answer holds a reference.",
    "1 if at least one of the references stands in the answer, else 0."
);
wants!(
    CONTAINS_ALL,
    all,
    "contains_all",
    &[],
    "How many of the references the answer holds.",
    "Share of the references that stand in the answer; passes with all."
);
wants!(
    CONTAINS_NONE,
    none,
    "contains_none",
    &["not_contains"],
    "Whether the answer holds none of the references.",
    "1 if none of the references stands in the answer, else 0."
);
wants!(
    STARTS_WITH,
    starts,
    "starts_with",
    &["startswith"],
    "Whether the answer begins with a reference.",
    "1 if the answer begins with one of the references, else 0."
);
wants!(
    ENDS_WITH,
    ends,
    "ends_with",
    &["endswith"],
    "Whether the answer ends with a reference.",
    "1 if the answer ends with one of the references, else 0."
);

pub(crate) static REGEX: About = About {
    name: "regex",
    aliases: &["regex_match"],
    family: Family::Text,
    summary: "Whether a pattern is found in the answer.",
    formula: "1 if the pattern (the option, or else any of the references) is found, else 0. Patterns are Rust's: no look-around, no \
              back-references, time linear in the answer.",
    source: "https://docs.rs/regex/latest/regex/#syntax",
    inputs: &[Input::Output],
    also: &[Input::Reference],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[
        option("pattern", "the reference", "the pattern"),
        option("whole", "false", "the whole answer must match"),
    ],
    make: pattern,
};

pub(crate) static LENGTH: About = About {
    name: "length",
    aliases: &["length_between"],
    family: Family::Text,
    summary: "Whether the answer is as long as it should be.",
    formula: "1 if the number of units is at least `min` and at most `max`, else 0.",
    source: OURS,
    inputs: &[Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[
        option("min", "0", "the fewest units"),
        option("max", "no limit", "the most units"),
        option("unit", "chars", "chars, words, lines or bytes"),
    ],
    make: length,
};

pub(crate) static ONE_LINE: About = About {
    name: "one_line",
    aliases: &["is_one_line"],
    family: Family::Text,
    summary: "Whether the answer is one line.",
    formula: "1 if no line break stands in the answer, without spaces at its ends, and it isn't empty; else 0.",
    source: OURS,
    inputs: &[Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[],
    make: |_| Ok(Box::new(one_line)),
};

/// What a text makes of the references.
type Test = fn(&str, &[String]) -> (f64, String);

fn wanted(options: &Options, test: Test) -> Result<Box<dyn Metric>, OptionProblem> {
    let (lowercase, trim) = (options.flag("lowercase", false)?, options.flag("trim", true)?);
    Ok(Box::new(move |case: &Case| {
        let plain = |text: &str| {
            let text = if trim { text.trim_matches(is_space) } else { text };
            if lowercase { text.to_lowercase() } else { text.to_owned() }
        };
        let references: Vec<_> = case.texts(Input::Reference)?.into_iter().map(plain).collect();
        let (value, reason) = test(&plain(case.text(Input::Output)?), &references);
        Ok(Outcome::new(value, reason))
    }))
}

fn one_of(yes: bool, what: &str) -> (f64, String) {
    (f64::from(u8::from(yes)), if yes { what.to_owned() } else { format!("not {what}") })
}

fn exact(output: &str, references: &[String]) -> (f64, String) {
    one_of(references.iter().any(|reference| reference == output), "the same")
}

fn starts(output: &str, references: &[String]) -> (f64, String) {
    one_of(references.iter().any(|reference| output.starts_with(reference.as_str())), "at the beginning")
}

fn ends(output: &str, references: &[String]) -> (f64, String) {
    one_of(references.iter().any(|reference| output.ends_with(reference.as_str())), "at the end")
}

fn missing<'a>(output: &str, references: &'a [String]) -> Vec<&'a String> {
    references.iter().filter(|reference| !output.contains(reference.as_str())).collect()
}

fn any(output: &str, references: &[String]) -> (f64, String) {
    let missing = missing(output, references).len();
    one_of(missing < references.len(), "in the answer")
}

fn all(output: &str, references: &[String]) -> (f64, String) {
    let missing = missing(output, references);
    let held = references.len() - missing.len();
    let reason = match missing.first() {
        None => format!("all {held} are in the answer"),
        Some(first) => format!("{held} of {} are in the answer; `{}` isn't", references.len(), short(first)),
    };
    (super::edit::share(held, references.len()), reason)
}

fn none(output: &str, references: &[String]) -> (f64, String) {
    match references.iter().find(|reference| output.contains(reference.as_str())) {
        None => (1.0, "none is in the answer".to_owned()),
        Some(first) => (0.0, format!("`{}` is in the answer", short(first))),
    }
}

/// The beginning of a text, for a reason.
fn short(text: &str) -> String {
    let mut chars = text.chars();
    let begin: String = chars.by_ref().take(60).collect();
    if chars.next().is_some() { begin + "…" } else { begin }
}

/// No pattern may take more memory than this: one that does is a mistake, or an attack.
const PATTERN_BYTES: usize = 10 << 20;

fn compiled(pattern: &str, whole: bool) -> Result<Regex, String> {
    let pattern = if whole { format!(r"\A(?:{pattern})\z") } else { pattern.to_owned() };
    let config = Regex::config().nfa_size_limit(Some(PATTERN_BYTES));
    Regex::builder().configure(config).build(&pattern).map_err(|error| {
        // The message of the parser is about a place; it is the last line of several.
        let text = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        text.lines().last().unwrap_or_default().trim().to_owned()
    })
}

fn pattern(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let whole = options.flag("whole", false)?;
    let fixed = if options.is_set("pattern") {
        let pattern = options.text("pattern", "")?;
        Some(compiled(pattern, whole).map_err(|problem| OptionProblem::new("pattern", problem))?)
    } else {
        None
    };
    Ok(Box::new(move |case: &Case| {
        let output = case.text(Input::Output)?;
        if let Some(pattern) = &fixed {
            return Ok(found([pattern.find(output)].into_iter().flatten().next()));
        }
        let mut first = None;
        for reference in case.texts(Input::Reference)? {
            let pattern = compiled(reference, whole).map_err(|problem| {
                Problem::new("reference", "a pattern", format!("one that can't be read: {problem}"))
            })?;
            first = first.or_else(|| pattern.find(output));
        }
        Ok(found(first))
    }))
}

fn found(place: Option<regex_automata::Match>) -> Outcome {
    let Some(place) = place else { return Outcome::of(false, "not found") };
    let evidence =
        Evidence { input: Input::Output, start: place.start(), end: place.end(), note: "matches".to_owned() };
    Outcome { evidence: vec![evidence], ..Outcome::of(true, "found") }
}

fn length(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let least = options.count("min", 0, 0, usize::MAX)?;
    let most = options.count("max", usize::MAX, 0, usize::MAX)?;
    if least > most {
        return Err(OptionProblem::new("max", format!("expected at least `min`, {least}, found {most}")));
    }
    type Count = fn(&str) -> usize;
    let units: [(&str, Count); 4] = [
        ("chars", |text| text.chars().count()),
        ("words", |text| split(text).count()),
        ("lines", |text| text.lines().count()),
        ("bytes", str::len),
    ];
    let unit = options.text("unit", "chars")?.to_owned();
    let count = options.choice("unit", &units, units[0].1)?;
    Ok(Box::new(move |case: &Case| {
        let length = count(case.text(Input::Output)?);
        Ok(Outcome::of((least..=most).contains(&length), format!("{length} {unit}")))
    }))
}

fn one_line(case: &Case) -> Result<Outcome, Problem> {
    let text = case.text(Input::Output)?.trim();
    let lines = text.lines().count();
    Ok(Outcome::of(lines == 1 && !text.contains('\r'), format!("{lines} lines")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::value_with;

    fn check(about: &'static About, options: &Options, output: &str, references: &[&str], expected: f64) {
        let case = Case::new().with(Input::Output, output).with(Input::Reference, references.to_vec());
        let value = value_with(about, options, &case);
        assert!((value - expected).abs() < 1e-12, "{}: {output:?} {references:?} gives {value}", about.name);
    }

    #[test]
    fn yes_and_no() {
        let none = Options::new();
        check(&EXACT_MATCH, &none, " a ", &["b", "a"], 1.0);
        check(&EXACT_MATCH, &none, "A", &["a"], 0.0);
        check(&EXACT_MATCH, &Options::new().with("lowercase", true), "A", &["a"], 1.0);
        check(&EXACT_MATCH, &Options::new().with("trim", "false"), " a", &["a"], 0.0);
        check(&CONTAINS, &none, "abc", &["x", "b"], 1.0);
        check(&CONTAINS_ALL, &none, "abc", &["x", "b"], 0.5);
        check(&CONTAINS_NONE, &none, "abc", &["x", "b"], 0.0);
        check(&STARTS_WITH, &none, "abc", &["ab"], 1.0);
        check(&ENDS_WITH, &none, "abc", &["ab"], 0.0);
        check(&REGEX, &none, "order 66", &[r"\bé?\d+$"], 1.0);
        check(&REGEX, &Options::new().with("pattern", "a+").with("whole", true), "aab", &["x"], 0.0);
        check(&LENGTH, &Options::new().with("max", 3).with("unit", "words"), "a b c d", &["x"], 0.0);
        check(&LENGTH, &Options::new().with("min", "2"), "äö", &["x"], 1.0);
        check(&ONE_LINE, &none, "a\n", &["x"], 1.0);
        check(&ONE_LINE, &none, "a\nb", &["x"], 0.0);
    }

    #[test]
    fn a_pattern_that_can_not_be_read_is_told() {
        let problem = pattern(&Options::new().with("pattern", "a(")).err().map(|problem| problem.to_string());
        assert_eq!(problem.as_deref(), Some("option `pattern`: error: unclosed group"));
        let case = Case::new().with(Input::Output, "a").with(Input::Reference, "(");
        let problem = pattern(&Options::new()).unwrap().measure(&case).unwrap_err();
        assert_eq!(problem.field, "reference");
    }
}
