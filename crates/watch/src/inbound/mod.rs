//! What other services send us by a channel: that somebody has taken an incident there, or alerts of theirs. Each is believed by its
//! signature or token and by nothing else, and says the same however often it comes.

mod alertmanager;
mod pagerduty;
mod slack;
#[cfg(test)]
mod tests;

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use signalbox_types::{ProjectId, Secret, Timestamp};

use crate::config::Via;
use crate::edit::{EditError, Said};
use crate::watch::Watch;

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookKind {
    /// PagerDuty's webhooks, version 3.
    Pagerduty,
    /// Slack's interactivity.
    Slack,
    /// A webhook receiver of an Alertmanager.
    Alertmanager,
}

impl HookKind {
    fn about(self) -> (&'static str, &'static str) {
        match self {
            Self::Pagerduty => ("pagerduty", "webhook_secret"),
            Self::Slack => ("slack", "signing_secret"),
            Self::Alertmanager => ("alertmanager", "webhook_token"),
        }
    }
}

/// What was sent.
#[derive(Clone, Copy)]
pub struct Hook<'a> {
    /// A header by its name, in lower case.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The body, byte by byte as it came: that is what is signed.
    pub body: &'a [u8],
}

impl fmt::Debug for Hook<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// Why it isn't taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// Nothing is expected there.
    #[error("no channel `{channel}` takes what `{kind}` sends; expected one `via: {kind}` with `{secret}`")]
    Closed {
        /// The channel.
        channel: String,
        /// The kind that it should be of.
        kind: &'static str,
        /// What it should have.
        secret: &'static str,
    },
    /// It isn't signed, or not by whom it should be.
    #[error("{0}")]
    Unsigned(String),
    /// It is signed, and says what can't be read.
    #[error("{0}")]
    Unreadable(String),
    /// Another node takes it.
    #[error("{0}")]
    Elsewhere(EditError),
}

impl HookError {
    fn unsigned(problem: impl Into<String>) -> Self {
        Self::Unsigned(problem.into())
    }

    fn unreadable(error: &serde_json::Error) -> Self {
        Self::Unreadable(format!("the body is not what was expected: {error}"))
    }
}

/// What somebody did elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Deed {
    Acknowledged {
        incident: String,
        by: String,
    },
    Resolved {
        incident: String,
        by: String,
    },
    /// What doesn't concern us.
    Nothing,
}

impl Watch {
    /// Takes what a service sends by a channel. What was taken before changes nothing.
    ///
    /// # Errors
    /// Nobody expects it, it isn't signed as it should be, or it can't be read.
    pub async fn hook(&self, kind: HookKind, channel: &str, hook: Hook<'_>) -> Result<(), HookError> {
        let rules = self.rules();
        let via = rules.config.channels.iter().find(|one| one.name == channel).map(|one| &one.via);
        let (word, secret) = kind.about();
        let closed = || HookError::Closed { channel: channel.chars().take(100).collect(), kind: word, secret };
        let (deed, back) = match (kind, via) {
            (HookKind::Pagerduty, Some(Via::Pagerduty(config))) => {
                let secret = config.webhook_secret.as_ref().ok_or_else(closed)?;
                (pagerduty::read(secret, hook)?, Some(channel))
            }
            (HookKind::Slack, Some(Via::Slack(config))) => {
                let secret = config.signing_secret.as_ref().ok_or_else(closed)?;
                // The thread is told who has taken it: whoever pressed the button is not the only one who reads it.
                (slack::read(secret, hook, self.clock.now())?, None)
            }
            (HookKind::Alertmanager, Some(Via::Alertmanager(config))) => {
                let token = config.webhook_token.as_ref().ok_or_else(closed)?;
                bearer(token, hook)?;
                let alerts = alertmanager::read(hook)?;
                return self.take_alerts(channel, alerts).await.map_err(HookError::Elsewhere);
            }
            _ => return Err(closed()),
        };
        self.take_deed(channel, deed, back).await.map_err(HookError::Elsewhere)
    }

    async fn take_deed(&self, channel: &str, deed: Deed, back: Option<&str>) -> Result<(), EditError> {
        let (Deed::Acknowledged { incident, by } | Deed::Resolved { incident, by }) = &deed else { return Ok(()) };
        // Who sends it tries again: it shall not be lost because this node doesn't know of the incident yet.
        self.hold().await?;
        // The secret of a channel is good for incidents that the channel was told of, whosesoever they are.
        let Some(project) = self.told_by(channel, incident) else { return Ok(()) };
        let said = Said { by, note: "", channel: back };
        let done = match &deed {
            Deed::Acknowledged { .. } => self.acknowledge_by(&project, incident, said).await,
            Deed::Resolved { .. } => self.resolve_by(&project, incident, said).await,
            Deed::Nothing => return Ok(()),
        };
        match done {
            // It was over already, or has gone: it comes again, or too late.
            Ok(_) | Err(EditError::Resolved(_) | EditError::Unknown(..)) => {}
            Err(error @ EditError::Elsewhere(_)) => return Err(error),
            Err(error) => tracing::warn!(%channel, "what was done by channel `{channel}` can't be taken over: {error}"),
        }
        Ok(())
    }

    fn told_by(&self, channel: &str, incident: &str) -> Option<ProjectId> {
        let inner = self.inner.lock();
        let told = inner.incidents.iter().find(|((_, id), one)| id == incident && one.told.contains_key(channel));
        told.map(|((project, _), _)| project.clone())
    }
}

/// Whether one of the signatures, in hexadecimal digits, is that of these bytes. In a time that tells nothing of the secret.
fn is_signed<'a>(secret: &Secret, parts: &[&[u8]], mut signatures: impl Iterator<Item = &'a str>) -> bool {
    let mut signed = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()));
    parts.iter().for_each(|part| signed.update(part));
    let expected = signed.sign();
    signatures.any(|signature| {
        let given = hex::decode(signature).unwrap_or_default();
        constant_time::verify_slices_are_equal(expected.as_ref(), &given).is_ok()
    })
}

/// Whether it carries a bearer token. As its digest, so that the time of the comparison doesn't tell the token's length.
fn bearer(token: &Secret, hook: Hook<'_>) -> Result<(), HookError> {
    let missing = || {
        HookError::unsigned("there is no token; expected `Authorization: Bearer …` with the channel's `webhook_token`")
    };
    let given = (hook.header)("authorization").ok_or_else(missing)?;
    let (scheme, given) = given.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    let digest = |text: &str| aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let same = constant_time::verify_slices_are_equal(digest(token.expose()).as_ref(), digest(given.trim()).as_ref());
    same.map_err(|_| HookError::unsigned("the token is not the channel's `webhook_token`"))
}

/// A name as it may stand in a timeline.
fn name(text: &str, service: &str) -> String {
    let name: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
    if name.trim().is_empty() { service.to_owned() } else { format!("{} ({service})", name.trim()) }
}

/// How far a service's clock may be from ours.
fn is_fresh(seconds: i64, now: Timestamp) -> bool {
    now.as_secs().abs_diff(seconds) <= 300
}
