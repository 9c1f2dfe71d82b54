//! Guardrails: what is in force, and what it says of a text.

mod ask;
pub(crate) mod feedback;
pub(crate) mod policies;
#[cfg(test)]
mod tests;

use std::time::Instant;

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use signalbox_guard::registry::{self, Entry};
use signalbox_guard::{Check, ExceptionConfig, Facts, Guard, GuardConfig, Lap, PolicyConfig, ToolCall, Vocabulary};
use signalbox_types::{Finding, Place, Severity, Verdict};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

use self::ask::{Asked, GuardAsk, What};
use self::policies::OwnPolicies;

/// What is in force, and what there is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Guardrails {
    /// The policies of the configuration, in its order.
    policies: Vec<PolicyConfig>,
    /// What the configuration says is no finding after all.
    exceptions: Vec<ExceptionConfig>,
    /// What this project has added.
    own: OwnPolicies,
    /// The exceptions whose last day is over, of both: `exceptions[0]`, `own.exceptions[1]`.
    expired: Vec<String>,
    /// Those that policies with the scanner `remote` may ask, by name.
    services: Vec<String>,
    /// Every scanner that a policy may name.
    scanners: Vec<ScannerAbout>,
}

/// A scanner.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ScannerAbout {
    /// Its name in policies and findings.
    #[schema(example = "secrets")]
    name: &'static str,
    /// What it is for.
    summary: &'static str,
    /// What it catches, in Markdown.
    catches: &'static str,
    /// What it can't catch, in Markdown.
    misses: &'static str,
    /// Its rules.
    rules: Vec<RuleAbout>,
    /// It describes a text, and is no alarm: ask it where its answer is wanted.
    describes: bool,
    /// The JSON schema of the `options` that a policy must give it; absent if it takes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    options: Option<Value>,
}

/// One kind of thing that a scanner finds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RuleAbout {
    /// Its name in policies and findings.
    name: &'static str,
    /// How bad it is.
    severity: Severity,
    /// What it means and what to do.
    message: &'static str,
}

/// What the guardrails say of the texts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "verdict": "redact",
    "us": 4.1,
    "texts": [{
        "field": "output", "place": "output", "verdict": "redact", "text": "The key is [REDACTED:aws_access_key].",
        "findings": [{
            "scanner": "secrets", "rule": "aws_access_key", "severity": "high", "confidence": 0.9, "place": "output",
            "start": 11, "end": 31, "action": "redact", "message": "An AWS access key; revoke it."
        }],
        "scanners": [{"scanner": "secrets", "score": 0.9, "us": 3.2}]
    }]
}))]
pub(crate) struct GuardAnswer {
    /// The strongest of all texts.
    verdict: Verdict,
    /// Microseconds that all of it took.
    us: f64,
    /// Each text, in the order of the request.
    texts: Vec<JudgedText>,
}

/// What the guardrails say of one text.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct JudgedText {
    /// Which text of the request it is: `input`, `texts[2]`, `messages[0].content`.
    field: String,
    /// The policies of which place were asked.
    place: Place,
    /// What would become of it.
    verdict: Verdict,
    /// What was found, by position. Offsets are in bytes of UTF-8.
    findings: Vec<Finding>,
    /// The text with its redactions, or the reply in its place; absent where neither is, and where it is blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// How sure each scanner is, and how long it took.
    scanners: Vec<ScannerScore>,
}

/// What one scanner did with a text.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ScannerScore {
    /// Its name.
    scanner: &'static str,
    /// How much the text looks like what it is for, from 0 to 1, also where that is too little for a finding.
    score: f32,
    /// Microseconds that it took, with the wait for a service that it asks. What several scanners share counts for the first of
    /// them.
    us: f64,
}

/// Show the guardrails.
///
/// The policies of the configuration, those that this project has added, and every scanner with its rules and options.
#[utoipa::path(get, path = "/api/v1/guard", operation_id = "show_guardrails", tag = "Guardrails",
    responses((status = 200, description = "Policies and scanners.", body = Guardrails)))]
pub(crate) async fn show(caller: Caller, State(app): State<App>) -> Result<Json<Guardrails>, ApiError> {
    let GuardConfig { policies, exceptions, services } = (app.base_guard)().config().clone();
    let services = services.into_iter().map(|service| service.name).collect();
    let own = policies::own(&app, &caller).await?;
    let now = app.clock.now().as_secs();
    let over = |field: &str, exceptions: &[ExceptionConfig]| -> Vec<String> {
        let all = exceptions.iter().enumerate().filter(|(_, exception)| exception.is_over(now));
        all.map(|(index, _)| format!("{field}[{index}]")).collect()
    };
    let expired = [over("exceptions", &exceptions), over("own.exceptions", &own.exceptions)].concat();
    let scanners = registry::entries().into_iter().map(about).collect();
    Ok(Json(Guardrails { policies, exceptions, own, expired, services, scanners }))
}

fn about(entry: Entry) -> ScannerAbout {
    let about = entry.about();
    let rules =
        about.rules.iter().map(|rule| RuleAbout { name: rule.name, severity: rule.severity, message: rule.message });
    ScannerAbout {
        name: about.name,
        summary: about.summary,
        catches: about.catches,
        misses: about.misses,
        rules: rules.collect(),
        describes: matches!(entry, Entry::Ready(scanner) if scanner.describes()),
        options: match entry {
            Entry::Ready(_) => None,
            Entry::Made(maker) => Some(maker.schema().to_value()),
        },
    }
}

/// Check texts.
///
/// What the policies in force would do about these texts, or what given scanners or policies would: an application guards with it
/// what doesn't pass through the gateway, and anybody tries out a policy before it is in force. Nothing is stored or sent on.
/// Findings say where, never what.
#[utoipa::path(post, path = "/api/v1/guard", operation_id = "check_texts", tag = "Guardrails", request_body = GuardAsk,
    responses((status = 200, description = "Verdict and findings of each text.", body = GuardAnswer)))]
pub(crate) async fn check(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(ask): Json<GuardAsk>,
) -> Result<Json<GuardAnswer>, ApiError> {
    let mut asked = ask.read()?;
    let guard = match &asked.policies {
        None => (app.guard)(&caller.project),
        Some((field, policies)) => {
            Guard::compile(&(app.base_guard)().config().bare().with(&GuardConfig::of(policies.clone())))
                .map_err(|error| ApiError::invalid(ask::field(field, &error.path), error.problem))?
        }
    };
    let (key, project, now) = (caller.key_name, caller.project.to_string(), app.clock.now().as_secs());
    asked.facts = Facts { key, project, now, ..asked.facts };
    let guard = guard.within(&asked.context());
    let began = Instant::now();
    let guard = match Place::ALL.iter().any(|place| guard.asks(*place)) {
        true => (app.answered)(guard, asked.whole_texts()).await,
        false => guard,
    };
    // Long texts take milliseconds: beside the runtime, so that nobody's stream waits for them.
    let judged = tokio::task::spawn_blocking(move || judge(&guard, asked, began));
    judged.await.map(Json).map_err(|error| ApiError::internal(&error))
}

fn judge(guard: &Guard, asked: Asked, began: Instant) -> GuardAnswer {
    let clock = || began.elapsed().as_secs_f64() * 1e6;
    let mut vocabulary = Vocabulary::default();
    let texts: Vec<JudgedText> = asked
        .texts
        .into_iter()
        .map(|one| match one.what {
            What::Text(text) => {
                let (check, laps) = guard.measure(one.place, &text, &mut vocabulary, &clock);
                judged(one.field, one.place, check, &laps)
            }
            What::Call { name, arguments } => {
                let check = guard.check_call(one.place, &ToolCall { name: &name, arguments: &arguments });
                judged(one.field, one.place, check, &[])
            }
        })
        .collect();
    let verdict = texts.iter().map(|text| text.verdict).max().unwrap_or(Verdict::Allow);
    GuardAnswer { verdict, us: tenths(clock()), texts }
}

fn judged(field: String, place: Place, check: Check, laps: &[Lap]) -> JudgedText {
    let scanners = laps.iter().map(|lap| ScannerScore { scanner: lap.scanner, score: lap.score, us: tenths(lap.us) });
    JudgedText {
        field,
        place,
        verdict: check.verdict,
        findings: check.findings,
        text: check.redacted.or_else(|| check.reply.map(|reply| reply.to_string())),
        scanners: scanners.collect(),
    }
}

/// No clock tells more.
fn tenths(us: f64) -> f64 {
    (us * 10.0).round() / 10.0
}
