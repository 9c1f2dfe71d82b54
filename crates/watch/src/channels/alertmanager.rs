//! An Alertmanager's API v2. It forgets an alert that nobody repeats, unless it is told how long it may last: a week, which is more
//! than an incident should, and the end when it comes.

use serde_json::{Value, json};
use signalbox_types::seam::BoxFuture;

use super::{Again, Channel, Failure, Http, HttpRequest, Taken, below, post};
use crate::config::{AlertmanagerConfig, Length};
use crate::notice::{Event, Notice};

#[derive(Debug)]
pub(super) struct Alertmanager(pub(super) AlertmanagerConfig);

/// A name that Prometheus takes: letters, digits and `_`, no digit first.
fn label_name(name: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = name.chars().map(fits).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

fn alerts(notice: &Notice) -> Value {
    let lasts = match notice.event {
        Event::Resolved => Length::default(),
        Event::Test => Length::minutes(5),
        _ => Length::days(7),
    };
    let ends = notice.at.plus(lasts.0);
    // What tells one alert from another must not change while it lasts: neither severity nor labels of some series.
    let mut labels = json!({"alertname": notice.monitor, "incident": notice.incident});
    let mut annotations = json!({
        "summary": notice.title,
        "description": notice.plain(),
        "severity": notice.severity.as_str(),
    });
    for (name, value) in &notice.labels {
        annotations[label_name(name)] = json!(value);
    }
    if let Some(owner) = &notice.owner {
        labels["owner"] = json!(owner);
    }
    if let Some(runbook) = &notice.runbook {
        annotations["runbook"] = json!(runbook);
    }
    let mut alert = json!({"labels": labels, "annotations": annotations, "startsAt": notice.opened_at, "endsAt": ends});
    if let Some(url) = &notice.url {
        alert["generatorURL"] = json!(url);
    }
    json!([alert])
}

impl Channel for Alertmanager {
    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        _: Option<&'a str>,
        http: &'a dyn Http,
    ) -> BoxFuture<'a, Result<Taken, Failure>> {
        Box::pin(async move {
            // It knows alerts that fire and alerts that don't; who has taken one is no affair of its.
            if notice.event == Event::Acknowledged {
                return Ok(Taken::default());
            }
            let Some(url) = &self.0.url else {
                return Err(Failure::new("it has no `url`: it only receives", Again::Never));
            };
            let mut request = HttpRequest::json(below(url, "/api/v2/alerts"), &alerts(notice));
            for (name, value) in &self.0.headers {
                request = request.with(name, value.clone());
            }
            post(http, request).await?;
            Ok(Taken::default())
        })
    }
}
