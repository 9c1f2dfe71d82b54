//! One page that needs nothing else: no script from elsewhere, no font, no picture.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Report, figure};
use crate::suite::gate::GateOutcome;
use crate::suite::result::{Mark, Row, ScoreRow};
use crate::suite::summary::{Figures, Summary};

/// So many rows are shown; of more the failing ones come first.
const MOST_ROWS: usize = 2_000;
/// The parts of a case that are shown, in the order in which people read them.
const PARTS: [&str; 4] = ["input", "context", "reference", "output"];

/// The report as a page.
#[must_use]
pub fn html(report: &Report<'_>) -> String {
    let head = &report.run.header;
    let mut out = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    // Answers are others' words: whatever they hold, nothing of it runs or is fetched.
    out.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    );
    let _ = writeln!(out, "<title>{} · evaluation</title>\n<style>\n{}</style></head>", escaped(&head.suite), STYLE);
    let (answers, failed) = (report.run.rows.len(), report.failed());
    let verdict = report.verdict();
    let _ = writeln!(
        out,
        "<body><header><div><p class=\"over\">Signalbox evaluation</p><h1>{}</h1><p class=\"sub\">{} · {answers} answers · \
         {failed} failed</p></div><span class=\"verdict {verdict}\">{verdict}</span></header><main>",
        escaped(&head.suite),
        escaped(&head.started),
    );
    if !report.judged.gates.is_empty() {
        out.push_str("<section><h2>Gates</h2><ul class=\"gates\">");
        report.judged.gates.iter().for_each(|one| gate(&mut out, one));
        out.push_str("</ul></section>");
    }
    report.summaries.iter().for_each(|one| summary(&mut out, one));
    changes(&mut out, report);
    items(&mut out, report);
    out + "</main></body></html>\n"
}

fn gate(out: &mut String, gate: &GateOutcome) {
    let class = if gate.passed { "good" } else { "bad" };
    let place = match &gate.segment {
        Some(segment) => format!("{} · {segment}", gate.target),
        None => gate.target.clone(),
    };
    let p = gate.p_adjusted.map(|p| format!(" · p = {p:.4}")).unwrap_or_default();
    let _ = write!(
        out,
        "<li class=\"{class}\"><strong>{}</strong><span class=\"where\">{}</span><span>{}{p}</span>",
        escaped(&gate.gate),
        escaped(&place),
        escaped(&gate.found),
    );
    if let Some(warning) = &gate.warning {
        let _ = write!(out, "<em>{}</em>", escaped(warning));
    }
    out.push_str("</li>");
}

fn summary(out: &mut String, summary: &Summary) {
    let segment = summary.segment.as_ref().map(|(field, value)| format!(" · {field} = {value}")).unwrap_or_default();
    let cost = summary.cost_usd.map(|cost| format!(" · ${cost:.4}")).unwrap_or_default();
    let time = summary.latency_p50_ms.map(|ms| format!(" · {ms:.0} ms median")).unwrap_or_default();
    let _ = write!(
        out,
        "<section><h2>{}{}</h2><p class=\"sub\">{} answers{cost}{time}</p><div class=\"wide\"><table><thead><tr><th>metric</th>\
         <th>mean</th><th>95 % interval</th><th>p10</th><th>median</th><th>passed</th><th>errors</th></tr></thead><tbody>",
        escaped(&summary.target),
        escaped(&segment),
        summary.answers,
    );
    summary.metrics.iter().for_each(|one| metric(out, one));
    out.push_str("</tbody></table></div></section>");
}

fn metric(out: &mut String, one: &Figures) {
    let interval = one.interval.map_or_else(|| "–".to_owned(), |one| format!("{:.4} – {:.4}", one.low, one.high));
    let passed = one.pass_rate.map_or_else(
        || "–".to_owned(),
        |rate| {
            let width = rate * 100.0;
            format!("<span class=\"bar\"><i style=\"width:{width:.1}%\"></i></span>{width:.1} %")
        },
    );
    let errors = if one.errors > 0 { " class=\"bad\"" } else { "" };
    let (mean, p10, p50) = (figure(one.mean), figure(one.p10), figure(one.p50));
    let _ = write!(
        out,
        "<tr><th>{}</th><td>{mean}</td><td>{interval}</td><td>{p10}</td><td>{p50}</td><td>{passed}</td><td{errors}>{}</td></tr>",
        escaped(&one.metric),
        one.errors,
    );
}

fn changes(out: &mut String, report: &Report<'_>) {
    if report.changes.is_empty() {
        return;
    }
    out.push_str(
        "<section><h2>Beside the baseline</h2><div class=\"wide\"><table><thead><tr><th>metric</th><th>target</th><th>before</th>\
         <th>after</th><th>difference</th><th>better / same / worse</th><th>p</th><th></th></tr></thead><tbody>",
    );
    for change in &report.changes {
        let found = &change.comparison;
        let interval = found.interval.map(|one| format!(" [{:+.4}, {:+.4}]", one.low, one.high)).unwrap_or_default();
        let class = match change.verdict() {
            "better" => "good",
            "worse" => "bad",
            _ => "",
        };
        let _ = write!(
            out,
            "<tr><th>{}</th><td class=\"word\">{}</td><td>{:.4}</td><td>{:.4}</td><td>{:+.4}{interval}</td><td>{} / {} / {}</td><td>{:.4}</td>\
             <td class=\"{class}\">{}</td></tr>",
            escaped(&change.metric),
            escaped(&change.target),
            found.before,
            found.after,
            found.difference,
            found.wins,
            found.ties,
            found.losses,
            change.p_adjusted,
            change.verdict(),
        );
    }
    out.push_str("</tbody></table></div></section>");
}

fn items(out: &mut String, report: &Report<'_>) {
    let mut rows: Vec<&Row> = report.run.rows.iter().collect();
    let rank = |row: &Row| match (row.failed(), row.scores.values().any(|score| score.passed == Some(false))) {
        (true, _) => 0,
        (_, true) => 1,
        _ => 2,
    };
    rows.sort_by_key(|row| rank(row));
    out.push_str("<section><h2>Items</h2><p class=\"sub\">What failed comes first.");
    if rows.len() > MOST_ROWS {
        let _ = write!(out, " {MOST_ROWS} of {} are shown; the result file has all.", rows.len());
    }
    out.push_str("</p>");
    for row in rows.into_iter().take(MOST_ROWS) {
        let class = ["error", "bad", "good"][rank(row)];
        let _ = write!(
            out,
            "<details><summary><b class=\"dot {class}\"></b><span class=\"id\">{}</span>",
            escaped(&row.id)
        );
        let _ = write!(out, "<span class=\"where\">{}</span><span class=\"chips\">", escaped(&row.target));
        row.scores.iter().for_each(|(name, score)| chip(out, name, score));
        out.push_str("</span></summary><div class=\"item\">");
        if let Some(error) = &row.error {
            let _ = write!(out, "<p class=\"error\">{}</p>", escaped(error));
        }
        for part in PARTS {
            let value = if part == "output" { Some(&row.output) } else { row.item.get(part) };
            if let Some(value) = value.filter(|value| !value.is_null()) {
                let marks: Vec<&Mark> =
                    row.scores.values().flat_map(|score| &score.evidence).filter(|mark| mark.input == part).collect();
                let _ = write!(out, "<h3>{part}</h3><pre>{}</pre>", marked(value, &marks));
            }
        }
        out.push_str("<dl>");
        for (name, score) in &row.scores {
            let said = score.error.as_deref().unwrap_or(&score.reason);
            let class = if score.error.is_some() { " class=\"error\"" } else { "" };
            let _ = write!(out, "<dt>{}</dt><dd{class}>{}</dd>", escaped(name), escaped(said));
        }
        out.push_str("</dl></div></details>");
    }
    out.push_str("</section>");
}

fn chip(out: &mut String, name: &str, score: &ScoreRow) {
    let class = match (&score.error, score.passed) {
        (Some(_), _) => "error",
        (_, Some(true)) => "good",
        (_, Some(false)) => "bad",
        _ => "",
    };
    let said = match (score.value, &score.label, &score.error) {
        (_, _, Some(_)) => "error".to_owned(),
        (Some(value), ..) => format!("{value:.3}"),
        (None, Some(label), _) => label.clone(),
        _ => "–".to_owned(),
    };
    let _ = write!(out, "<span class=\"chip {class}\">{} {}</span>", escaped(name), escaped(&said));
}

/// A text with the places that decided. What is no text has no places.
fn marked(value: &Value, marks: &[&Mark]) -> String {
    let Value::String(text) = value else {
        return escaped(&serde_json::to_string_pretty(value).unwrap_or_default());
    };
    let mut marks = marks.to_vec();
    marks.sort_by_key(|mark| (mark.start, mark.end));
    let (mut out, mut at) = (String::new(), 0);
    for mark in marks {
        let start = mark.start.max(at);
        // Places of another text, or between characters, mark nothing.
        let (Some(before), Some(inside)) = (text.get(at..start), text.get(start..mark.end)) else { continue };
        if inside.is_empty() {
            continue;
        }
        let _ = write!(out, "{}<mark title=\"{}\">{}</mark>", escaped(before), escaped(&mark.note), escaped(inside));
        at = mark.end;
    }
    out + &escaped(text.get(at..).unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

const STYLE: &str = include_str!("page.css");
