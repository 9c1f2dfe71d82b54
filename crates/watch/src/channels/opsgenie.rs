//! Opsgenie's Alert API. The incident's id is the alert's alias, by which it is acknowledged and closed.

use serde_json::json;
use signalbox_types::Secret;
use signalbox_types::seam::BoxFuture;

use super::{Channel, Failure, Http, HttpRequest, Taken, at_most, below, post};
use crate::config::{OpsgenieConfig, Severity};
use crate::notice::{Event, Notice};

#[derive(Debug)]
pub(super) struct Opsgenie(pub(super) OpsgenieConfig);

impl Opsgenie {
    fn request(&self, notice: &Notice) -> HttpRequest {
        // Ids are hexadecimal digits: nothing to be escaped in a path.
        let alert = |what: &str| format!("/v2/alerts/{}/{what}?identifierType=alias", notice.incident);
        let (path, body) = match notice.event {
            Event::Acknowledged => (alert("acknowledge"), json!({"source": "Signalbox", "user": notice.by})),
            Event::Resolved => (alert("close"), json!({"source": "Signalbox", "user": notice.by})),
            Event::Opened | Event::Escalated | Event::Worsened | Event::Test | Event::Action => {
                let priority = match notice.severity {
                    Severity::Critical => "P1",
                    Severity::Error => "P2",
                    Severity::Warning => "P3",
                    Severity::Info => "P5",
                };
                let body = json!({
                    "message": at_most(&notice.title, 130),
                    "alias": notice.incident,
                    "description": at_most(&notice.plain(), 15_000),
                    "details": notice.labels,
                    "entity": notice.monitor,
                    "source": "Signalbox",
                    "priority": priority,
                    "tags": [notice.severity.as_str(), &notice.monitor],
                });
                ("/v2/alerts".to_owned(), body)
            }
        };
        let key = Secret::new(format!("GenieKey {}", self.0.api_key.expose()));
        HttpRequest::json(below(&self.0.base_url, &path), &body).with("authorization", key)
    }
}

impl Channel for Opsgenie {
    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        _: Option<&'a str>,
        http: &'a dyn Http,
    ) -> BoxFuture<'a, Result<Taken, Failure>> {
        Box::pin(async move {
            post(http, self.request(notice)).await?;
            Ok(Taken::default())
        })
    }

    fn keeps_open(&self) -> bool {
        true
    }
}
