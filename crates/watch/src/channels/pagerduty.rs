//! PagerDuty's Events API v2. The incident's id is the `dedup_key`: whatever is sent twice is one alert there, too.

use serde_json::{Value, json};
use signalbox_types::seam::BoxFuture;

use super::{Channel, Failure, Http, HttpRequest, Taken, at_most, below, post};
use crate::config::PagerdutyConfig;
use crate::notice::{Event, Notice};

#[derive(Debug)]
pub(super) struct Pagerduty(pub(super) PagerdutyConfig);

impl Pagerduty {
    fn body(&self, notice: &Notice) -> Value {
        let action = match notice.event {
            Event::Acknowledged => "acknowledge",
            Event::Resolved => "resolve",
            Event::Opened | Event::Escalated | Event::Worsened | Event::Test | Event::Action => "trigger",
        };
        let mut body = json!({
            "routing_key": self.0.routing_key.expose(),
            "event_action": action,
            "dedup_key": notice.incident,
        });
        if action == "trigger" {
            let series: Vec<String> = notice
                .series
                .iter()
                .map(|one| format!("{} {}", crate::incident::named(&one.labels), one.text))
                .collect();
            body["payload"] = json!({
                "summary": at_most(&notice.title, 1_024),
                "source": "signalbox",
                "severity": notice.severity.as_str(),
                "timestamp": notice.opened_at,
                "component": notice.monitor,
                "group": notice.owner,
                "class": "monitor",
                "custom_details": {
                    "labels": notice.labels,
                    "series": series,
                    "runbook": notice.runbook,
                },
            });
            if !notice.hints.is_empty() {
                body["payload"]["custom_details"]["hints"] = json!(notice.hints);
            }
            body["client"] = json!("Signalbox");
            if let Some(url) = &notice.url {
                body["client_url"] = json!(url);
                body["links"] = json!([{"href": url, "text": "Incident in Signalbox"}]);
            }
        }
        body
    }
}

impl Channel for Pagerduty {
    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        _: Option<&'a str>,
        http: &'a dyn Http,
    ) -> BoxFuture<'a, Result<Taken, Failure>> {
        Box::pin(async move {
            post(http, HttpRequest::json(below(&self.0.base_url, "/v2/enqueue"), &self.body(notice))).await?;
            Ok(Taken::default())
        })
    }

    fn keeps_open(&self) -> bool {
        true
    }
}
