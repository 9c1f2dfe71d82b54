//! How people are told.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use signalbox_types::Secret;

use super::Problem;
use super::check::name_problem;

const LEAST_SECRET: usize = 16;

/// A way to tell somebody.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelConfig {
    /// Its name, by which monitors and escalations call it.
    pub name: String,
    /// How: exactly one.
    pub via: Via,
}

/// The kinds of channels.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// JSON to a URL of your own, signed as Standard Webhooks says.
    Webhook(WebhookConfig),
    /// Slack, by an incoming webhook or as a bot.
    Slack(SlackConfig),
    /// PagerDuty, by Events API v2.
    Pagerduty(PagerdutyConfig),
    /// Opsgenie, by its Alert API.
    Opsgenie(OpsgenieConfig),
    /// An Alertmanager, by its API v2.
    Alertmanager(AlertmanagerConfig),
    /// E-mail.
    Email(EmailConfig),
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where to. Write `${ENV_VAR}` if it is a secret.
    pub url: Secret,
    /// What it is signed with: `whsec_` and base64, or any text of at least 16 characters. Default: it isn't signed.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// Headers that it carries.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
}

/// Slack: `webhook_url`, or `bot_token` and `channel`. A bot answers in a thread for each incident.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlackConfig {
    /// The URL of an incoming webhook. Write `${ENV_VAR}`.
    #[serde(default)]
    pub webhook_url: Option<Secret>,
    /// A bot's token (`xoxb-…`) that may `chat:write`. Write `${ENV_VAR}`.
    #[serde(default)]
    pub bot_token: Option<Secret>,
    /// The channel a bot writes to: its id or `#name`.
    #[serde(default)]
    pub channel: Option<String>,
    /// The app's signing secret. With it messages have a button that acknowledges, if the app's interactivity has the request URL
    /// `https://…/api/v1/hooks/slack/{channel}`. Write `${ENV_VAR}`.
    #[serde(default)]
    pub signing_secret: Option<Secret>,
    /// Where Slack's API is. Default `https://slack.com/api`.
    #[serde(default = "slack")]
    pub base_url: String,
}

/// PagerDuty.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PagerdutyConfig {
    /// The integration's routing key. Write `${ENV_VAR}`.
    pub routing_key: Secret,
    /// The secret of a webhook subscription (v3) to `https://…/api/v1/hooks/pagerduty/{channel}`. With it what is acknowledged or
    /// resolved there is so here. Write `${ENV_VAR}`.
    #[serde(default)]
    pub webhook_secret: Option<Secret>,
    /// Where its events go. Default `https://events.pagerduty.com`; `https://events.eu.pagerduty.com` for accounts in the EU.
    #[serde(default = "pagerduty")]
    pub base_url: String,
}

/// Opsgenie.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpsgenieConfig {
    /// The integration's API key. Write `${ENV_VAR}`.
    pub api_key: Secret,
    /// Where its API is. Default `https://api.opsgenie.com`; `https://api.eu.opsgenie.com` for accounts in the EU.
    #[serde(default = "opsgenie")]
    pub base_url: String,
}

/// An Alertmanager.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertmanagerConfig {
    /// Where it is, if it is to be told. Example: `http://127.0.0.1:9093`.
    #[serde(default)]
    pub url: Option<String>,
    /// Headers that it wants. Example: `authorization: ${ALERTMANAGER_AUTH}`.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// The bearer token that a receiver of its sends with webhooks to `https://…/api/v1/hooks/alertmanager/{channel}`: its alerts become
    /// incidents here. At least 16 characters. Write `${ENV_VAR}`.
    #[serde(default)]
    pub webhook_token: Option<Secret>,
    /// Channels that are told of those incidents. Default: nobody, since an Alertmanager tells people itself.
    #[serde(default)]
    pub notify: Vec<String>,
}

/// How the mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// In the clear at first, then TLS, or not at all (port 587).
    #[default]
    Starttls,
    /// TLS from the first byte (port 465).
    Tls,
    /// In the clear: for a server on this machine (port 25).
    None,
}

/// E-mail over SMTP.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailConfig {
    /// The mail server's name.
    pub host: String,
    /// Its port. Default: that of `security`.
    #[serde(default)]
    pub port: Option<u16>,
    /// `starttls`, `tls` or `none`. Default `starttls`.
    #[serde(default)]
    pub security: Security,
    /// Who signs in, if anybody has to.
    #[serde(default)]
    pub user: Option<String>,
    /// With which password. Write `${ENV_VAR}`.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Who writes. Example: `Signalbox <signalbox@example.com>`.
    pub from: String,
    /// Who is written to.
    pub to: Vec<String>,
}

fn slack() -> String {
    "https://slack.com/api".to_owned()
}

fn pagerduty() -> String {
    "https://events.pagerduty.com".to_owned()
}

fn opsgenie() -> String {
    "https://api.opsgenie.com".to_owned()
}

impl Via {
    /// Its word in the configuration.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Slack(_) => "slack",
            Self::Pagerduty(_) => "pagerduty",
            Self::Opsgenie(_) => "opsgenie",
            Self::Alertmanager(_) => "alertmanager",
            Self::Email(_) => "email",
        }
    }
}

/// A secret that comes in is worth what it takes to guess it.
fn guessable(secret: Option<&Secret>) -> Option<String> {
    let short = secret.is_some_and(|secret| secret.expose().len() < LEAST_SECRET);
    short.then(|| format!("is shorter than {LEAST_SECRET} bytes, which can be guessed"))
}

impl ChannelConfig {
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(name_problem(&self.name).map(|problem| Problem::new("name", problem)));
        let kind = self.via.kind();
        let mut report =
            |field: &str, message: String| problems.push(Problem::new(format!("via.{kind}.{field}"), message));
        let url = |url: &str| {
            let parsed = url.parse::<http::Uri>().ok();
            let good =
                parsed.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
            (!good).then(|| "is no URL; expected one that begins with http:// or https://".to_owned())
        };
        match &self.via {
            Via::Webhook(webhook) => {
                url(webhook.url.expose()).into_iter().for_each(|problem| report("url", problem));
                if let Some(Err(problem)) = webhook.secret.as_ref().map(crate::channels::signing_key) {
                    report("secret", problem);
                }
            }
            Via::Slack(SlackConfig { signing_secret: Some(secret), .. }) if guessable(Some(secret)).is_some() => {
                guessable(Some(secret)).into_iter().for_each(|problem| report("signing_secret", problem));
            }
            Via::Slack(slack) => match (&slack.webhook_url, &slack.bot_token, &slack.channel) {
                (Some(hook), None, None) => {
                    url(hook.expose()).into_iter().for_each(|problem| report("webhook_url", problem))
                }
                (None, Some(_), Some(_)) => {
                    url(&slack.base_url).into_iter().for_each(|problem| report("base_url", problem))
                }
                _ => report("webhook_url", "expected `webhook_url`, or else `bot_token` and `channel`".to_owned()),
            },
            Via::Pagerduty(pagerduty) => {
                url(&pagerduty.base_url).into_iter().for_each(|problem| report("base_url", problem));
                guessable(pagerduty.webhook_secret.as_ref())
                    .into_iter()
                    .for_each(|problem| report("webhook_secret", problem));
            }
            Via::Opsgenie(opsgenie) => {
                url(&opsgenie.base_url).into_iter().for_each(|problem| report("base_url", problem))
            }
            Via::Alertmanager(one) => {
                if one.url.is_none() && one.webhook_token.is_none() {
                    report(
                        "url",
                        "is missing, as is `webhook_token`; expected where it is, or what it sends".to_owned(),
                    );
                }
                one.url.as_deref().and_then(url).into_iter().for_each(|problem| report("url", problem));
                guessable(one.webhook_token.as_ref()).into_iter().for_each(|problem| report("webhook_token", problem));
                if one.notify.contains(&self.name) {
                    report("notify", "names this channel itself: what it sends would go back to it".to_owned());
                }
            }
            Via::Email(email) => {
                for (field, problem) in crate::channels::email_problems(email) {
                    report(&field, problem);
                }
            }
        }
        problems
    }
}
