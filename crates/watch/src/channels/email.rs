//! E-mail: text and HTML, and the headers by which mail programs put all messages of an incident into one thread.

use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use signalbox_types::seam::BoxFuture;

use super::{Again, Channel, Failure, Http, Taken, at_most};
use crate::config::{EmailConfig, Security};
use crate::incident::named;
use crate::notice::Notice;

const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Email").field("to", &self.to.len()).finish_non_exhaustive()
    }
}

pub(crate) fn problems(config: &EmailConfig) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    let addresses = config.to.iter().enumerate().map(|(i, to)| (format!("to[{i}]"), to));
    for (field, address) in addresses.chain([("from".to_owned(), &config.from)]) {
        if address.parse::<Mailbox>().is_err() {
            let shown = at_most(address, 60);
            problems.push((
                field,
                format!("`{shown}` is no address; expected e.g. `ann@example.com` or `Ann <ann@example.com>`"),
            ));
        }
    }
    if config.to.is_empty() {
        problems.push(("to".to_owned(), "is empty; expected addresses".to_owned()));
    }
    if config.user.is_some() != config.password.is_some() {
        problems.push(("password".to_owned(), "goes with `user`; expected both or none".to_owned()));
    }
    if config.security == Security::None && config.password.is_some() {
        problems.push((
            "security".to_owned(),
            "is `none`, which would send the password in the clear; expected `starttls` or `tls`".to_owned(),
        ));
    }
    problems
}

impl Email {
    pub(super) fn new(config: &EmailConfig) -> Result<Self, String> {
        let address =
            |text: &String| text.parse::<Mailbox>().map_err(|_| format!("`{}` is no address", at_most(text, 60)));
        let tls = || TlsParameters::new(config.host.clone()).map_err(|error| format!("TLS can't be used: {error}"));
        let (tls, port) = match config.security {
            Security::Starttls => (Tls::Required(tls()?), 587),
            Security::Tls => (Tls::Wrapper(tls()?), 465),
            Security::None => (Tls::None, 25),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port.unwrap_or(port))
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let (Some(user), Some(password)) = (&config.user, &config.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        let to = config.to.iter().map(address).collect::<Result<_, _>>()?;
        Ok(Self { transport: builder.build(), from: address(&config.from)?, to })
    }

    fn message(&self, notice: &Notice) -> Result<Message, Failure> {
        let never =
            |error: lettre::error::Error| Failure::new(format!("the message can't be written: {error}"), Again::Never);
        let domain = self.from.email.domain();
        // Mail programs thread by what a message answers to, and by subjects that are alike.
        let thread = format!("<{}@{domain}>", notice.incident);
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(at_most(&notice.headline(), 200))
            .message_id(Some(format!("<{}.mail@{domain}>", notice.key)))
            .in_reply_to(thread.clone())
            .references(thread);
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        builder.multipart(MultiPart::alternative_plain_html(notice.plain(), html(notice))).map_err(never)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(super) fn html(notice: &Notice) -> String {
    let row = |one: &crate::incident::Affected| {
        let over = if one.firing { "" } else { " (over)" };
        format!(
            "<tr><td style=\"padding:2px 12px 2px 0\">{}</td><td>{}{over}</td></tr>",
            escaped(&named(&one.labels)),
            escaped(&one.text)
        )
    };
    let series: String = notice.series.iter().map(row).collect();
    let hints: String = notice.hints.iter().map(|hint| format!("<li>{}</li>", escaped(hint))).collect();
    let hints = if hints.is_empty() { hints } else { format!("<ul>{hints}</ul>") };
    let owner = notice.owner.as_ref().map(|owner| format!(" · owner {}", escaped(owner))).unwrap_or_default();
    let link = notice
        .url
        .as_ref()
        .map(|url| format!("<p><a href=\"{}\">Open in Signalbox</a></p>", escaped(url)))
        .unwrap_or_default();
    let runbook = notice
        .runbook
        .as_ref()
        .map(|text| format!("<h3>Runbook</h3><pre style=\"white-space:pre-wrap;font:inherit\">{}</pre>", escaped(text)))
        .unwrap_or_default();
    format!(
        "<!doctype html><html><body style=\"font-family:sans-serif;color:#1c2430\"><h2>{}</h2><table>{series}</table>{hints}\
         <p style=\"color:#5b6675\">{} · since {}{owner}</p>{link}{runbook}</body></html>",
        escaped(&notice.headline()),
        escaped(&notice.monitor),
        notice.opened_at
    )
}

impl Channel for Email {
    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        _: Option<&'a str>,
        _: &'a dyn Http,
    ) -> BoxFuture<'a, Result<Taken, Failure>> {
        Box::pin(async move {
            let sent = self.transport.send(self.message(notice)?).await;
            sent.map(|_| Taken::default()).map_err(|error| {
                let again = if error.is_permanent() { Again::Never } else { Again::Later };
                Failure::new(at_most(&format!("the mail server: {error}"), 300), again)
            })
        })
    }
}
