//! Who answers: recorded answers, a model, an endpoint, a program.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use signalbox_evals::suite::{CommandTarget, HttpTarget, Item, ModelTarget, Suite, TargetConfig, render, render_value};
use signalbox_prices::PriceBook;
use signalbox_types::Usage;

use super::asked::{Address, Refused};
use super::cache::{Cache, content_of_files};
use super::program;
use crate::config::environment;
use crate::remote::At;

/// Waits between tries are no longer, whatever the other side asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// An answer with what it took.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) output: Value,
    pub(super) latency_ms: Option<f64>,
    pub(super) cost_usd: Option<f64>,
    #[serde(skip)]
    pub(super) cached: bool,
}

/// A target that is ready to answer.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: String,
    kind: Kind,
    retries: usize,
    limit: Duration,
    folder: PathBuf,
    prices: PriceBook,
}

/// What is asked, and where.
#[derive(Debug)]
struct Reached<T> {
    what: T,
    address: Address,
}

#[derive(Debug)]
enum Kind {
    Recorded(String),
    Model(Box<Reached<ModelTarget>>),
    Http(Box<Reached<HttpTarget>>),
    /// With what its files hold.
    Command(CommandTarget, String),
}

impl Target {
    /// Of a suite in a folder.
    pub(super) fn new(config: &TargetConfig, suite: &Suite, folder: &Path, at: &At) -> Result<Self, String> {
        let limit = suite.timeout;
        let kind = if let Some(field) = &config.recorded {
            Kind::Recorded(field.clone())
        } else if let Some(model) = &config.model {
            let url = model.base_url.as_deref().map_or_else(|| Ok(format!("{}/v1", at.url())), expanded)?;
            let address = Address::of_models(&url, key(model, at)?, limit)?;
            Kind::Model(Box::new(Reached { what: ModelTarget { base_url: Some(url), ..model.clone() }, address }))
        } else if let Some(http) = &config.http {
            let headers = http.headers.iter().map(|(name, value)| Ok((name.clone(), expanded(value)?)));
            let headers = headers.collect::<Result<_, String>>()?;
            let address = Address::of_endpoint(&expanded(&http.url)?, &headers, limit)?;
            Kind::Http(Box::new(Reached { what: http.clone(), address }))
        } else if let Some(command) = &config.command {
            Kind::Command(command.clone(), content_of_files(&command.run, folder))
        } else {
            return Err("nobody answers".to_owned());
        };
        let (name, folder, prices) = (config.name.clone(), folder.to_owned(), PriceBook::builtin());
        Ok(Self { name, kind, retries: suite.retries, limit, folder, prices })
    }

    /// Answers are there already.
    pub(super) fn is_recorded(&self) -> bool {
        matches!(self.kind, Kind::Recorded(_))
    }

    /// Answers an item, from the cache if it can.
    pub(super) async fn answer(&self, item: &Item, cache: &Cache) -> Result<Answer, String> {
        let (kind, asked) = match &self.kind {
            Kind::Recorded(field) => return recorded(item, field),
            Kind::Model(to) => (json!([to.what.base_url, "model"]), ask_model(&to.what, item)?),
            Kind::Http(to) => {
                let HttpTarget { url, headers, body, answer } = &to.what;
                (json!([url, headers, answer]), render_value(body, &item.fields)?)
            }
            Kind::Command(command, files) => (json!([command, files]), Value::Object(item.fields.clone())),
        };
        let key = Cache::key(&["answer", &kind.to_string(), &asked.to_string()]);
        if let Some(answer) = cache.find::<Answer>(&key) {
            return Ok(Answer { cached: true, ..answer });
        }
        let mut waits = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(500))
            .with_max_delay(LONGEST_WAIT)
            .with_max_times(self.retries)
            .build();
        loop {
            let began = Instant::now();
            let refused = match self.once(&asked).await {
                Ok((output, cost_usd)) => {
                    let latency_ms = Some(began.elapsed().as_secs_f64() * 1e3);
                    let answer = Answer { output, latency_ms, cost_usd, cached: false };
                    cache.keep(&key, &answer);
                    return Ok(answer);
                }
                Err(refused) => refused,
            };
            match waits.next().filter(|_| refused.may_help) {
                Some(wait) => tokio::time::sleep(refused.wait.unwrap_or(wait).min(LONGEST_WAIT)).await,
                None => return Err(refused.message),
            }
        }
    }

    async fn once(&self, asked: &Value) -> Result<(Value, Option<f64>), Refused> {
        match &self.kind {
            Kind::Recorded(_) => Err(Refused::finally("recorded answers are not asked for")),
            Kind::Model(to) => {
                let (answer, headers) = to.address.ask(asked).await?;
                let told = headers.get("x-signalbox-cost-usd").and_then(|value| value.to_str().ok()?.parse().ok());
                Ok((said(&answer)?, told.or_else(|| self.cost(&to.what.model, &answer))))
            }
            Kind::Http(to) => {
                let (answer, _) = to.address.ask(asked).await?;
                Ok((at(answer, to.what.answer.as_deref())?, None))
            }
            Kind::Command(command, _) => {
                let said = program::ask(&command.run, &self.folder, asked, self.limit).await;
                let said = said.map_err(Refused::finally)?;
                let Some(pointer) = &command.answer else {
                    return Ok((Value::String(said.trim_end().to_owned()), None));
                };
                let answer = serde_json::from_str(&said)
                    .map_err(|error| Refused::finally(format!("the program wrote no JSON: {error}")))?;
                Ok((at(answer, Some(pointer))?, None))
            }
        }
    }

    fn cost(&self, model: &str, answer: &Value) -> Option<f64> {
        let count = |name: &str| answer["usage"][name].as_u64();
        let usage = Usage {
            input_tokens: count("prompt_tokens"),
            output_tokens: count("completion_tokens"),
            ..Usage::default()
        };
        self.prices.price(None, model, &usage).map(|cost| cost.total.as_dollars())
    }
}

fn recorded(item: &Item, field: &str) -> Result<Answer, String> {
    let number = |name: &str| item.fields.get(name).and_then(Value::as_f64);
    match item.fields.get(field).filter(|value| !value.is_null()) {
        Some(output) => {
            let (latency_ms, cost_usd) = (number("latency_ms"), number("cost_usd"));
            Ok(Answer { output: output.clone(), latency_ms, cost_usd, cached: false })
        }
        None => Err(format!("the item has no recorded answer in `{field}`")),
    }
}

fn key(model: &ModelTarget, at: &At) -> Result<Option<String>, String> {
    match (&model.key_env, &model.base_url) {
        (Some(name), _) => {
            let key = environment(name).filter(|key| !key.trim().is_empty());
            key.ok_or_else(|| format!("the environment variable {name} (`key_env`) has no key")).map(Some)
        }
        (None, Some(_)) => Ok(None),
        (None, None) => at.client_key().map(Some).map_err(|error| error.to_string()),
    }
}

fn ask_model(model: &ModelTarget, item: &Item) -> Result<Value, String> {
    let mut messages = Vec::new();
    if let Some(system) = &model.system {
        messages.push(json!({"role": "system", "content": render(system, &item.fields)?}));
    }
    messages.push(json!({"role": "user", "content": render(&model.prompt, &item.fields)?}));
    let mut body = json!({"model": model.model, "messages": messages});
    let settings = [
        ("temperature", model.temperature.map(Value::from)),
        ("max_tokens", model.max_tokens.map(Value::from)),
        ("seed", model.seed.map(Value::from)),
    ];
    for (name, value) in settings {
        if let Some(value) = value {
            body[name] = value;
        }
    }
    Ok(body)
}

/// The answer's text, or the tools that it calls.
fn said(answer: &Value) -> Result<Value, Refused> {
    let message = &answer["choices"][0]["message"];
    match (&message["content"], &message["tool_calls"], &message["refusal"]) {
        (Value::String(text), tools, _) if !text.is_empty() || tools.is_null() => Ok(Value::String(text.clone())),
        (_, tools @ Value::Array(_), _) => Ok(tools.clone()),
        (_, _, Value::String(refusal)) => Ok(Value::String(refusal.clone())),
        _ => Err(Refused::finally("the answer has no text: `choices[0].message.content` is missing")),
    }
}

fn at(answer: Value, pointer: Option<&str>) -> Result<Value, Refused> {
    let Some(pointer) = pointer else { return Ok(answer) };
    let found = answer.pointer(pointer).filter(|value| !value.is_null()).cloned();
    found.ok_or_else(|| Refused::finally(format!("there is nothing at `{pointer}` in the answer")))
}

/// `${NAME}` is an environment variable.
fn expanded(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        let (name, after) = behind.split_once('}').ok_or("`${` has no `}` after it")?;
        out.push_str(before);
        out.push_str(&environment(name).ok_or_else(|| format!("the environment variable {name} is not set"))?);
        rest = after;
    }
    Ok(out + rest)
}
