//! Slack: an incoming webhook, or a bot with `chat.postMessage`, which answers in the thread of the incident's first message.

use serde::Deserialize;
use serde_json::{Value, json};
use signalbox_types::Secret;
use signalbox_types::seam::BoxFuture;

use super::{Again, Channel, Failure, Http, HttpRequest, Taken, at_most, below, post};
use crate::config::{Severity, SlackConfig};
use crate::incident::named;
use crate::notice::{Event, Notice};

/// What Slack takes in one text of a section.
const MOST_CHARS: usize = 2_900;

/// What a press on the button is called.
pub(crate) const ACKNOWLEDGE: &str = "acknowledge";

#[derive(Debug)]
pub(super) struct Slack(pub(super) SlackConfig);

#[derive(Deserialize)]
struct Said {
    ok: bool,
    ts: Option<String>,
    error: Option<String>,
}

/// What means something in Slack's text, and must not (docs: "Escaping text").
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn sign(notice: &Notice) -> &'static str {
    match (notice.event, notice.severity) {
        (Event::Resolved, _) => ":white_check_mark:",
        (Event::Acknowledged, _) => ":eyes:",
        (Event::Test, _) => ":bell:",
        (_, Severity::Critical) => ":rotating_light:",
        (_, Severity::Error) => ":red_circle:",
        (_, Severity::Warning) => ":warning:",
        (_, Severity::Info) => ":information_source:",
    }
}

fn message(notice: &Notice, has_button: bool) -> Value {
    let section =
        |text: String| json!({"type": "section", "text": {"type": "mrkdwn", "text": at_most(&text, MOST_CHARS)}});
    let headline = escaped(&notice.headline());
    let mut blocks = vec![section(format!("{} *{headline}*", sign(notice)))];
    let series: Vec<String> = notice
        .series
        .iter()
        .map(|one| {
            let name =
                if one.labels.is_empty() { String::new() } else { format!("`{}` ", escaped(&named(&one.labels))) };
            format!("• {name}{}{}", escaped(&one.text), if one.firing { "" } else { " (over)" })
        })
        .collect();
    if !series.is_empty() {
        blocks.push(section(series.join("\n")));
    }
    if !notice.hints.is_empty() {
        let hints: Vec<String> = notice.hints.iter().map(|hint| format!("> {}", escaped(hint))).collect();
        blocks.push(section(hints.join("\n")));
    }
    if let Some(runbook) = notice.runbook.as_ref().filter(|_| matches!(notice.event, Event::Opened | Event::Worsened)) {
        blocks.push(section(escaped(runbook)));
    }
    let mut about = vec![format!("`{}`", escaped(&notice.monitor)), format!("since {}", notice.opened_at)];
    about.extend(notice.owner.as_ref().map(|owner| format!("owner {}", escaped(owner))));
    about.extend(notice.url.as_ref().map(|url| format!("<{url}|open>")));
    let context = json!({"type": "mrkdwn", "text": at_most(&about.join(" · "), MOST_CHARS)});
    blocks.push(json!({"type": "context", "elements": [context]}));
    if has_button && matches!(notice.event, Event::Opened | Event::Escalated | Event::Worsened) {
        let text = json!({"type": "plain_text", "text": "Acknowledge"});
        let button = json!({"type": "button", "text": text, "action_id": ACKNOWLEDGE, "value": notice.incident, "style": "primary"});
        blocks.push(json!({"type": "actions", "elements": [button]}));
    }
    json!({"text": at_most(&headline, MOST_CHARS), "blocks": blocks})
}

impl Slack {
    async fn as_bot(
        &self,
        token: &Secret,
        notice: &Notice,
        thread: Option<&str>,
        http: &dyn Http,
    ) -> Result<Taken, Failure> {
        let mut body = message(notice, self.0.signing_secret.is_some());
        body["channel"] = json!(self.0.channel);
        if let Some(thread) = thread {
            body["thread_ts"] = json!(thread);
            // What concerns people who don't follow the thread.
            if matches!(notice.event, Event::Escalated | Event::Worsened | Event::Resolved) {
                body["reply_broadcast"] = json!(true);
            }
        }
        let request = HttpRequest::json(below(&self.0.base_url, "/chat.postMessage"), &body);
        let request = request.with("authorization", Secret::new(format!("Bearer {}", token.expose())));
        let answer = post(http, request).await?;
        let said: Said = serde_json::from_slice(&answer.body)
            .map_err(|_| Failure::new("Slack answered something else than JSON", Again::Later))?;
        if said.ok {
            // A thread has the name of its first message.
            return Ok(Taken { reference: thread.map(str::to_owned).or(said.ts) });
        }
        let error = said.error.unwrap_or_else(|| "no reason".to_owned());
        let passing =
            ["ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"];
        let again = if passing.contains(&error.as_str()) { Again::Later } else { Again::Never };
        Err(Failure::new(format!("Slack refused it: {}", at_most(&error, 100)), again))
    }
}

impl Channel for Slack {
    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        reference: Option<&'a str>,
        http: &'a dyn Http,
    ) -> BoxFuture<'a, Result<Taken, Failure>> {
        Box::pin(async move {
            match (&self.0.bot_token, &self.0.webhook_url) {
                (Some(token), _) => self.as_bot(token, notice, reference, http).await,
                (None, Some(url)) => {
                    post(http, HttpRequest::json(url.expose(), &message(notice, self.0.signing_secret.is_some())))
                        .await?;
                    Ok(Taken::default())
                }
                (None, None) => Err(Failure::new("it has neither a webhook nor a token", Again::Never)),
            }
        })
    }
}
