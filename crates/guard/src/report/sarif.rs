//! SARIF 2.1.0, which code hosts and editors read.

use serde_json::{Value, json};
use signalbox_types::Severity;

use super::{Scanned, message, place};
use crate::registry;

/// A SARIF log of texts by name. Spans must be in bytes.
#[must_use]
pub fn sarif(scanned: &[(String, String, Scanned)]) -> Value {
    let results = scanned.iter().flat_map(|(name, text, scanned)| {
        scanned.spans.iter().map(move |span| {
            let (start_line, start_column) = place(text, span.start);
            let (end_line, end_column) = place(text, span.end);
            json!({
                "ruleId": format!("{}/{}", span.scanner, span.rule),
                "level": level(span.scanner, span.rule),
                "message": {"text": message(span)},
                "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": reference(name)},
                    "region": {"startLine": start_line, "startColumn": start_column, "endLine": end_line,
                        "endColumn": end_column, "byteOffset": span.start, "byteLength": span.end - span.start},
                }}],
                "properties": {"confidence": as_written(span.confidence)},
            })
        })
    });
    let rules = registry::ALL.iter().flat_map(|scanner| {
        let about = scanner.about();
        about.rules.iter().map(
            |rule| json!({"id": format!("{}/{}", about.name, rule.name), "shortDescription": {"text": rule.message}}),
        )
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "signalbox", "version": env!("CARGO_PKG_VERSION"), "rules": rules.collect::<Vec<_>>()}},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

/// A path as a relative reference (RFC 3986), without a colon, which would end a scheme.
fn reference(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn level(scanner: &str, rule: &str) -> &'static str {
    match registry::find(scanner).and_then(|scanner| scanner.about().rule(rule)).map(|rule| rule.severity) {
        Some(Severity::High | Severity::Critical) => "error",
        Some(Severity::Medium) => "warning",
        _ => "note",
    }
}

/// 0.95 as 0.95, not as the double that is nearest to its single.
fn as_written(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| number.into())
}
