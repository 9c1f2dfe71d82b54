use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::config::Severity;
use crate::incident::Affected;
use crate::notice::Event;
use crate::state::Labels;

/// Writes down what is sent, and answers as it was told.
#[derive(Debug)]
struct Scripted {
    answer: HttpAnswer,
    sent: Mutex<Vec<HttpRequest>>,
}

impl Http for Scripted {
    fn post(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, String>> {
        self.sent.lock().push(request);
        Box::pin(async { Ok(self.answer.clone()) })
    }
}

fn answering(status: u16, body: &str) -> Scripted {
    let answer = HttpAnswer { status, retry_after_s: None, body: Bytes::copy_from_slice(body.as_bytes()) };
    Scripted { answer, sent: Mutex::default() }
}

fn notice(event: Event) -> Notice {
    let labels = Labels::from([("model".to_owned(), "gpt-4o".to_owned())]);
    let at = "2026-11-24T08:00:00Z".parse().unwrap();
    Notice {
        key: format!("0193a5b0-{}", event.as_str()),
        event,
        incident: "0193a5b0".to_owned(),
        at,
        monitor: "error-rate".to_owned(),
        title: "error-rate (model=gpt-4o): 0.073 > 0.05".to_owned(),
        severity: Severity::Critical,
        owner: Some("ann".to_owned()),
        labels: labels.clone(),
        series: vec![Affected {
            labels,
            firing: true,
            since: at,
            until: None,
            value: Some(0.073),
            limit: Some(0.05),
            text: "0.073 > 0.05".to_owned(),
        }],
        opened_at: at,
        runbook: Some("Look at **<provider>**.".to_owned()),
        by: matches!(event, Event::Acknowledged | Event::Resolved).then(|| "ann".to_owned()),
        url: Some("https://box.example/incidents?id=0193a5b0".to_owned()),
        hints: Vec::new(),
        action: None,
        sent_at: at,
    }
}

fn made(via: Value) -> Arc<dyn Channel> {
    let config: ChannelConfig = serde_json::from_value(json!({"name": "c", "via": via})).unwrap();
    assert_eq!(config.problems(), []);
    channel(&config).unwrap()
}

/// What goes out, as it goes out: one file a kind.
#[tokio::test]
async fn requests_are_what_the_other_side_expects() {
    for (name, via, answer) in [
        (
            "webhook",
            json!({"webhook": {"url": "https://h.example/x", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "headers": {"x-team": "a"}}}),
            "ok",
        ),
        ("slack_webhook", json!({"slack": {"webhook_url": "https://hooks.slack.example/T0/B0/x"}}), "ok"),
        ("slack_bot", json!({"slack": {"bot_token": "xoxb-1", "channel": "#ops"}}), "{\"ok\":true,\"ts\":\"1.2\"}"),
        ("pagerduty", json!({"pagerduty": {"routing_key": "R0"}}), "{}"),
        ("opsgenie", json!({"opsgenie": {"api_key": "G0"}}), "{}"),
        ("alertmanager", json!({"alertmanager": {"url": "http://am.example:9093/"}}), ""),
    ] {
        let channel = made(via);
        let http = answering(200, answer);
        for event in [Event::Opened, Event::Acknowledged, Event::Resolved] {
            channel.send(&notice(event), Some("1.1").filter(|_| event != Event::Opened), &http).await.unwrap();
        }
        let sent = http.sent.into_inner();
        let shown: Vec<Value> = sent
            .iter()
            .map(|request| {
                let headers: Vec<String> =
                    request.headers.iter().map(|(name, value)| format!("{name}: {}", value.expose())).collect();
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                json!({"url": request.url.expose(), "headers": headers, "body": body})
            })
            .collect();
        insta::assert_json_snapshot!(name, shown);
    }
}

/// The example of the specification (standard-webhooks, spec/standard-webhooks.md) has another body; the calculation is the one of
/// its libraries: base64 of HMAC-SHA-256 over `id.timestamp.body`, with the key that follows `whsec_` in base64.
#[tokio::test]
async fn a_receiver_can_check_the_signature() {
    let channel =
        made(json!({"webhook": {"url": "https://h.example/x", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}));
    let http = answering(204, "");
    channel.send(&notice(Event::Opened), None, &http).await.unwrap();
    let sent = http.sent.into_inner().remove(0);
    let header = |name: &str| sent.headers.iter().find(|(one, _)| one == name).unwrap().1.expose().to_owned();
    let signed =
        [header("webhook-id").as_bytes(), b".", header("webhook-timestamp").as_bytes(), b".", &sent.body].concat();
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let key = base64.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
    let signature = base64.decode(header("webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
    aws_lc_rs::hmac::verify(&key, &signed, &signature).unwrap();
    assert_eq!(header("idempotency-key"), header("webhook-id"));
}

#[tokio::test]
async fn answers_say_whether_another_try_can_help() {
    let hook = made(json!({"webhook": {"url": "https://h.example/x"}}));
    let bot = made(json!({"slack": {"bot_token": "xoxb-1", "channel": "#ops"}}));
    let check = async |channel: &Arc<dyn Channel>, http: Scripted, again: Again| {
        let failure = channel.send(&notice(Event::Opened), None, &http).await.unwrap_err();
        assert_eq!(failure.again, again, "{failure}");
        assert!(!failure.message.contains("xoxb"), "{failure}");
    };
    check(&hook, answering(500, "oops"), Again::Later).await;
    check(&hook, answering(404, "gone"), Again::Never).await;
    check(&hook, answering(301, ""), Again::Never).await;
    let mut slow = answering(429, "");
    slow.answer.retry_after_s = Some(30);
    check(&hook, slow, Again::After(Duration::from_secs(30))).await;
    check(&bot, answering(200, "{\"ok\":false,\"error\":\"channel_not_found\"}"), Again::Never).await;
    check(&bot, answering(200, "{\"ok\":false,\"error\":\"ratelimited\"}"), Again::Later).await;
    check(&bot, answering(200, "<html>"), Again::Later).await;
}

#[tokio::test]
async fn a_bot_stays_in_the_thread() {
    let bot = made(json!({"slack": {"bot_token": "xoxb-1", "channel": "#ops"}}));
    let http = answering(200, "{\"ok\":true,\"ts\":\"17.5\"}");
    let first = bot.send(&notice(Event::Opened), None, &http).await.unwrap();
    assert_eq!(first.reference.as_deref(), Some("17.5"));
    let later = bot
        .send(&notice(Event::Resolved), first.reference.as_deref(), &answering(200, "{\"ok\":true,\"ts\":\"18.0\"}"))
        .await
        .unwrap();
    assert_eq!(later.reference.as_deref(), Some("17.5"));
}

/// A mail server of one conversation: says what was said to it.
async fn mail_server(listener: TcpListener, refuse: &str) -> String {
    let (socket, _) = listener.accept().await.unwrap();
    let (read, mut write) = socket.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut said = String::new();
    let mut in_data = false;
    write.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        said.push_str(&line);
        said.push('\n');
        let answer = match line.split(' ').next().unwrap() {
            "." if in_data => {
                in_data = false;
                "250 taken"
            }
            _ if in_data => continue,
            "EHLO" => "250 mail.example",
            "RCPT" if !refuse.is_empty() => refuse,
            "DATA" => {
                in_data = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        if line == "QUIT" {
            break;
        }
    }
    said
}

async fn mail(refuse: &str) -> (Result<Taken, Failure>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let email = made(json!({"email": {
        "host": "127.0.0.1", "port": port, "security": "none", "from": "Signalbox <box@example.com>", "to": ["ann@example.com", "Bob <bob@example.com>"],
    }}));
    let (refuse, notice) = (refuse.to_owned(), notice(Event::Opened));
    let http = answering(200, "");
    let send = async {
        let sent = email.send(&notice, None, &http).await;
        drop(email);
        sent
    };
    tokio::join!(send, mail_server(listener, &refuse))
}

#[tokio::test]
async fn mail_is_text_and_html() {
    let (sent, said) = mail("").await;
    sent.unwrap();
    for part in [
        "MAIL FROM:<box@example.com>",
        "RCPT TO:<ann@example.com>",
        "RCPT TO:<bob@example.com>",
        "Subject: Firing: [critical] error-rate (model=gpt-4o): 0.073 > 0.05",
        "References: <0193a5b0@example.com>",
        "multipart/alternative",
        "text/plain",
        "text/html",
    ] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
}

#[tokio::test]
async fn mail_servers_say_whether_to_try_again() {
    assert!(super::email::html(&notice(Event::Opened)).contains("Look at **&lt;provider&gt;**."));
    assert_eq!(mail("550 no such user").await.0.unwrap_err().again, Again::Never);
    assert_eq!(mail("451 try later").await.0.unwrap_err().again, Again::Later);
}

#[tokio::test]
async fn what_may_have_caused_it_is_told_by_all() {
    let mut notice = notice(Event::Opened);
    notice.hints = vec!["`provider=<azure>`: 84 % of failed calls, 12 % before".to_owned()];
    for (via, escaped) in [
        (json!({"webhook": {"url": "https://h.example/x"}}), false),
        (json!({"slack": {"webhook_url": "https://hooks.slack.example/x"}}), true),
        (json!({"pagerduty": {"routing_key": "R0"}}), false),
        (json!({"opsgenie": {"api_key": "G0"}}), false),
        (json!({"alertmanager": {"url": "http://am.example:9093"}}), false),
    ] {
        let http = answering(200, "ok");
        made(via).send(&notice, None, &http).await.unwrap();
        let body = String::from_utf8(http.sent.into_inner()[0].body.to_vec()).unwrap();
        let expected = if escaped { "provider=&lt;azure&gt;" } else { "provider=<azure>" };
        assert!(body.contains(expected), "{body}");
    }
    assert!(email::html(&notice).contains("<li>`provider=&lt;azure&gt;`: 84 %"));
}
