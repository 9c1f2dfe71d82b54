use std::time::Duration;

use aws_lc_rs::hmac;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use signalbox_types::seam::Clock as _;

use super::*;
use crate::tests::{House, error_rate, with};
use crate::{Incident, IncidentStatus};

const PAGERDUTY: &str = "a-secret-of-pagerduty";
/// Of the worked example in Slack's documentation ("Verifying requests from Slack").
const SLACK: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const TOKEN: &str = "a-token-of-alertmanager";

fn signature(secret: &str, message: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex::encode(hmac::sign(&key, message.as_bytes()))
}

async fn house() -> House {
    let channels = json!([
        {"name": "hook", "via": {"webhook": {"url": "https://h.example/x"}}},
        {"name": "pager", "via": {"pagerduty": {"routing_key": "R", "webhook_secret": PAGERDUTY}}},
        {"name": "chat", "via": {"slack": {"webhook_url": "https://hooks.slack.example/x", "signing_secret": SLACK}}},
        {"name": "prom", "via": {"alertmanager": {"webhook_token": TOKEN, "notify": ["hook"]}}},
        {"name": "mute", "via": {"pagerduty": {"routing_key": "R"}}},
    ]);
    let monitor = error_rate(json!({"for": 1, "notify": ["pager", "chat"]}));
    House::new(with(monitor, json!({"channels": channels}))).await
}

/// One with an incident.
async fn with_incident() -> (House, String) {
    let mut house = house().await;
    house.minute(10).await;
    let id = house.incidents()[0].id.clone();
    house.receiver.taken.lock().clear();
    (house, id)
}

async fn send(
    house: &House,
    kind: HookKind,
    channel: &str,
    headers: &[(&str, String)],
    body: &str,
) -> Result<(), HookError> {
    let header = |name: &str| headers.iter().find(|(one, _)| *one == name).map(|(_, value)| value.clone());
    house.watch.hook(kind, channel, Hook { header: &header, body: body.as_bytes() }).await
}

/// As PagerDuty's documentation shows it ("Webhooks v3", example of `incident.acknowledged`), with our key.
fn pagerduty(event_type: &str, key: &str) -> String {
    json!({"event": {
        "id": "01BT5Q8Y4PHVT2VFIOPQ2F8CLN", "event_type": event_type, "resource_type": "incident",
        "occurred_at": "2020-10-02T18:45:22.169Z",
        "agent": {
            "html_url": "https://acme.pagerduty.com/users/PLH1HKV", "id": "PLH1HKV",
            "self": "https://api.pagerduty.com/users/PLH1HKV", "summary": "Tenex Engineer", "type": "user_reference",
        },
        "client": null,
        "data": {
            "id": "PGR0VU2", "type": "incident", "self": "https://api.pagerduty.com/incidents/PGR0VU2",
            "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2", "number": 2, "status": "acknowledged",
            "incident_key": key, "created_at": "2020-04-09T15:16:27Z", "title": "A little bump in the road",
            "service": {"id": "PF9KMXH", "summary": "API Service", "type": "service_reference"}, "urgency": "high",
        },
    }})
    .to_string()
}

async fn by_pagerduty(house: &House, body: &str) -> Result<(), HookError> {
    let header = format!("v1={},v1={}", signature("the one before", body), signature(PAGERDUTY, body));
    send(house, HookKind::Pagerduty, "pager", &[("x-pagerduty-signature", header)], body).await
}

#[tokio::test]
async fn what_is_taken_and_ended_in_pagerduty_is_so_here() {
    let (mut house, id) = with_incident().await;
    for _ in 0..2 {
        by_pagerduty(&house, &pagerduty("incident.acknowledged", &id)).await.unwrap();
    }
    house.pass(1).await;
    let taken = house.incidents().remove(0);
    assert_eq!(taken.acknowledged_by.as_deref(), Some("Tenex Engineer (PagerDuty)"));
    // The other channel is told, once; PagerDuty knows.
    assert_eq!(house.receiver.taken.lock().len(), 1, "{:?}", house.receiver.taken.lock());
    by_pagerduty(&house, &pagerduty("incident.resolved", &id)).await.unwrap();
    house.pass(1).await;
    assert_eq!(house.incidents()[0].resolved_by.as_deref(), Some("Tenex Engineer (PagerDuty)"));
    assert_eq!(house.receiver.taken.lock().len(), 2);
    // Too late, again, of others, and of other things: it changes nothing.
    let before = house.incidents();
    for (event, key) in [
        ("incident.acknowledged", id.as_str()),
        ("incident.resolved", &id),
        ("incident.resolved", "another"),
        ("incident.triggered", &id),
    ] {
        by_pagerduty(&house, &pagerduty(event, key)).await.unwrap();
    }
    let ping = json!({"event": {"event_type": "pagey.ping", "resource_type": "pagey", "data": {"message": "Hello", "type": "ping"}}});
    by_pagerduty(&house, &ping.to_string()).await.unwrap();
    assert_eq!(house.incidents(), before);
}

#[tokio::test]
async fn what_is_not_signed_is_refused() {
    let (house, id) = with_incident().await;
    let body = pagerduty("incident.resolved", &id);
    let good = signature(PAGERDUTY, &body);
    for (header, problem) in [
        (None, "there is no `X-PagerDuty-Signature`"),
        (Some(format!("v1={}", signature("another secret, as long", &body))), "isn't signed with"),
        (Some(format!("v0={good}")), "isn't signed with"),
        (Some("v1=".to_owned()), "isn't signed with"),
        (Some(format!("v1={}", good.get(..20).unwrap())), "isn't signed with"),
    ] {
        let headers: Vec<(&str, String)> = header.into_iter().map(|header| ("x-pagerduty-signature", header)).collect();
        let error = send(&house, HookKind::Pagerduty, "pager", &headers, &body).await.unwrap_err();
        assert!(matches!(&error, HookError::Unsigned(text) if text.contains(problem)), "{error:?}");
    }
    let other = body.replace("resolved", "rejected");
    let header = [("x-pagerduty-signature", format!("v1={good}"))];
    assert!(send(&house, HookKind::Pagerduty, "pager", &header, &other).await.is_err());
    for (kind, channel) in [
        (HookKind::Pagerduty, "mute"),
        (HookKind::Pagerduty, "chat"),
        (HookKind::Slack, "pager"),
        (HookKind::Slack, "x"),
    ] {
        let error = send(&house, kind, channel, &header, &body).await.unwrap_err();
        assert!(matches!(error, HookError::Closed { .. }), "{error:?}");
    }
    let unreadable = by_pagerduty(&house, "{}").await.unwrap_err();
    assert!(
        matches!(&unreadable, HookError::Unreadable(text) if text.contains("missing field `event`")),
        "{unreadable}"
    );
    assert_eq!(house.incidents()[0].status, IncidentStatus::Open);
}

#[test]
fn the_example_of_slack_is_signed() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let signature = "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    let secret = Secret::new(SLACK.to_owned());
    assert!(is_signed(&secret, &[b"v0:", b"1531420618", b":", body.as_bytes()], [signature].into_iter()));
    assert!(!is_signed(&secret, &[b"v0:", b"1531420619", b":", body.as_bytes()], [signature].into_iter()));
}

/// As Slack's documentation shows a press of a button ("block_actions payload"), with our value.
fn press(action: &str, value: &str) -> String {
    let payload = json!({
        "type": "block_actions", "team": {"id": "T9TK3CUKW", "domain": "example"},
        "user": {"id": "UA8RXUSPL", "username": "jtorrance", "name": "jtorrance", "team_id": "T9TK3CUKW"},
        "api_app_id": "AABA1ABCD", "token": "9s8d9as89d8as9d8as989", "trigger_id": "12321423423.333649436676.d8c1bb837935",
        "container": {"type": "message", "message_ts": "1548261231.000200", "channel_id": "CBR2V3XEX"},
        "response_url": "https://hooks.slack.com/actions/AABA1ABCD/1232321423432/D09sSasdasdAS9091209",
        "actions": [{"type": "button", "action_id": action, "block_id": "=qXel", "value": value, "action_ts": "1548426417.840180",
            "text": {"type": "plain_text", "text": "Take it, please"}}],
    });
    let form = utf8_percent_encode(&payload.to_string(), NON_ALPHANUMERIC).to_string();
    format!("payload={}", form.replace("%20", "+"))
}

async fn by_slack(house: &House, sent: i64, body: &str) -> Result<(), HookError> {
    let signed = format!("v0={}", signature(SLACK, &format!("v0:{sent}:{body}")));
    let headers = [("x-slack-request-timestamp", sent.to_string()), ("x-slack-signature", signed)];
    send(house, HookKind::Slack, "chat", &headers, body).await
}

#[tokio::test]
async fn a_press_on_the_button_takes_an_incident() {
    let mut house = house().await;
    house.minute(10).await;
    let id = house.incidents()[0].id.clone();
    let shown = house.receiver.taken.lock().clone();
    let button = shown.iter().flat_map(|body| body["blocks"].as_array().cloned().unwrap_or_default());
    let button: Vec<Value> = button.filter(|block| block["type"] == "actions").collect();
    assert_eq!((button.len(), button[0]["elements"][0]["value"].as_str()), (1, Some(id.as_str())));
    let action = button[0]["elements"][0]["action_id"].as_str().unwrap().to_owned();

    let now = house.clock.now().as_secs();
    for sent in [now - 400, now + 400, 0] {
        let error = by_slack(&house, sent, &press(&action, &id)).await.unwrap_err();
        assert!(error.to_string().contains("not within five minutes"), "{error}");
    }
    by_slack(&house, now, &press("another_button", &id)).await.unwrap();
    assert_eq!(house.incidents()[0].status, IncidentStatus::Open);
    for _ in 0..2 {
        by_slack(&house, now - 200, &press(&action, &id)).await.unwrap();
    }
    let taken = house.incidents().remove(0);
    assert_eq!(taken.acknowledged_by.as_deref(), Some("jtorrance (Slack)"));
    assert_eq!(taken.timeline.iter().filter(|entry| entry.what == "acknowledged").count(), 1);
    let error = by_slack(&house, now, "token=x").await.unwrap_err();
    assert!(matches!(error, HookError::Unreadable(_)), "{error}");
}

/// As the documentation of Prometheus shows it (alerting/configuration, `webhook_config`), version 4.
fn alerts(alerts: &[(&str, &str, &str)]) -> String {
    let alert = |(instance, status, began): &(&str, &str, &str)| {
        json!({
            "status": status, "labels": {"alertname": "InstanceDown", "instance": instance, "severity": "page"},
            "annotations": {"summary": format!("Instance {instance} down"), "runbook_url": "https://runbooks.example/down"},
            "startsAt": began, "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus.example/graph?g0.expr=up",
            "fingerprint": "c4ab6e6f1c4e2b3a",
        })
    };
    json!({
        "version": "4", "groupKey": "{}:{alertname=\"InstanceDown\"}", "truncatedAlerts": 0, "status": "firing", "receiver": "signalbox",
        "groupLabels": {"alertname": "InstanceDown"}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093", "alerts": alerts.iter().map(alert).collect::<Vec<_>>(),
    })
    .to_string()
}

async fn by_alertmanager(house: &mut House, body: &str) {
    let header = [("authorization", format!("Bearer {TOKEN}"))];
    send(house, HookKind::Alertmanager, "prom", &header, body).await.unwrap();
    house.pass(1).await;
}

#[tokio::test]
async fn alerts_of_an_alertmanager_are_incidents() {
    let mut house = house().await;
    let (began, later) = ("2026-11-24T08:00:00.123456789Z", "2026-11-24T09:00:00Z");
    by_alertmanager(&mut house, &alerts(&[("a", "firing", began)])).await;
    by_alertmanager(&mut house, &alerts(&[("a", "firing", began), ("b", "firing", began)])).await;
    let found: Vec<Incident> = house.incidents();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].monitor.as_str(), found[0].severity.as_str()), ("alertmanager.InstanceDown", "critical"));
    assert_eq!(found[0].series.len(), 2);
    assert_eq!(found[0].runbook.as_deref(), Some("https://runbooks.example/down"));
    assert_eq!(house.told(), ["opened"], "by the channels that the configuration names");
    house.restart().await;
    by_alertmanager(&mut house, &alerts(&[("a", "resolved", began), ("b", "firing", began)])).await;
    assert!(house.incidents()[0].is_open());
    // A repetition of what is over doesn't begin it anew.
    by_alertmanager(&mut house, &alerts(&[("a", "firing", began)])).await;
    assert_eq!(house.incidents()[0].series.iter().filter(|one| one.firing).count(), 1);
    by_alertmanager(&mut house, &alerts(&[("b", "resolved", began)])).await;
    assert_eq!(house.told(), ["opened", "resolved"]);
    by_alertmanager(&mut house, &alerts(&[("b", "firing", began), ("b", "resolved", began)])).await;
    assert_eq!(house.incidents().len(), 1);
    // The next time it is another incident; what a person has ended comes back when it begins anew.
    by_alertmanager(&mut house, &alerts(&[("b", "firing", later)])).await;
    let second = house.incidents().remove(0);
    assert!(second.is_open() && house.incidents().len() == 2);
    house.watch.resolve(&House::project(), &second.id, "ann", "").await.unwrap();
    by_alertmanager(&mut house, &alerts(&[("b", "firing", later)])).await;
    assert_eq!(house.incidents().iter().filter(|one| one.is_open()).count(), 0);
    by_alertmanager(&mut house, &alerts(&[("b", "firing", "2026-11-24T10:00:00Z")])).await;
    assert_eq!(house.incidents().iter().filter(|one| one.is_open()).count(), 1);
}

#[tokio::test]
async fn alerts_without_the_token_are_refused() {
    let house = house().await;
    let body = alerts(&[("a", "firing", "2026-11-24T08:00:00Z")]);
    for header in [None, Some(format!("Bearer {TOKEN}x")), Some(TOKEN.to_owned()), Some(format!("Basic {TOKEN}"))] {
        let headers: Vec<(&str, String)> = header.into_iter().map(|header| ("authorization", header)).collect();
        let error = send(&house, HookKind::Alertmanager, "prom", &headers, &body).await.unwrap_err();
        assert!(matches!(error, HookError::Unsigned(_)), "{error:?}");
    }
    assert_eq!(house.incidents(), []);
    house.clock.advance(Duration::from_secs(1));
}

#[test]
fn channels_that_take_need_what_cannot_be_guessed() {
    let problems = |via: Value| {
        let config: crate::WatchConfig =
            serde_json::from_value(json!({"channels": [{"name": "c", "via": via}]})).unwrap();
        config.problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let check = |via: Value, problem: &str| {
        let found = problems(via);
        assert!(found.contains(problem) && found.is_empty() == problem.is_empty(), "{found}");
    };
    check(
        json!({"alertmanager": {"webhook_token": "short"}}),
        "`channels[0].via.alertmanager.webhook_token`: is shorter",
    );
    check(json!({"alertmanager": {}}), "`channels[0].via.alertmanager.url`: is missing, as is `webhook_token`");
    check(json!({"alertmanager": {"webhook_token": TOKEN, "notify": ["c"]}}), "names this channel itself");
    check(json!({"alertmanager": {"webhook_token": TOKEN, "notify": ["d"]}}), "there is no channel `d`");
    check(json!({"pagerduty": {"routing_key": "R", "webhook_secret": "x"}}), "webhook_secret`: is shorter");
    check(json!({"slack": {"webhook_url": "https://h/x", "signing_secret": "x"}}), "signing_secret`: is shorter");
    check(json!({"alertmanager": {"webhook_token": TOKEN}}), "");
}
