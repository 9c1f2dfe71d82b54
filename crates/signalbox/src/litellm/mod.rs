//! LiteLLM's proxy configuration as `signalbox.yaml`: providers, routes, and a word on all that has no counterpart.

mod guards;
mod info;
mod models;
mod providers;
mod routes;
mod secrets;
#[cfg(test)]
mod tests;
mod write;

use serde_json::Value;

use self::providers::Providers;

/// A translated configuration.
#[derive(Debug)]
pub(crate) struct Translated {
    /// `signalbox.yaml`.
    pub(crate) yaml: String,
    /// What is there, in other words than expected.
    pub(crate) notes: Vec<String>,
    /// Settings that did not carry over: where they stand, and what to do instead.
    pub(crate) left_out: Vec<String>,
}

/// Translates `config.yaml`, read as JSON values.
///
/// # Errors
/// It has no `model_list`.
pub(crate) fn translate(config: &Value) -> anyhow::Result<Translated> {
    let Some(models) = config.get("model_list").and_then(Value::as_array) else {
        anyhow::bail!("it has no `model_list`; expected the configuration of LiteLLM's proxy, e.g. `config.yaml`");
    };
    let mut report = Report::default();
    let mut providers = Providers::default();
    let (groups, prices) = models::groups(models, &mut providers, &mut report);
    let routes = routes::routes(config, &groups, &mut report);
    secrets::hide(config, &mut providers, &mut report);
    rest(config, &mut report);
    let yaml = write::yaml(&providers, &routes, &prices);
    Ok(Translated { yaml, notes: report.notes, left_out: report.left_out })
}

/// What people should know of a translation.
#[derive(Debug, Default)]
struct Report {
    notes: Vec<String>,
    left_out: Vec<String>,
}

impl Report {
    fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn left_out(&mut self, place: &str, why: &str) {
        self.left_out.push(format!("{place}: {why}"));
    }
}

/// Sections in which nothing is translated but what [`routes`] reads.
const READ: &[(&str, &[&str])] = &[
    (
        "router_settings",
        &[
            "routing_strategy",
            "num_retries",
            "timeout",
            "fallbacks",
            "context_window_fallbacks",
            "model_group_alias",
            "allowed_fails",
            "cooldown_time",
            "enable_pre_call_checks",
        ],
    ),
    (
        "litellm_settings",
        &[
            "num_retries",
            "request_timeout",
            "fallbacks",
            "context_window_fallbacks",
            "default_fallbacks",
            "allowed_fails",
            "drop_params",
        ],
    ),
];

const CONTENT_POLICY: &str = "`fallback_on: [guardrail]` of a route asks the next target where a policy of `guard.policies` blocked an \
    answer; a provider's own refusal for its content is not told apart";

/// What has a counterpart elsewhere, and which.
const ELSEWHERE: &[(&str, &str)] = &[
    ("general_settings.master_key", "keys are made with SIGNALBOX_BOOTSTRAP_KEY and on the Keys page"),
    ("general_settings.database_url", "not needed: spans and keys are kept in the data folder"),
    ("general_settings.store_model_in_db", "not needed: models stand in this file"),
    ("litellm_settings.success_callback", "not needed: every call is recorded"),
    ("litellm_settings.failure_callback", "not needed: every call is recorded"),
    ("litellm_settings.callbacks", "calls are recorded and guarded here; other callbacks have no counterpart"),
    (
        "litellm_settings.turn_off_message_logging",
        "there is no such switch; `store.retention.bodies_days` bounds how long texts are kept",
    ),
    ("litellm_settings.content_policy_fallbacks", CONTENT_POLICY),
    ("litellm_settings.cache", "answers are not cached yet"),
    ("litellm_settings.cache_params", "answers are not cached yet"),
    ("router_settings.content_policy_fallbacks", CONTENT_POLICY),
    (
        "router_settings.retry_policy",
        "`retry` of a route says how often, and `fallback_on` after which failures another target is asked",
    ),
    ("router_settings.redis_host", "not needed: limits and health are kept in the process"),
    ("router_settings.redis_password", "not needed: limits and health are kept in the process"),
    ("router_settings.redis_port", "not needed: limits and health are kept in the process"),
    ("environment_variables", "set them where Signalbox runs"),
];

fn rest(config: &Value, report: &mut Report) {
    let Some(sections) = config.as_object() else { return };
    for (section, value) in sections.iter().filter(|(section, _)| *section != "model_list") {
        if section == "guardrails" {
            guards::tell(value, report);
            continue;
        }
        let read = READ.iter().find(|(name, _)| name == section).map_or(&[][..], |(_, read)| read);
        let Some(settings) = value.as_object().filter(|_| section != "environment_variables") else {
            leave(section, report);
            continue;
        };
        for name in settings.keys().filter(|name| !read.contains(&name.as_str())) {
            leave(&format!("{section}.{name}"), report);
        }
    }
}

fn leave(place: &str, report: &mut Report) {
    let elsewhere = ELSEWHERE.iter().find(|(known, _)| *known == place);
    report.left_out(place, elsewhere.map_or("it has no counterpart", |(_, why)| why));
}
