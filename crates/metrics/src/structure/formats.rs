//! CSV, XML and SQL.

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionDoc, OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::json::unfenced;
use super::markup::elements;
use super::sql::{FLAVOURS, Flavour, statements};

const DIALECT: &[OptionDoc] = &[option("dialect", "generic", "generic, postgres, mysql or sqlite")];

pub(crate) static CSV_VALID: About = About {
    name: "csv_valid",
    aliases: &["is_csv"],
    family: Family::Structure,
    summary: "Whether the answer is a table in CSV.",
    formula: "1 if every record has as many fields as the first, quotes are closed and stand around whole fields, and there are at least `columns` fields \
              and `rows` records; else 0. A block of code around it doesn't count.",
    source: "RFC 4180, https://www.rfc-editor.org/rfc/rfc4180",
    inputs: &[Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[
        option("delimiter", ",", "what stands between fields, one character"),
        option("columns", "1", "the fewest fields"),
        option("rows", "1", "the fewest records, with the heading"),
    ],
    make: csv,
};

pub(crate) static SQL_EQUAL: About = About {
    name: "sql_equal",
    aliases: &["sql_match", "sql_exact_match"],
    family: Family::Structure,
    summary: "Whether the answer's SQL is that of a reference, whatever its writing.",
    formula: "1 if both can be read and are equal in a normal form, else 0: names in lower case unless quoted, no parentheses, comments and spaces that say \
              nothing, operands of AND, OR, =, <>, + and * sorted, > and >= turned round. Equal results by other means are not seen.",
    source: "Yu et al. 2018 (Spider, exact set match), https://aclanthology.org/D18-1425; grammar of sqlparser 0.62",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: DIALECT,
    make: |options| sql(options, sql_equal),
};

pub(crate) static SQL_VALID: About = About {
    name: "sql_valid",
    aliases: &["is_sql", "sql_parses"],
    family: Family::Structure,
    summary: "Whether the answer is SQL.",
    formula: "1 if the answer, without the fences of a block of code, is at least one statement and nothing else, else 0. Whether tables and columns exist \
              isn't looked at.",
    source: "The grammar of sqlparser 0.62, https://docs.rs/sqlparser",
    inputs: &[Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: DIALECT,
    make: |options| sql(options, sql_valid),
};

pub(crate) static XML_VALID: About = About {
    name: "xml_valid",
    aliases: &["is_xml", "xml_well_formed"],
    family: Family::Structure,
    summary: "Whether the answer is well-formed XML.",
    formula: "1 if there is one root element, every tag is closed, attributes are quoted and stand once, and references are known; else 0. No schema is looked at.",
    source: "XML 1.0, fifth edition, section 2.1, https://www.w3.org/TR/xml/#sec-well-formed",
    inputs: &[Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[],
    make: |_| Ok(Box::new(xml)),
};

fn csv(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let delimiter = options.text("delimiter", ",")?.to_owned();
    let delimiter = match delimiter.as_str() {
        "\\t" | "tab" => '\t',
        other => {
            let mut chars = other.chars();
            let one = chars.next().filter(|_| chars.next().is_none());
            one.ok_or_else(|| OptionProblem::new("delimiter", format!("expected one character, found `{other}`")))?
        }
    };
    let columns = options.count("columns", 1, 1, usize::MAX)?;
    let rows = options.count("rows", 1, 0, usize::MAX)?;
    Ok(Box::new(move |case: &Case| {
        let found = records(unfenced(case.text(Input::Output)?), delimiter);
        Ok(match found {
            Err(problem) => Outcome::of(false, problem),
            Ok(widths) => {
                let width = widths.first().copied().unwrap_or(0);
                match widths.iter().position(|other| *other != width) {
                    Some(at) => Outcome::of(
                        false,
                        format!("record {} has {} fields, the first has {width}", at + 1, widths[at]),
                    ),
                    None => Outcome::of(
                        width >= columns && widths.len() >= rows,
                        format!("{} records of {width} fields", widths.len()),
                    ),
                }
            }
        })
    }))
}

/// The number of fields of each record.
fn records(text: &str, delimiter: char) -> Result<Vec<usize>, String> {
    let mut widths = Vec::new();
    let mut chars = text.chars().peekable();
    while chars.peek().is_some() {
        let mut fields = 1;
        loop {
            if chars.next_if_eq(&'"').is_some() {
                loop {
                    match chars.next() {
                        None => return Err(format!("a quotation in record {} isn't closed", widths.len() + 1)),
                        Some('"') if chars.next_if_eq(&'"').is_none() => break,
                        Some(_) => {}
                    }
                }
                if chars.peek().is_some_and(|char| *char != delimiter && !matches!(char, '\n' | '\r')) {
                    return Err(format!("text follows a quotation in record {}", widths.len() + 1));
                }
            }
            let end = chars.find(|char| *char == delimiter || matches!(char, '\n' | '\r' | '"'));
            match end {
                Some('"') => return Err(format!("a quotation begins within a field of record {}", widths.len() + 1)),
                Some(char) if char == delimiter => fields += 1,
                Some('\r') => {
                    chars.next_if_eq(&'\n');
                    break;
                }
                _ => break,
            }
        }
        widths.push(fields);
    }
    Ok(widths)
}

fn xml(case: &Case) -> Result<Outcome, Problem> {
    let text = unfenced(case.text(Input::Output)?);
    Ok(match elements(text) {
        Ok(count) => Outcome::of(true, format!("{count} elements")),
        Err(wrong) => {
            let line = text.get(..wrong.at).unwrap_or_default().matches('\n').count() + 1;
            Outcome::of(false, format!("line {line}: {}", wrong.what))
        }
    })
}

fn sql(
    options: &Options,
    judge: fn(&Case, Flavour) -> Result<Outcome, Problem>,
) -> Result<Box<dyn Metric>, OptionProblem> {
    let flavour = options.choice("dialect", FLAVOURS, Flavour::Generic)?;
    Ok(Box::new(move |case: &Case| judge(case, flavour)))
}

fn sql_valid(case: &Case, flavour: Flavour) -> Result<Outcome, Problem> {
    Ok(match statements(unfenced(case.text(Input::Output)?), flavour) {
        Ok(found) => Outcome::of(!found.is_empty(), format!("{} statements", found.len())),
        Err(problem) => Outcome::of(false, problem),
    })
}

fn sql_equal(case: &Case, flavour: Flavour) -> Result<Outcome, Problem> {
    let output = case.text(Input::Output)?;
    let references = case.texts(Input::Reference)?;
    let read = |text: &str| statements(unfenced(text), flavour);
    let wanted = references.into_iter().map(|text| {
        read(text).map_err(|problem| Problem::new("reference", "SQL", format!("a text that can't be read: {problem}")))
    });
    let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
    Ok(match read(output) {
        Err(problem) => Outcome::of(false, problem),
        Ok(found) if wanted.contains(&found) => Outcome::of(true, "equal in normal form"),
        Ok(_) => Outcome::of(false, "not equal in normal form"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};

    fn check(about: &'static About, output: &str, expected: f64) {
        let case = Case::new().with(Input::Output, output).with(Input::Reference, "SELECT a FROM t WHERE b = 1");
        near(value_with(about, &Options::new(), &case), expected);
    }

    #[test]
    fn tables() {
        check(&CSV_VALID, "a,b\r\n1,\"x, \"\"y\"\"\n z\"\r\n", 1.0);
        check(&CSV_VALID, "```csv\na,b\n1,2\n```", 1.0);
        check(&CSV_VALID, "a,b\n1,2,3", 0.0);
        check(&CSV_VALID, "a,\"b", 0.0);
        check(&CSV_VALID, "a,\"b\"c", 0.0);
        check(&CSV_VALID, "a,b\"c\"", 0.0);
        check(&CSV_VALID, "", 0.0);
        let case = Case::new().with(Input::Output, "a\tb");
        near(value_with(&CSV_VALID, &Options::new().with("delimiter", "tab").with("columns", 2), &case), 1.0);
    }

    #[test]
    fn markup_and_queries() {
        check(&XML_VALID, "```xml\n<a><b/></a>\n```", 1.0);
        check(&XML_VALID, "<a>", 0.0);
        check(&SQL_VALID, "```sql\nSELECT 1;\n```", 1.0);
        check(&SQL_VALID, "Here is the query: SELECT 1", 0.0);
        check(&SQL_VALID, "", 0.0);
        check(&SQL_EQUAL, "select A from T where 1 = B;", 1.0);
        check(&SQL_EQUAL, "select A from T where 2 = B;", 0.0);
    }
}
