//! Whether code can be read.

use tree_sitter::{Language, Node, Parser};

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Evidence, Metric, Outcome};

pub(crate) static CODE_VALID: About = About {
    name: "code_valid",
    aliases: &["code_parses", "is_code", "syntax_valid"],
    family: Family::Structure,
    summary: "Whether the answer's code can be read.",
    formula: "1 if the first block of code, or else the whole answer, holds something and has no error by the \
              grammar of its language, else 0. Only the syntax is looked at, and a little more generously than by \
              compilers: names, types, and rules such as where `return` may stand are not.",
    source: "The grammars of tree-sitter 0.25 for Python and JavaScript, https://tree-sitter.github.io/tree-sitter",
    inputs: &[Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[option("language", "as the block of code says, or else python", "python or javascript")],
    make,
};

/// A grammar may take long for very long code.
const MOST_BYTES: usize = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tongue {
    Python,
    JavaScript,
}

impl Tongue {
    fn language(self) -> Language {
        match self {
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
        }
    }

    /// What blocks of code call it.
    fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "python" | "py" | "python3" => Some(Self::Python),
            "javascript" | "js" | "jsx" | "mjs" | "node" => Some(Self::JavaScript),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
        }
    }
}

fn make(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let choices = [("python", Some(Tongue::Python)), ("javascript", Some(Tongue::JavaScript))];
    let tongue = options.choice("language", &choices, None)?;
    Ok(Box::new(move |case: &Case| measure(case, tongue)))
}

fn measure(case: &Case, tongue: Option<Tongue>) -> Result<Outcome, Problem> {
    let output = case.text(Input::Output)?;
    let (language, start, code) = block(output);
    if code.len() > MOST_BYTES {
        let expected = format!("code of at most {MOST_BYTES} bytes");
        return Err(Problem::new("output", expected, code.len().to_string()));
    }
    let tongue = match (tongue, language) {
        (Some(tongue), _) => tongue,
        (None, "") => Tongue::Python,
        (None, other) => match Tongue::named(other) {
            Some(tongue) => tongue,
            None => return Ok(Outcome::of(false, format!("a block of `{}`, which can't be read here", short(other)))),
        },
    };
    let mut parser = Parser::new();
    let read = parser.set_language(&tongue.language()).ok().and_then(|()| parser.parse(code, None));
    let Some(tree) = read else {
        return Ok(Outcome::of(false, format!("{} can't be read here", tongue.name())));
    };
    let root = tree.root_node();
    if root.named_child_count() == 0 {
        return Ok(Outcome::of(false, "no code"));
    }
    if !root.has_error() {
        return Ok(Outcome::of(true, format!("{}, {} lines", tongue.name(), code.lines().count())));
    }
    let wrong = first_error(root);
    let place = wrong.start_position();
    let what =
        if wrong.is_missing() { format!("`{}` is missing", wrong.kind()) } else { "it can't be read".to_owned() };
    let mut outcome =
        Outcome::of(false, format!("{}, line {}, column {}: {what}", tongue.name(), place.row + 1, place.column + 1));
    let (from, to) = (start + wrong.start_byte(), start + wrong.end_byte());
    if from < to && output.get(from..to).is_some() {
        outcome.evidence.push(Evidence {
            input: Input::Output,
            start: from,
            end: to,
            note: "can't be read".to_owned(),
        });
    }
    Ok(outcome)
}

/// The deepest first node that is wrong.
fn first_error(root: Node<'_>) -> Node<'_> {
    let mut node = root;
    loop {
        let mut cursor = node.walk();
        let below = node.children(&mut cursor).find(|child| child.has_error() || child.is_missing());
        match below {
            Some(child) => node = child,
            None => return node,
        }
    }
}

/// What the first block of code says it is, where its code begins, and the code; without a block, the whole text.
fn block(text: &str) -> (&str, usize, &str) {
    const FENCE: &str = "```";
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        start += line.len();
        if let Some(language) = line.trim_start().strip_prefix(FENCE).filter(|rest| rest.ends_with('\n')) {
            let inner = text.get(start..).unwrap_or_default();
            let end = inner.find(FENCE).unwrap_or(inner.len());
            return (language.trim(), start, inner.get(..end).unwrap_or_default());
        }
    }
    ("", 0, text)
}

/// The beginning of a name that somebody else wrote.
fn short(name: &str) -> String {
    name.chars().take(30).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::near;

    fn outcome(language: Option<&str>, output: &str) -> Outcome {
        let options = language.map_or_else(Options::new, |language| Options::new().with("language", language));
        make(&options).unwrap().measure(&Case::new().with(Input::Output, output)).unwrap()
    }

    fn check(language: Option<&str>, output: &str, expected: f64) {
        near(outcome(language, output).value, expected);
    }

    #[test]
    fn code_with_and_without_a_block() {
        check(None, "def f(x):\n    return [y for y in x if y]\n", 1.0);
        check(None, "def f(x)\n    return x\n", 0.0);
        check(None, "Here it is:\n\n```python\nprint('hi')\n```\n\nHope that helps!", 1.0);
        check(None, "Here it is:\n\n```js\nconst f = async (x) => ({ ...x, a: x?.b ?? 1 });\n```", 1.0);
        check(None, "```js\nconst f = (x => {\n```", 0.0);
        check(Some("javascript"), "let a = 1;", 1.0);
        check(Some("python"), "let a = 1;", 0.0);
        check(None, "```cobol\nDISPLAY 'HI'.\n```", 0.0);
        check(None, "", 0.0);
        check(None, "I can't write that.", 0.0);
    }

    #[test]
    fn the_place_is_told() {
        let found = outcome(None, "Look:\n```python\na = 1\nb = (2\n```");
        assert!(found.reason.starts_with("Python, line "), "{}", found.reason);
    }

    #[test]
    fn what_is_deep_or_long_ends() {
        check(Some("python"), &"(".repeat(50_000), 0.0);
        check(Some("javascript"), &"[".repeat(50_000), 0.0);
        let problem = measure(&Case::new().with(Input::Output, "a".repeat(MOST_BYTES + 1)), None).unwrap_err();
        assert_eq!(problem.field, "output");
    }
}
