//! `model_list`: which targets stand behind which name.

use serde_json::{Map, Value};

use signalbox_prices::ModelPrice;

use super::providers::{Provider, Providers};
use super::{Report, info};

/// A target of ours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) weight: Option<f64>,
    pub(super) max_concurrency: Option<u64>,
    pub(super) context_tokens: Option<u64>,
    pub(super) lacks: Vec<&'static str>,
}

/// A name that callers use, and who answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) targets: Vec<Target>,
    /// How often one of them is asked again, where a model says so.
    pub(super) retries: Option<u64>,
}

/// What of `litellm_params` is read.
const READ: &[&str] = &[
    "model",
    "api_key",
    "api_base",
    "base_url",
    "weight",
    "max_parallel_requests",
    "api_version",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_region_name",
    "aws_bedrock_runtime_endpoint",
    "vertex_project",
    "vertex_location",
    "extra_headers",
    "organization",
    "num_retries",
    "max_retries",
];

/// The groups, and what models cost that are said to cost something.
pub(super) fn groups(
    models: &[Value],
    providers: &mut Providers,
    report: &mut Report,
) -> (Vec<Group>, Vec<ModelPrice>) {
    let mut groups: Vec<Group> = Vec::new();
    let mut prices = Vec::new();
    for (i, entry) in models.iter().enumerate() {
        let place = format!("model_list[{i}]");
        let empty = Map::new();
        let params = entry.get("litellm_params").and_then(Value::as_object).unwrap_or(&empty);
        let (Some(name), Some(model)) =
            (entry.get("model_name").and_then(Value::as_str), params.get("model").and_then(Value::as_str))
        else {
            report.left_out(&place, "it has no `model_name` or no `litellm_params.model`");
            continue;
        };
        if name.contains('*') {
            let said = providers.of(&model.replace('*', "any"), params);
            let write = |(provider, _): (String, String)| {
                format!("names with `*` need no route: callers write `{provider}/model`")
            };
            report.left_out(&place, &said.map_or_else(|why| why, write));
            continue;
        }
        match providers.of(model, params) {
            Ok((provider, model)) => {
                let mut target = Target {
                    provider,
                    model,
                    context_tokens: None,
                    lacks: Vec::new(),
                    weight: params.get("weight").and_then(Value::as_f64),
                    max_concurrency: params.get("max_parallel_requests").and_then(Value::as_u64),
                };
                let row = providers.find(&target.provider).and_then(Provider::row);
                let otel_name = row.map_or_else(|| target.provider.clone(), |row| row.otel_name.clone());
                info::read(&place, entry, &mut target, &otel_name, &mut prices, report);
                let retries = retries(&place, params, report);
                match groups.iter_mut().find(|group| group.name == name) {
                    Some(group) => {
                        group.targets.push(target);
                        group.retries = group.retries.max(retries);
                    }
                    None => groups.push(Group { name: name.to_owned(), targets: vec![target], retries }),
                }
                others(&place, params, report);
            }
            Err(why) => report.left_out(&format!("{place} (`{name}`)"), &why),
        }
    }
    (groups, prices)
}

/// How often a model is asked again; the route that it is a target of says so for all of its own.
fn retries(place: &str, params: &Map<String, Value>, report: &mut Report) -> Option<u64> {
    let said = ["num_retries", "max_retries"].into_iter().filter_map(|name| params.get(name)?.as_u64()).max()?;
    report.note(format!("{place}: its retries became `retry.attempts` of the route, the most of its models'"));
    Some(said)
}

/// What else is said of a model.
fn others(place: &str, params: &Map<String, Value>, report: &mut Report) {
    for name in params.keys().filter(|name| !READ.contains(&name.as_str()) && !info::is_price(name)) {
        let why = match name.as_str() {
            "rpm" | "tpm" => "limits by minute are not there yet",
            "timeout" | "stream_timeout" => "`timeouts` of the route or of the provider bound calls",
            "vertex_credentials" => {
                "`auth: {gcp: {credentials_file: …}}` of the provider names the file, `credentials: \"${NAME}\"` a variable with its text"
            }
            "tags" => "`when` of a target says which calls it takes, e.g. `'free' in tags`",
            "guardrails" => "policies of `guard.policies` with `when: \"route == '…'\"` hold for one route",
            "max_tokens" | "max_completion_tokens" | "temperature" | "top_p" | "seed" | "stop" => {
                "it has no counterpart: callers send it"
            }
            _ => "it has no counterpart",
        };
        report.left_out(&format!("{place}.litellm_params.{name}"), why);
    }
}
