//! What a terminal shows of a run.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use signalbox_evals::stats::Interval;
use signalbox_evals::suite::report::{Change, Report};

fn table(heads: &[&str], words: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(heads.to_vec());
    for column in table.column_iter_mut().skip(words) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

/// The whole report.
pub(super) fn told(report: &Report<'_>) -> String {
    let mut text = String::new();
    for summary in &report.summaries {
        let segment = summary.segment.as_ref().map(|(field, value)| format!(", {field} = {value}")).unwrap_or_default();
        let cost = summary.cost_usd.map(|cost| format!(", ${cost:.4}")).unwrap_or_default();
        let time = match (summary.latency_p50_ms, summary.latency_p95_ms) {
            (Some(p50), Some(p95)) => format!(", p50 {p50:.0} ms, p95 {p95:.0} ms"),
            _ => String::new(),
        };
        let (answers, failed) = (summary.answers, summary.failed);
        let _ = writeln!(text, "{}{segment}: {answers} answers, {failed} failed{cost}{time}", summary.target);
        let mut table = table(&["metric", "mean", "95 % interval", "p10", "median", "passed", "errors"], 1);
        for one in &summary.metrics {
            let interval =
                one.interval.map_or_else(|| "–".to_owned(), |Interval { low, high }| format!("{low:.4} to {high:.4}"));
            let passed = one.pass_rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
            let name = one.metric.clone();
            let errors = one.errors.to_string();
            table.add_row(vec![name, figure(one.mean), interval, figure(one.p10), figure(one.p50), passed, errors]);
        }
        let _ = writeln!(text, "{table}\n");
    }
    if !report.changes.is_empty() {
        let _ = writeln!(text, "Beside the baseline\n{}\n", changes(&report.changes));
    }
    for gate in &report.judged.gates {
        let (sign, target) = (if gate.passed { "pass" } else { "FAIL" }, &gate.target);
        let segment = gate.segment.as_ref().map(|segment| format!(" [{segment}]")).unwrap_or_default();
        let p = gate.p_adjusted.map(|p| format!(", p = {p:.4}")).unwrap_or_default();
        let least = gate.comparison.as_ref().and_then(|found| found.detectable);
        let least = least.map(|least| format!(", detectable with 80 % power: {least:.4}")).unwrap_or_default();
        let _ = writeln!(text, "{sign}  {target}{segment}: {}: {}{p}{least}", gate.gate, gate.found);
        if let Some(warning) = &gate.warning {
            let _ = writeln!(text, "      warning: {warning}");
        }
    }
    text
}

/// Two runs side by side.
pub(super) fn changes(all: &[Change]) -> String {
    let heads = ["metric", "target", "before", "after", "difference", "better/same/worse", "p", "detectable", ""];
    let mut table = table(&heads, 2);
    for change in all {
        let found = &change.comparison;
        let interval = found.interval.map(|one| format!(" [{:+.4}, {:+.4}]", one.low, one.high)).unwrap_or_default();
        table.add_row(vec![
            change.metric.clone(),
            change.target.clone(),
            format!("{:.4}", found.before),
            format!("{:.4}", found.after),
            format!("{:+.4}{interval}", found.difference),
            format!("{}/{}/{}", found.wins, found.ties, found.losses),
            format!("{:.4}", change.p_adjusted),
            figure(found.detectable),
            change.verdict().to_owned(),
        ]);
    }
    table.to_string()
}
