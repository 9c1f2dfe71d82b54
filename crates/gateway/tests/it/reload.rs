//! Another configuration while calls run: those end by the one that began them, the next ones go by the other, and what has
//! not changed keeps its connections and its health.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use signalbox_gateway::{BreakerState, GatewayConfig};

use crate::house::{Answer, CHAT, House, Plan, content, inner_secret, question, request, secret, with};
use crate::routes::streamed;

fn plan(routes: Value) -> Plan {
    Plan { routes, ..Plan::default() }
}

fn chat(targets: Value) -> Value {
    json!([{"name": "chat", "breaker": {"failures": 1}, "retry": {"attempts": 0}, "targets": targets}])
}

#[tokio::test]
async fn a_stream_goes_on_by_the_old_and_the_next_call_by_the_new() {
    let house = House::build(plan(chat(json!([{"provider": "oai", "model": "small"}])))).await;
    let headers = [("x-sim-tokens", "20"), ("x-sim-chunk-delay-ms", "2")];
    let mut running = house.send(request(CHAT, &headers, streamed(CHAT).to_string().into())).await;
    let first = running.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    house.reload(plan(chat(json!([{"provider": "ant", "model": "large"}])))).unwrap();

    let next = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!((next.status.as_u16(), next.header("x-signalbox-provider")), (200, "ant"), "{}", next.text());
    let rest = running.into_body().collect().await.unwrap().to_bytes();
    let all = [first, rest].concat();
    let all = std::str::from_utf8(&all).unwrap();
    assert!(all.ends_with("data: [DONE]\n\n") && !content(all).is_empty(), "{all}");

    let spans = house.spans().await;
    let providers: Vec<_> = spans.iter().map(|span| span.attributes["signalbox.provider"].as_str()).collect();
    assert!(providers.contains(&"oai") && providers.contains(&"ant"), "{providers:?}");
    assert!(spans.iter().all(|span| span.error_type.is_none()), "{spans:#?}");
    // A provider that is gone is unknown to new calls.
    let before = house.call(CHAT, &[], &question(CHAT, "extra/m")).await;
    assert_eq!(before.status, 404);
}

#[tokio::test]
async fn who_has_not_changed_keeps_breaker_numbers_and_connections() {
    let bad = |first_byte: &str| {
        json!({"name": "bad", "dialect": "openai_chat", "base_url": "http://127.0.0.1:9/v1", "api_key": "k",
            "timeouts": {"first_byte": first_byte}})
    };
    let targets = json!([{"provider": "bad", "model": "m"}, {"provider": "oai", "model": "small"}]);
    let with_bad = |first_byte: &str, routes| Plan { providers: vec![bad(first_byte)], ..plan(routes) };
    let house = House::build(with_bad("1s", chat(targets.clone()))).await;
    house.call(CHAT, &[], &question(CHAT, "chat")).await;
    let target = |place: usize| house.switch.current().routes()[0].targets[place].clone();
    assert_eq!((target(0).breaker, target(1).answered), (BreakerState::Open, 1));
    assert!(house.metrics().contains(r#"breaker_open{route="chat",target="bad/m"} 1"#));

    // Another order and another weight are no other targets.
    let turned = json!([{"provider": "oai", "model": "small", "weight": 3}, {"provider": "bad", "model": "m"}]);
    house.reload(with_bad("1s", chat(turned))).unwrap();
    assert_eq!((target(1).breaker, target(0).answered), (BreakerState::Open, 1));
    assert_eq!(house.switch.current().routes()[0].calls, 1);
    house.call(CHAT, &[], &question(CHAT, "chat")).await;
    let providers = house.switch.current().providers();
    let oai = providers.iter().find(|provider| provider.name == "oai").unwrap();
    assert_eq!((oai.health.ok, oai.health.connections), (2, 1), "the connection is used again");

    // Whoever mends a provider's settings shall not wait for its breaker.
    house.reload(with_bad("2s", chat(targets))).unwrap();
    assert_eq!((target(0).breaker, target(0).failed, target(1).answered), (BreakerState::Closed, 0, 2));
    // A breaker of nobody is told no more.
    house.reload(plan(json!([]))).unwrap();
    assert!(!house.metrics().contains(r#"target="bad/m""#), "{}", house.metrics());
}

#[tokio::test]
async fn a_wrong_one_is_refused_as_a_whole() {
    let house = House::build(plan(chat(json!([{"provider": "oai", "model": "small"}])))).await;
    let wrong = json!([
        {"name": "chat", "targets": [{"provider": "ant", "model": "large"}]},
        {"name": "more", "targets": [{"provider": "nobody", "model": "m"}]},
    ]);
    let problems = house.reload(plan(wrong)).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].path, "routes[1].targets[0].provider");
    let answer = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-provider")), (200, "oai"));
}

#[tokio::test]
async fn guard_and_limits_change_with_it_and_a_stream_keeps_its_guard() {
    let house = House::guarded().await;
    let said = with(question(CHAT, "oai/small"), json!({"stream": true}));
    let echo = format!("The key is {} and that is all there is to say about it", secret());
    let leak = [("x-sim-echo", echo.as_str())];
    let running = house.send(request(CHAT, &leak, said.to_string().into())).await;
    // From now on without any policy, and for one call at a time.
    let config = GatewayConfig { max_in_flight: 1, ..GatewayConfig::default() };
    house.reload(Plan { config, ..Plan::default() }).unwrap();
    let refused = house.call(CHAT, &[], &question(CHAT, "oai/small")).await;
    assert_eq!(refused.status, 503, "the one that runs counts: {}", refused.text());
    let running = Answer::read(running).await;
    assert!(!running.text().contains(&inner_secret()), "{}", running.text());
    let next = house.call(CHAT, &leak, &said).await;
    assert!(next.content().contains(&secret()), "{}", next.text());
}

#[tokio::test]
async fn those_who_wait_in_line_are_let_in_by_a_larger_limit() {
    let targets = |most: usize| json!([{"provider": "oai", "model": "small", "max_concurrency": most}]);
    let house = House::build(plan(chat(targets(1)))).await;
    let first = house.send(request(CHAT, &[], streamed(CHAT).to_string().into())).await;
    let second = house.send(request(CHAT, &[], question(CHAT, "chat").to_string().into()));
    let enlarge = async {
        while house.switch.current().routes()[0].targets[0].waiting == 0 {
            tokio::task::yield_now().await;
        }
        house.reload(plan(chat(targets(2)))).unwrap();
    };
    let (second, ()) = tokio::join!(second, enlarge);
    assert_eq!(Answer::read(second).await.status, 200);
    Answer::read(first).await;
}
