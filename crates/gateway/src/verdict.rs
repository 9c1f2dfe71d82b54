//! What follows from a scanner's findings, for whole texts: what may stay of them, and what the
//! caller is told.

use signalbox_guard::Check;
use signalbox_types::{Action, ErrorClass, Finding, Message, Role, Verdict};
use signalbox_wire::FinishReason;

use crate::call::CallError;

/// The text without what a policy redacts or blocks; `None` if all of it may stay.
pub(crate) fn clean(text: &str, check: &Check) -> Option<String> {
    match check.verdict {
        Verdict::Allow | Verdict::Flag => None,
        Verdict::Redact => check.redacted.clone(),
        // The guard makes no redacted text of what goes nowhere. But it is recorded.
        Verdict::Block => Some(mask(text, &check.findings)),
    }
}

fn mask(text: &str, findings: &[Finding]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for finding in findings.iter().filter(|finding| finding.action > Action::Flag) {
        if finding.end <= done {
            continue;
        }
        out.push_str(text.get(done..finding.start).unwrap_or_default());
        out.push_str(if finding.action >= Action::Rewrite { "[BLOCKED:" } else { "[REDACTED:" });
        out.push_str(&finding.rule);
        out.push(']');
        done = finding.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// Says which rule it was, and in which field of the request, if it was one; never what it found.
pub(crate) fn refusal(findings: &[Finding], field: Option<String>, advice: &str) -> CallError {
    let mut what =
        findings.iter().find(|finding| finding.action >= Action::Rewrite).map_or_else(String::new, |finding| {
            format!(
                ": scanner `{}`, rule `{}` ({})",
                finding.scanner,
                finding.rule,
                finding.message.trim_end_matches('.')
            )
        });
    if let Some(field) = &field {
        what += &format!(" in `{field}`");
    }
    let is_failure = |finding: &&Finding| finding.action >= Action::Rewrite;
    let failed = findings.iter().find(is_failure).is_some_and(signalbox_guard::is_unchecked);
    // Nothing is known against the text.
    let advice = if failed { "try again in a moment" } else { advice };
    let mut error = CallError::caller(ErrorClass::GuardrailBlocked, format!("blocked by a guardrail{what}; {advice}"));
    error.detail.param = field;
    error
}

/// What an assistant says who has nothing to add.
pub(crate) fn said(text: &str) -> Message {
    let reason = FinishReason::Stop.as_str().to_owned();
    Message { finish_reason: Some(reason), ..Message::text(Role::Assistant, text) }
}

#[cfg(test)]
mod tests {
    use signalbox_types::{Place, Severity};

    use super::*;

    #[test]
    fn what_is_blocked_is_masked() {
        let finding = |start, end, action, rule: &str| Finding {
            scanner: "secrets".into(),
            rule: rule.into(),
            severity: Severity::High,
            confidence: 1.0,
            place: Place::Input,
            start,
            end,
            action,
            message: "A key.".into(),
        };
        let findings = [
            finding(0, 2, Action::Flag, "flagged"),
            finding(3, 5, Action::Block, "key"),
            finding(4, 6, Action::Redact, "inner"),
            finding(8, 9, Action::Redact, "last"),
        ];
        assert_eq!(mask("ab cdef gh", &findings), "ab [BLOCKED:key][REDACTED:inner]f [REDACTED:last]h");
        let error = refusal(&findings, Some("prompt".to_owned()), "send another one");
        assert_eq!(
            error.detail.message,
            "blocked by a guardrail: scanner `secrets`, rule `key` (A key) in `prompt`; send another one"
        );
        assert_eq!(error.detail.param.as_deref(), Some("prompt"));
    }
}
