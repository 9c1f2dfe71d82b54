use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::config;
use crate::remote::Remote;

/// Monitors: what is watched
#[derive(Debug, clap::Args)]
pub(crate) struct Monitors {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Test(Test),
}

impl Monitors {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::Test(test) => test.run(),
        }
    }
}

/// Run monitors over what a running Signalbox has recorded, and print when each would have fired
///
/// The file is a configuration (its `watch.monitors` are tested), a list of monitors, or one monitor; YAML or JSON. Nothing is kept
/// and nobody is told.
///
/// Examples:
///   signalbox monitors test signalbox.yaml
///   signalbox monitors test --last 7d errors.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
struct Test {
    /// The file
    file: PathBuf,
    /// Only the monitor of this name
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Over which time, up to now
    #[arg(long, value_name = "DURATION", default_value = "30d")]
    last: String,
    /// Print what the API answers, one JSON object a monitor
    #[arg(long)]
    json: bool,
    /// End with status 1 if one would have fired
    #[arg(long)]
    fail: bool,
    /// The Signalbox to ask [default: http://127.0.0.1:7300]
    #[arg(long, env = "SIGNALBOX_URL")]
    url: Option<String>,
    /// A virtual key [default: SIGNALBOX_KEY]
    #[arg(long)]
    key: Option<String>,
}

impl Test {
    fn run(self) -> anyhow::Result<()> {
        let name = self.file.display().to_string();
        let text = std::fs::read_to_string(&self.file).with_context(|| format!("can't read `{name}`"))?;
        let monitors: Vec<Value> = monitors(config::yaml(&name, &text)?)
            .with_context(|| {
                format!("`{name}` has no monitors; expected `watch: {{monitors: […]}}`, a list of monitors, or one")
            })?
            .into_iter()
            .filter(|monitor| self.only.as_ref().is_none_or(|only| monitor["name"] == json!(only)))
            .collect();
        if monitors.is_empty() {
            bail!("`{name}` has no monitor `{}`", self.only.unwrap_or_default());
        }
        let remote = Remote::new(self.url.as_deref(), self.key)?;
        let mut firings = 0;
        super::block_on(async {
            for monitor in monitors {
                let name = monitor["name"].as_str().unwrap_or("(without a name)").to_owned();
                if monitor["condition"].get("composite").is_some() {
                    super::say(&format!("{name}: looks at other monitors; test those"));
                    continue;
                }
                // Who would be told is no part of the question, and the server may know other channels.
                let monitor = without(monitor, &["notify", "escalation"]);
                let tested =
                    remote.post("/api/v1/monitors/test", &json!({"monitor": monitor, "last": self.last})).await;
                let tested = tested.with_context(|| format!("monitor `{name}` can't be tested"))?;
                firings += tested["firings"].as_u64().unwrap_or_default();
                let line = json!({"name": name, "tested": tested});
                super::say(&if self.json { line.to_string() } else { shown(&name, &tested) });
            }
            Ok(())
        })?;
        if self.fail && firings > 0 {
            bail!("{firings} firings");
        }
        Ok(())
    }
}

/// The monitors of a document: a configuration's, a list, or one.
fn monitors(document: Value) -> Option<Vec<Value>> {
    if let Some(list) =
        document.pointer("/watch/monitors").or_else(|| document.get("monitors")).and_then(Value::as_array)
    {
        return Some(list.clone());
    }
    match document {
        Value::Array(list) => Some(list),
        one if one.get("condition").is_some() => Some(vec![one]),
        _ => None,
    }
}

fn without(mut monitor: Value, fields: &[&str]) -> Value {
    if let Some(all) = monitor.as_object_mut() {
        all.retain(|name, _| !fields.contains(&name.as_str()));
    }
    monitor
}

fn shown(name: &str, tested: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().chars().take(19).collect::<String>();
    let series = tested["series"].as_array().map(Vec::as_slice).unwrap_or_default();
    let firings = tested["firings"].as_u64().unwrap_or_default();
    let mut lines = vec![format!(
        "{name}: would have fired {firings} time{} in {} series from {} to {}",
        if firings == 1 { "" } else { "s" },
        series.len(),
        word(&tested["from"]),
        word(&tested["to"])
    )];
    for one in series {
        let labels = one["labels"].as_object().into_iter().flatten();
        let labels: Vec<String> =
            labels.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{}: ", labels.join(", ")) };
        for firing in one["firings"].as_array().into_iter().flatten() {
            let until = firing.get("until").map_or_else(|| "the end".to_owned(), word);
            let text = firing["text"].as_str().unwrap_or_default();
            lines.push(format!("  {} to {until}  {labels}{text}", word(&firing["from"])));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monitors_stand_in_several_places() {
        let one = json!({"name": "a", "condition": {}});
        for document in [json!({"watch": {"monitors": [one]}}), json!({"monitors": [one]}), json!([one]), one.clone()] {
            assert_eq!(monitors(document.clone()), Some(vec![one.clone()]), "{document}");
        }
        assert_eq!(monitors(json!({"routes": []})), None);
    }

    #[test]
    fn firings_are_lines() {
        let firing =
            json!({"from": "2026-11-24T08:00:00.000000Z", "until": "2026-11-24T08:05:00.000000Z", "text": "7 > 5"});
        let tested = json!({
            "firings": 1, "from": "2026-11-01T00:00:00.000000Z", "to": "2026-12-01T00:00:00.000000Z",
            "series": [{"labels": {"model": "m"}, "firings": [firing]}],
        });
        let text = shown("errors", &tested);
        assert!(text.starts_with("errors: would have fired 1 time in 1 series from 2026-11-01T00:00:00"), "{text}");
        assert!(text.ends_with("2026-11-24T08:00:00 to 2026-11-24T08:05:00  model=m: 7 > 5"), "{text}");
    }
}
