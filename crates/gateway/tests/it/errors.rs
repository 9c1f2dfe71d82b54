//! What goes wrong: status, body in the caller's dialect, and class on the span.

use serde_json::{Value, json};

use crate::house::{CHAT, House, KEY, MESSAGES, Plan, hand_written, http_answer, question, request, with};

/// The error's type as an SDK of the path's dialect reads it.
fn error_type(path: &str, body: &Value) -> String {
    assert!(body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    if path == MESSAGES {
        assert_eq!(body["type"], "error", "{body}");
    }
    body["error"]["type"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn keys_are_checked_before_anything_else() {
    let house = House::new().await;
    let principal = house.catalog.authenticate(KEY).unwrap();
    let made = house.catalog.create_key(&principal, "short-lived").await.unwrap();
    house.catalog.revoke_key(&principal, &made.id).await.unwrap();
    for path in [CHAT, MESSAGES] {
        for key in ["", "Bearer sb-unknown", &format!("Bearer {}", made.key.expose())] {
            // A body that would be refused, too: it must not be read.
            let mut call = request(path, &[], "no json".into());
            call.headers_mut().remove("authorization");
            if !key.is_empty() {
                call.headers_mut().insert("authorization", key.parse().unwrap());
            }
            let answer = crate::house::Answer::read(house.send(call).await).await;
            assert_eq!(answer.status, 401, "{}", answer.text());
            let kind = error_type(path, &answer.json());
            assert_eq!(kind, if path == MESSAGES { "authentication_error" } else { "invalid_request_error" }, "{kind}");
            assert!(!answer.text().contains(made.key.expose()));
        }
        let mut call = request(path, &[("x-api-key", KEY)], question(path, "sim/small").to_string().into());
        call.headers_mut().remove("authorization");
        if path == CHAT {
            let answer = crate::house::Answer::read(house.send(call).await).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
    assert_eq!(house.spans().await.len(), 1, "who has no key has no project to record in");
    assert!(house.metrics().contains(r#"status="401",error_type="unauthenticated""#), "{}", house.metrics());
}

#[tokio::test]
async fn bad_requests_name_what_is_wrong() {
    let house = House::new().await;
    let check = async |path: &str, body: &str, field: &str, needle: &str| {
        let answer = house.call_bytes(path, &[], body.to_owned().into()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        error_type(path, &answer.json());
        assert!(answer.text().contains(needle), "{body}: {}", answer.text());
        if path == CHAT && !field.is_empty() {
            assert_eq!(answer.json()["error"]["param"], field, "{}", answer.text());
        }
    };
    for path in [CHAT, MESSAGES] {
        check(path, "", "", "JSON").await;
        check(path, "{\"model\": \"sim/small\", ", "", "line 1").await;
        check(path, "[]", "", "object").await;
        check(path, "{\"messages\": []}", "model", "model").await;
        check(path, "{\"model\": 7, \"messages\": []}", "model", "model").await;
    }
    // What the other dialect can't say.
    let body = with(question(CHAT, "ant/small"), json!({"n": 3})).to_string();
    check(CHAT, &body, "n", "`n`").await;
    for span in house.spans().await {
        assert_eq!(span.error_type.as_deref(), Some("invalid_request"), "{span:#?}");
        assert_eq!(span.http_status, Some(400));
        assert_eq!(span.attributes["signalbox.error.source"], "caller");
    }
}

#[tokio::test]
async fn unknown_models_get_404_and_what_would_work() {
    let house = House::new().await;
    for path in [CHAT, MESSAGES] {
        let answer = house.call(path, &[], &question(path, "nowhere/gpt-9")).await;
        assert_eq!(answer.status, 404, "{}", answer.text());
        let kind = error_type(path, &answer.json());
        assert_eq!(kind, if path == MESSAGES { "not_found_error" } else { "invalid_request_error" });
        assert!(answer.text().contains("nowhere"), "{}", answer.text());
    }
    for span in house.spans().await {
        assert_eq!(span.error_type.as_deref(), Some("not_found"));
        assert_eq!(span.model_requested.as_deref(), Some("nowhere/gpt-9"));
    }
    assert!(!house.metrics().contains("gpt-9"), "a model that never worked must not become a label");
}

#[tokio::test]
async fn who_asks_for_no_model_hears_of_routes_too() {
    let route = |name: &str| json!({"name": name, "targets": [{"provider": "oai", "model": "small"}]});
    let names = ["chat", "billing", "summaries", "translation", "night", "weekend", "archive"];
    let routes = names.into_iter().map(route).collect();
    let house = House::build(Plan { routes, ..Plan::default() }).await;
    for (model, told) in [
        (
            "chta",
            "named `chta`. Did you mean the route `chat`? Other routes: `billing`, `summaries`, `translation`, `night`, `weekend` and 1 more. Write",
        ),
        (
            "something-else",
            "named `something-else`. Routes: `chat`, `billing`, `summaries`, `translation`, `night` and 2 more. Write",
        ),
        ("chta/x", "no provider `chta` for the model"),
    ] {
        let answer = house.call(CHAT, &[], &question(CHAT, model)).await;
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(answer.status == 404 && message.contains(told), "{message}");
    }
    // Without routes there is nothing to say of them.
    let answer = House::new().await.call(CHAT, &[], &question(CHAT, "chta")).await;
    assert!(!answer.text().contains("oute"), "{}", answer.text());
}

#[tokio::test]
async fn paths_below_messages_get_404_in_anthropics_shape() {
    let house = House::new().await;
    for path in ["/v1/messages/batches", "/v1/messages/batches/x", "/v1/messages/"] {
        assert!(signalbox_gateway::Gateway::handles(&http::Method::POST, path));
        let answer = house.call(path, &[], &question(MESSAGES, "ant/small")).await;
        assert_eq!(answer.status, 404, "{}", answer.text());
        assert_eq!(error_type(MESSAGES, &answer.json()), "not_found_error");
        assert!(answer.text().contains(&format!("{path} is not served here")), "{}", answer.text());
    }
    assert!(!signalbox_gateway::Gateway::handles(&http::Method::POST, "/v1/messages2"));
    assert!(house.spans().await.is_empty());
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    let house = House::new().await;
    let mut call = request(CHAT, &[], "{}".into());
    *call.method_mut() = http::Method::GET;
    let answer = crate::house::Answer::read(house.send(call).await).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
    let answer = house.call("/v1/models", &[], &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, HEAD"));
}

#[tokio::test]
async fn refusals_of_providers_reach_the_caller() {
    struct Case {
        upstream: &'static str,
        same: u16,
        across: u16,
        class: &'static str,
    }
    let cases = [
        Case { upstream: "400", same: 400, across: 400, class: "invalid_request" },
        Case { upstream: "401", same: 502, across: 502, class: "upstream_auth" },
        Case { upstream: "403", same: 502, across: 502, class: "upstream_auth" },
        Case { upstream: "404", same: 404, across: 404, class: "not_found" },
        Case { upstream: "429", same: 429, across: 429, class: "rate_limited" },
        Case { upstream: "500", same: 500, across: 502, class: "upstream_error" },
        Case { upstream: "503", same: 503, across: 503, class: "upstream_overloaded" },
    ];
    let house = House::new().await;
    let mut classes = Vec::new();
    for case in &cases {
        for (path, model, same) in [
            (CHAT, "oai/small", true),
            (MESSAGES, "ant/small", true),
            (CHAT, "ant/small", false),
            (MESSAGES, "oai/small", false),
        ] {
            for stream in [false, true] {
                let body = with(question(path, model), json!({"stream": stream}));
                let answer = house.call(path, &[("x-sim-status", case.upstream)], &body).await;
                let expected = if same { case.same } else { case.across };
                assert_eq!(answer.status, expected, "{} {path} {model}: {}", case.upstream, answer.text());
                error_type(path, &answer.json());
                if matches!(case.upstream, "429" | "503") {
                    assert_eq!(answer.header("retry-after"), "1");
                }
                if case.class == "upstream_auth" {
                    assert!(answer.text().contains("provider `"), "{}", answer.text());
                    assert_eq!(answer.header("x-should-retry"), "false");
                }
                classes.push(case.class);
            }
        }
    }
    let found: Vec<_> = house.spans().await.iter().map(|span| span.error_type.clone().unwrap()).collect();
    assert_eq!(found, classes);
}

#[tokio::test]
async fn a_providers_own_words_pass_verbatim_in_the_same_dialect() {
    let body = r#"{ "error": {"message":"Too big","type":"invalid_request_error","param":"messages","code":"context_length_exceeded","extra":1} }"#;
    let head = "400 Bad Request\r\nx-request-id: req_7\r\nset-cookie: a=b";
    let base_url = hand_written(vec![http_answer(head, "application/json", body)]).await;
    let providers = vec![json!({"name": "hand", "dialect": "openai_chat", "base_url": base_url, "api_key": "k"})];
    let house = House::build(Plan { providers, ..Plan::default() }).await;
    let answer = house.call(CHAT, &[], &question(CHAT, "hand/m")).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (400, body));
    assert_eq!(answer.header("x-request-id"), "req_7");
    assert_eq!(answer.header("set-cookie"), "");
    let answer = house.call(MESSAGES, &[], &question(MESSAGES, "hand/m")).await;
    assert_eq!(answer.json()["error"]["message"], "Too big", "{}", answer.text());
    let spans = house.spans().await;
    assert_eq!(spans[0].status_message.as_deref(), Some("Too big"));
    assert_eq!(spans[0].attributes["signalbox.error.code"], "context_length_exceeded");
}

#[tokio::test]
async fn garbage_is_a_502() {
    let house = House::new().await;
    for (path, model) in [(CHAT, "oai/small"), (MESSAGES, "ant/small"), (CHAT, "ant/small"), (MESSAGES, "oai/small")] {
        let answer = house.call(path, &[("x-sim-garbage", "1")], &question(path, model)).await;
        assert_eq!(answer.status, 502, "{}", answer.text());
        error_type(path, &answer.json());
        let answer = house.call(path, &[("x-sim-cut-after", "1")], &question(path, model)).await;
        assert_eq!(answer.status, 502, "{}", answer.text());
        let answer = house.call(path, &[("x-sim-drop", "1")], &question(path, model)).await;
        assert_eq!(answer.status, 502, "{}", answer.text());
    }
    for span in house.spans().await {
        assert_eq!(span.error_type.as_deref(), Some("upstream_error"));
        assert_eq!(span.attributes["signalbox.error.source"], "upstream");
    }
    // A page of a proxy is passed to nobody.
    let base_url = hand_written(vec![http_answer("500 Oops", "text/html", "<html>oops</html>")]).await;
    let providers = vec![json!({"name": "hand", "dialect": "openai_chat", "base_url": base_url, "api_key": "k"})];
    let house = House::build(Plan { providers, ..Plan::default() }).await;
    let answer = house.call(CHAT, &[], &question(CHAT, "hand/m")).await;
    assert_eq!(answer.status, 502);
    error_type(CHAT, &answer.json());
}

#[tokio::test]
async fn providers_that_are_down_or_slow() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let providers = vec![json!({"name": "down", "dialect": "openai_chat", "base_url": nobody, "api_key": "k"})];
    let timeouts = json!({"first_byte": "50ms", "idle": "50ms"});
    let house = House::build(Plan { providers, timeouts, ..Plan::default() }).await;
    let answer = house.call(CHAT, &[], &question(CHAT, "down/m")).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    let answer = house.call(CHAT, &[("x-sim-latency-ms", "60000")], &question(CHAT, "oai/small")).await;
    assert_eq!(answer.status, 504, "{}", answer.text());
    let body = with(question(CHAT, "oai/small"), json!({"stream": true}));
    let answer = house.call(CHAT, &[("x-sim-stall-after", "2")], &body).await;
    assert!(answer.events().last().unwrap()["error"].is_object(), "{}", answer.text());
    let classes: Vec<_> = house.spans().await.iter().map(|span| span.error_type.clone().unwrap()).collect();
    assert_eq!(classes, ["upstream_unreachable", "upstream_timeout", "upstream_timeout"]);
}

#[tokio::test]
async fn who_refuses_our_credential_does_not_show_it() {
    let credential = format!("sk-ours-{}", "0123456789");
    let told = json!({"error": {"message": format!("Incorrect API key provided: {credential}. Header: Bearer {credential}"), "type": "x"}});
    for (status, body) in [
        ("401 Unauthorized", told.to_string()),
        ("403 Forbidden", told.to_string()),
        ("400 Bad Request", told.to_string()),
        ("500 Oops", format!("<html>{credential}</html>")),
        ("200 OK", told.to_string()),
    ] {
        // In two pieces, cut within the credential.
        let mut whole = http_answer(status, "application/json", &body);
        let cut = whole.windows(8).position(|window| window == b"sk-ours-").unwrap() + 11;
        let first = whole.split_to(cut);
        let base_url = hand_written(vec![first, whole]).await;
        let provider = json!({"name": "bad", "dialect": "openai_chat", "base_url": base_url, "api_key": credential});
        let house = House::build(Plan { providers: vec![provider], ..Plan::default() }).await;
        let asked = [
            (CHAT.to_owned(), question(CHAT, "bad/m")),
            (MESSAGES.to_owned(), question(MESSAGES, "bad/m")),
            ("/providers/bad/unknown".to_owned(), json!({"x": 1})),
        ];
        for (path, body) in asked {
            let answer = house.call(&path, &[], &body).await;
            // What passes through with a success is as it is.
            if status != "200 OK" || !path.starts_with("/providers") {
                assert!(!answer.text().contains(&credential), "{status} {path}: {}", answer.text());
            }
        }
        for span in house.spans().await.iter().take(2) {
            assert!(!format!("{span:?}").contains(&credential), "{status}: {span:#?}");
        }
    }
}
