//! Metrics in the format that whoever scrapes them takes.

use std::borrow::Cow;
use std::collections::HashMap;

use axum::http::{HeaderMap, header};

pub(super) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
pub(super) const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whether to answer in OpenMetrics: only to those who name it and want it at least as much as plain text.
pub(super) fn wants_openmetrics(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut weights: HashMap<String, f32> = HashMap::new();
    for range in accepted.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
        let best = weights.entry(kind).or_insert(weight);
        *best = best.max(weight);
    }
    let weight = |kind| weights.get(kind).copied().unwrap_or(0.0);
    weight("application/openmetrics-text") > 0.0 && weight("application/openmetrics-text") >= weight("text/plain")
}

/// OpenMetrics as Prometheus' text format 0.0.4: there a counter's family is called like its samples, units are in the
/// names only, and nothing marks the end.
pub(super) fn prometheus(openmetrics: &str) -> String {
    let mut kinds: HashMap<&str, &str> = HashMap::new();
    for line in openmetrics.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            kinds.insert(name, kind.trim());
        }
    }
    let family = |name: &str| match kinds.get(name) {
        Some(&"counter") => format!("{name}_total"),
        Some(&"info") => format!("{name}_info"),
        _ => name.to_owned(),
    };
    let mut help: HashMap<&str, &str> = HashMap::new();
    let mut out = String::with_capacity(openmetrics.len());
    for line in openmetrics.lines() {
        let line: Cow<'_, str> = if let Some(rest) = line.strip_prefix("# HELP ") {
            // OpenMetrics wants it after the type as well as before; one home is enough.
            if let Some((name, text)) = rest.split_once(' ') {
                help.insert(name, text);
            }
            continue;
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let kind = match kind.trim() {
                "info" | "stateset" | "gaugehistogram" => "gauge",
                "unknown" => "untyped",
                kind => kind,
            };
            let name_there = family(name);
            let text = help.get(name).copied().unwrap_or("No description").replace("\\\"", "\"");
            format!("# HELP {name_there} {text}\n# TYPE {name_there} {kind}").into()
        } else if line.starts_with('#') || line.is_empty() {
            continue;
        } else {
            // An exemplar stands behind the value, which stands behind the labels; both may hold such a mark.
            let value = line.find(" # {").filter(|at| line.get(..*at).is_some_and(|sample| !in_labels(sample)));
            value.and_then(|at| line.get(..at)).unwrap_or(line).into()
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// Whether a line that is cut here is cut within its labels.
fn in_labels(line: &str) -> bool {
    line.contains('{') && !line.contains("} ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gets_which_format() {
        let check = |accept: &str, expected: bool| {
            let mut headers = HeaderMap::new();
            if !accept.is_empty() {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(wants_openmetrics(&headers), expected, "{accept}");
        };
        check("", false);
        check("*/*", false);
        check("text/plain", false);
        check("application/openmetrics-text", true);
        check("application/openmetrics-text; version=1.0.0; q=0", false);
        check("text/plain; q=0.9, application/openmetrics-text; q=0.5", false);
        // What Prometheus sends.
        check(
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            true,
        );
    }

    #[test]
    fn openmetrics_in_the_older_words() {
        let openmetrics = "\
# HELP calls Calls \\\"in\\\".
# TYPE calls counter
# UNIT calls things
calls_total{a=\"x # y\"} 3
# HELP depth Depth.
# TYPE depth gauge
depth 1
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{le=\"+Inf\"} 1 # {trace=\"1\"} 0.5
took_seconds_sum 0.5
took_seconds_count 1
# EOF
";
        let expected = "\
# HELP calls_total Calls \"in\".
# TYPE calls_total counter
calls_total{a=\"x # y\"} 3
# HELP depth Depth.
# TYPE depth gauge
depth 1
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{le=\"+Inf\"} 1
took_seconds_sum 0.5
took_seconds_count 1
";
        assert_eq!(prometheus(openmetrics), expected);
    }
}
