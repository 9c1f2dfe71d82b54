//! How long a caller waits, by its own word: tries, retries and waits in line end before that, and no target is blamed.

use serde_json::json;
use signalbox_gateway::BreakerState;

use crate::house::{Answer, CHAT, House, Plan, question, request};
use crate::routes::{as_tries, hang, routed, streamed, tries};

#[tokio::test]
async fn a_call_ends_before_its_caller_gives_up_and_nobody_is_blamed() {
    let provider = json!({"name": "slow", "dialect": "openai_chat", "base_url": hang().await, "api_key": "k"});
    let more = json!({"breaker": {"failures": 1}, "retry": {"attempts": 9, "base": "1ms"}});
    let targets = json!([{"provider": "slow", "model": "m"}, {"provider": "oai", "model": "small"}]);
    let house = routed(targets, more, vec![provider.clone()]).await;
    for header in [("x-signalbox-timeout-ms", "40"), ("grpc-timeout", "40m"), ("x-stainless-timeout", "0.04")] {
        let answer = house.call(CHAT, &[header], &question(CHAT, "chat")).await;
        assert_eq!(answer.status, 504, "{}", answer.text());
        let told = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(told.contains("within 40 ms, which is how long the caller waits") && told.contains(header.0), "{told}");
        assert_eq!(house.gateway.routes()[0].targets[0].breaker, BreakerState::Closed);
        let span = house.spans().await.pop().unwrap();
        assert_eq!(tries(&span), as_tries(&[("slow/m", "upstream_timeout")]), "{span:#?}");
        assert_eq!(span.attributes["signalbox.error.source"], "caller");
    }
    assert_eq!(house.gateway.routes()[0].targets[0].in_flight, 0);
    // Also without a route.
    let house = House::build(Plan { providers: vec![provider], ..Plan::default() }).await;
    let answer = house.call(CHAT, &[("x-signalbox-timeout-ms", "40")], &question(CHAT, "slow/m")).await;
    assert_eq!(answer.status, 504, "{}", answer.text());
}

#[tokio::test]
async fn a_time_that_cant_be_read_is_refused() {
    let house = House::new().await;
    for (time, status) in [("abc", 400), ("0", 400), ("1.5", 400), ("60000", 200)] {
        let answer = house.call(CHAT, &[("x-signalbox-timeout-ms", time)], &question(CHAT, "oai/small")).await;
        assert_eq!(answer.status, status, "{time}: {}", answer.text());
        let told =
            format!("the header `x-signalbox-timeout-ms` is `{time}`: expected how long you wait in milliseconds");
        assert_eq!(answer.text().contains(&told), status == 400, "{}", answer.text());
    }
    // What SDKs send by themselves is no reason to fail.
    let answer = house.call(CHAT, &[("x-stainless-timeout", "abc")], &question(CHAT, "oai/small")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn no_retry_is_waited_for_that_would_come_too_late() {
    let retry = json!({"retry": {"attempts": 9, "base": "5s", "max": "5s"}});
    let house = routed(json!([{"provider": "oai", "model": "small"}]), retry, vec![]).await;
    let headers = [("x-sim-status", "500"), ("x-signalbox-timeout-ms", "4000")];
    let began = std::time::Instant::now();
    let answer = house.call(CHAT, &headers, &question(CHAT, "chat")).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-attempts")), (500, "1"), "{}", answer.text());
    assert!(began.elapsed().as_secs() < 4, "the failure is told at once");
}

#[tokio::test]
async fn nobody_waits_in_line_longer_than_the_caller() {
    let targets = json!([{"provider": "oai", "model": "small", "max_concurrency": 1}]);
    let house = routed(targets, json!({"timeouts": {"queue": "60s"}}), vec![]).await;
    let first = house.send(request(CHAT, &[("x-sim-stall-after", "1")], streamed(CHAT).to_string().into())).await;
    let answer = house.call(CHAT, &[("x-signalbox-timeout-ms", "40")], &question(CHAT, "chat")).await;
    assert_eq!(answer.status, 504, "{}", answer.text());
    assert_eq!(house.gateway.routes()[0].targets[0].waiting, 0);
    drop(first);
}

#[tokio::test]
async fn a_stream_that_has_begun_goes_on() {
    let house = routed(json!([{"provider": "oai", "model": "small"}]), json!({}), vec![]).await;
    let headers = [("x-signalbox-timeout-ms", "60"), ("x-sim-chunk-delay-ms", "4"), ("x-sim-tokens", "30")];
    let answer = Answer::read(house.send(request(CHAT, &headers, streamed(CHAT).to_string().into())).await).await;
    assert!(answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
}
