//! `model_list`: which targets stand behind which name.

use serde_json::{Map, Value};

use super::Report;
use super::providers::Providers;

/// A target of ours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) weight: Option<f64>,
    pub(super) max_concurrency: Option<u64>,
}

/// A name that callers use, and who answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) targets: Vec<Target>,
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
];

pub(super) fn groups(models: &[Value], providers: &mut Providers, report: &mut Report) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
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
            let all = "names with `*` need no route: callers write `provider/model`";
            report.left_out(&place, &said.err().unwrap_or_else(|| all.to_owned()));
            continue;
        }
        match providers.of(model, params) {
            Ok((provider, model)) => {
                let target = Target {
                    provider,
                    model,
                    weight: params.get("weight").and_then(Value::as_f64),
                    max_concurrency: params.get("max_parallel_requests").and_then(Value::as_u64),
                };
                match groups.iter_mut().find(|group| group.name == name) {
                    Some(group) => group.targets.push(target),
                    None => groups.push(Group { name: name.to_owned(), targets: vec![target] }),
                }
                others(&place, entry, params, report);
            }
            Err(why) => report.left_out(&format!("{place} (`{name}`)"), &why),
        }
    }
    groups
}

/// What else is said of a model.
fn others(place: &str, entry: &Value, params: &Map<String, Value>, report: &mut Report) {
    for name in params.keys().filter(|name| !READ.contains(&name.as_str())) {
        let why = match name.as_str() {
            "rpm" | "tpm" => "limits by minute are not there yet",
            "input_cost_per_token" | "output_cost_per_token" => "write it under `prices`",
            "timeout" | "stream_timeout" => "`timeouts` of the route or of the provider bound calls",
            _ => "it has no counterpart: callers send it",
        };
        report.left_out(&format!("{place}.litellm_params.{name}"), why);
    }
    if entry.get("model_info").is_some() {
        report.note("`model_info` was not needed: prices, modes and context lengths are known or come with the call");
    }
}
