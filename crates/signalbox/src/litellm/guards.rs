//! `guardrails`: which scanner of ours does about the same.

use serde_json::Value;

use super::Report;

/// Words in the names of LiteLLM's guardrails, and what to write in place of them.
const SCANNERS: &[(&str, &str)] = &[
    ("presidio", "the scanner `pii` finds personal data (`action: tokenise` or `redact`)"),
    ("pii", "the scanner `pii` finds personal data (`action: tokenise` or `redact`)"),
    ("secret", "the scanner `secrets` finds keys and passwords"),
    ("lakera", "the scanners `prompt_injection` and `jailbreak` find attacks"),
    ("injection", "the scanners `prompt_injection` and `jailbreak` find attacks"),
    ("moderation", "the scanners `harmful_request` and `toxicity` find harm"),
    ("tool_permission", "the scanner `tool_policy` looks at calls of tools"),
    ("content_filter", "the scanners `words` and `topics` find what isn't to be spoken of"),
];

/// Says for each what there is.
pub(super) fn tell(section: &Value, report: &mut Report) {
    for (i, guardrail) in section.as_array().into_iter().flatten().enumerate() {
        let params = guardrail.get("litellm_params");
        let kind = params.and_then(|params| params.get("guardrail")).and_then(Value::as_str);
        let name = kind.or_else(|| guardrail.get("guardrail_name")?.as_str()).unwrap_or("it");
        let lower = name.to_ascii_lowercase();
        let known = SCANNERS.iter().find(|(word, _)| lower.contains(word));
        let what = known.map_or("the scanner `remote` asks a service over HTTP (`guard.services`)", |(_, what)| what);
        let why = format!("`{name}` is a policy here: {what}; write it under `guard.policies`, see docs/guardrails.md");
        report.left_out(&format!("guardrails[{i}]"), &why);
    }
}
