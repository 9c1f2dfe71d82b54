//! Markdown, for a comment at a pull request.

use std::fmt::Write as _;

use super::{Report, figure};
use crate::suite::summary::Figures;

/// The report as Markdown.
#[must_use]
pub fn markdown(report: &Report<'_>) -> String {
    let mut out = String::new();
    let (sign, word) = match report.verdict() {
        "passed" => ("✅", "passed"),
        "failed" => ("❌", "failed"),
        _ => ("⚠️", "couldn't be measured well enough"),
    };
    let _ = writeln!(out, "## {sign} Evaluation `{}` {word}\n", code(&report.run.header.suite));
    let (answers, failed) = (report.run.rows.len(), report.failed());
    let _ = writeln!(out, "{answers} answers, {failed} failed (at most {} may).\n", report.max_errors);
    if !report.judged.gates.is_empty() {
        out.push_str("| gate | target | items | found | |\n|---|---|---|---|---|\n");
        for gate in &report.judged.gates {
            let sign = if gate.passed { "✅" } else { "❌" };
            let p = gate.p_adjusted.map(|p| format!(", p = {p:.4}")).unwrap_or_default();
            let warning = gate.warning.as_ref().map(|warning| format!("<br>⚠️ {}", cell(warning))).unwrap_or_default();
            let segment = gate.segment.as_deref().unwrap_or("all");
            let (title, target, found) = (cell(&gate.gate), cell(&gate.target), cell(&gate.found));
            let _ = writeln!(out, "| {title} | {target} | {} | {found}{p}{warning} | {sign} |", cell(segment));
        }
        out.push('\n');
    }
    for summary in &report.summaries {
        let title = match &summary.segment {
            None => cell(&summary.target),
            Some((field, value)) => format!("{}, {} = {}", cell(&summary.target), cell(field), cell(value)),
        };
        let cost = summary.cost_usd.map(|cost| format!(", ${cost:.4}")).unwrap_or_default();
        let _ = writeln!(out, "### {title} ({} answers{cost})\n", summary.answers);
        out.push_str("| metric | mean | 95 % interval | p10 | passed | errors |\n|---|---|---|---|---|---|\n");
        summary.metrics.iter().for_each(|figures| line(&mut out, figures));
        out.push('\n');
    }
    if !report.changes.is_empty() {
        out.push_str("### Beside the baseline\n\n| metric | target | before | after | difference | better / same / worse | p | |\n");
        out.push_str("|---|---|---|---|---|---|---|---|\n");
        for change in &report.changes {
            let found = &change.comparison;
            let interval =
                found.interval.map(|one| format!(" [{:+.4}, {:+.4}]", one.low, one.high)).unwrap_or_default();
            let _ = writeln!(
                out,
                "| {} | {} | {:.4} | {:.4} | {:+.4}{interval} | {} / {} / {} | {:.4} | {} |",
                cell(&change.metric),
                cell(&change.target),
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
    }
    out
}

fn line(out: &mut String, figures: &Figures) {
    let interval = figures.interval.map_or_else(|| "–".to_owned(), |one| format!("{:.4} to {:.4}", one.low, one.high));
    let passed = figures.pass_rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
    let (metric, mean, p10) = (cell(&figures.metric), figure(figures.mean), figure(figures.p10));
    let _ = writeln!(out, "| {metric} | {mean} | {interval} | {p10} | {passed} | {} |", figures.errors);
}

/// A text that stays within its cell and is no markup.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn code(text: &str) -> String {
    text.replace(['`', '\n', '\r'], " ")
}
