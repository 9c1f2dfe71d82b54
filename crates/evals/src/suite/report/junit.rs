//! JUnit's XML, as forges read it: a test suite for the gates and one for each target, a test case for each item.

use std::fmt::Write as _;

use super::Report;
use crate::suite::result::Row;

/// The report as XML.
#[must_use]
pub fn junit(report: &Report<'_>) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let suite = escaped(&report.run.header.suite);
    let _ = writeln!(out, "<testsuites name=\"{suite}\">");
    let gates = &report.judged.gates;
    let failures = gates.iter().filter(|gate| !gate.passed).count();
    let _ =
        writeln!(out, "  <testsuite name=\"gates\" tests=\"{}\" failures=\"{failures}\" errors=\"0\">", gates.len());
    for gate in gates {
        let segment = gate.segment.as_ref().map(|segment| format!(" [{segment}]")).unwrap_or_default();
        let (target, name) = (escaped(&gate.target), escaped(&format!("{}{segment}", gate.gate)));
        let _ = write!(out, "    <testcase classname=\"{suite}.gates.{target}\" name=\"{name}\"");
        let found = escaped(&gate.found);
        match gate.passed {
            true => out.push_str("/>\n"),
            false => {
                let _ = writeln!(out, "><failure message=\"{found}\">{found}</failure></testcase>");
            }
        }
    }
    out.push_str("  </testsuite>\n");
    for target in report.run.targets() {
        let rows: Vec<&Row> = report.run.rows.iter().filter(|row| row.target == target).collect();
        let failures = rows.iter().filter(|row| !row.failed() && !passes(row)).count();
        let errors = rows.iter().filter(|row| row.failed()).count();
        let target = escaped(target);
        let _ = writeln!(
            out,
            "  <testsuite name=\"{target}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\">",
            rows.len()
        );
        rows.iter().for_each(|row| case(&mut out, &format!("{suite}.{target}"), row));
        out.push_str("  </testsuite>\n");
    }
    out + "</testsuites>\n"
}

fn passes(row: &Row) -> bool {
    row.scores.values().all(|score| score.passed != Some(false))
}

fn case(out: &mut String, class: &str, row: &Row) {
    let seconds = row.latency_ms.unwrap_or(0.0) / 1e3;
    let id = escaped(&row.id);
    let _ = write!(out, "    <testcase classname=\"{class}\" name=\"{id}\" time=\"{seconds:.3}\"");
    if !row.failed() && passes(row) {
        out.push_str("/>\n");
        return;
    }
    let errors = row.scores.iter().filter_map(|(name, score)| Some(format!("{name}: {}", score.error.as_ref()?)));
    let errors: Vec<String> = row.error.iter().cloned().chain(errors).collect();
    let failing = row.scores.iter().filter(|(_, score)| score.passed == Some(false));
    let failing: Vec<String> = failing
        .map(|(name, score)| {
            format!("{name} {}: {}", score.value.map_or_else(String::new, |v| format!("{v:.4}")), score.reason)
        })
        .collect();
    let (tag, said) = if errors.is_empty() { ("failure", failing) } else { ("error", errors) };
    let (first, all) = (escaped(said.first().map_or("", String::as_str)), escaped(&said.join("\n")));
    let _ = writeln!(out, "><{tag} message=\"{first}\">{all}</{tag}></testcase>");
}

/// What XML allows, with its signs written out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' | '\r' => out.push(' '),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
