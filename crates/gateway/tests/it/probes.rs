//! Targets that are asked whether their own model answers: a provider may be well while one of its models isn't.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use signalbox_gateway::TargetStatus;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::house::{CHAT, House, Plan, http_answer, question, read_request};
use crate::routes::routed;

const CHAT_ANSWER: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;
const GONE: &str = r#"{"error":{"message":"The model `gone` was retired; your key sk-up-secret is fine","type":"invalid_request_error","code":"model_not_found"}}"#;
const TOO_SHORT: &str = r#"{"error":{"message":"Could not finish the message because max_tokens or model output limit was reached","type":"invalid_request_error"}}"#;

/// A provider whose models are what `answer` says of them; and what it was asked.
async fn provider(answer: fn(&str) -> (&'static str, &'static str)) -> (Value, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let notes = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let notes = Arc::clone(&notes);
            tokio::spawn(async move {
                let request = read_request(&mut socket).await;
                let (status, body) = answer(&request);
                notes.lock().push(request);
                socket.write_all(&http_answer(status, "application/json", body)).await.ok();
            });
        }
    });
    let provider = json!({"name": "up", "dialect": "openai_chat", "base_url": base_url, "api_key": "sk-up-secret"});
    (provider, asked)
}

fn by_model(request: &str) -> (&'static str, &'static str) {
    if request.contains("\"gone\"") {
        ("404 Not Found", GONE)
    } else if request.contains("\"thinks\"") {
        ("400 Bad Request", TOO_SHORT)
    } else {
        ("200 OK", CHAT_ANSWER)
    }
}

fn targets(house: &House) -> Vec<TargetStatus> {
    house.gateway.routes().remove(0).targets
}

async fn until(holds: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("it never came to be");
}

#[tokio::test]
async fn one_model_of_a_provider_is_unwell_while_the_provider_is_well() {
    let (mut up, asked) = provider(by_model).await;
    up["probe"] = json!({"every": "3ms", "path": "/health", "failures": 1});
    let own = json!({"failures": 2});
    let list =
        json!([{"provider": "up", "model": "gone", "probe": own}, {"provider": "up", "model": "fine", "probe": own}]);
    let house = routed(list, json!({}), vec![up]).await;
    until(|| targets(&house)[0].unwell.is_some() && targets(&house)[1].probe.is_some()).await;
    until(|| targets(&house)[0].provider_probe.is_some()).await;
    let [gone, fine] = <[_; 2]>::try_from(targets(&house)).unwrap();
    let probe = gone.probe.unwrap();
    assert!(!probe.well && probe.failures_in_a_row >= 2, "{probe:?}");
    assert!(gone.provider_probe.unwrap().well && fine.probe.unwrap().well);
    let why = gone.unwell.unwrap();
    assert!(why.contains("model `gone`") && why.contains("HTTP status 404: The model `gone` was retired"), "{why}");
    assert!(!why.contains("sk-up-secret"), "{why}");
    assert_eq!(fine.unwell, None);
    // One token of its own model, and no call of anybody's.
    let first = asked.lock().iter().find(|asked| asked.contains("\"fine\"")).cloned().unwrap();
    assert!(first.starts_with("POST /v1/chat/completions") && first.contains(r#""max_tokens":1}"#), "{first}");
    assert_eq!((fine.answered, gone.failed), (0, 0));

    let answer = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!((answer.header("x-signalbox-model"), answer.header("x-signalbox-attempts")), ("fine", "1"));
    let span = house.only_span().await;
    assert!(span.attributes["signalbox.route.left"].contains("asked whether it is well"), "{span:#?}");
}

#[tokio::test]
async fn a_model_that_answers_counts_more_than_what_its_provider_says() {
    fn answer(request: &str) -> (&'static str, &'static str) {
        if request.starts_with("GET") { ("503 Down", "{}") } else { by_model(request) }
    }
    let (mut up, _) = provider(answer).await;
    up["probe"] = json!({"every": "3ms", "failures": 1});
    let list = json!([{"provider": "up", "model": "fine", "probe": {}}, {"provider": "up", "model": "thinks", "probe": {}},
        {"provider": "up", "model": "plain"}]);
    let house = routed(list, json!({}), vec![up]).await;
    until(|| targets(&house)[2].unwell.is_some()).await;
    until(|| targets(&house)[..2].iter().all(|target| target.probe.is_some())).await;
    // Also one that thinks, and finds a token too short.
    let [fine, thinks, plain] = <[_; 3]>::try_from(targets(&house)).unwrap();
    assert_eq!((fine.unwell, thinks.unwell), (None, None));
    assert!(plain.probe.is_none() && !plain.provider_probe.unwrap().well);
    assert!(plain.unwell.unwrap().contains("HTTP status 503"));
}

#[tokio::test]
async fn embeddings_are_asked_for_where_the_model_has_only_those() {
    let (up, asked) = provider(|_| ("200 OK", "{}")).await;
    let list = json!([{"provider": "up", "model": "e", "probe": {"every": "3ms", "ask": "embeddings"}}]);
    let house = routed(list, json!({}), vec![up]).await;
    until(|| targets(&house)[0].probe.is_some()).await;
    let first = asked.lock()[0].clone();
    assert!(first.starts_with("POST /v1/embeddings") && first.contains(r#""model":"e""#), "{first}");
}

#[tokio::test]
async fn who_is_no_longer_a_target_is_no_longer_asked_and_who_stays_is_asked_on() {
    let (up, asked) = provider(by_model).await;
    let plan = |models: &[&str]| {
        let target = |model: &&str| json!({"provider": "up", "model": model, "probe": {"every": "3ms"}});
        let routes = json!([{"name": "chat", "targets": models.iter().map(target).collect::<Vec<_>>()}]);
        Plan { routes, providers: vec![up.clone()], ..Plan::default() }
    };
    let house = House::build(plan(&["one", "two"])).await;
    let count = |model: &str| {
        let model = format!("\"{model}\"");
        asked.lock().iter().filter(|asked| asked.contains(&model)).count()
    };
    until(|| count("one") > 2 && count("two") > 2).await;
    house.reload(plan(&["one"])).unwrap();
    drop(house.gateway);
    let before = count("two");
    let one = count("one");
    until(|| count("one") > one + 20).await;
    // One may have been under way.
    assert!(count("two") <= before + 1, "{} and then {}", before, count("two"));
    let status = house.switch.current().routes().remove(0).targets.remove(0);
    assert!(status.probe.unwrap().successes_in_a_row > 20, "it was not begun anew");
}

#[test]
fn what_is_zero_is_told() {
    let upstream = serde_json::from_value(
        json!({"providers": [{"name": "up", "dialect": "openai_chat", "base_url": "http://x"}]}),
    );
    let clock = Arc::new(signalbox_testkit::ManualClock::default());
    let upstream = signalbox_upstream::Upstream::new(&upstream.unwrap(), &|_| None, clock).unwrap();
    let routes = json!([{"name": "chat", "targets": [{"provider": "up", "model": "m", "probe": {"failures": 0}}]}]);
    let problems = signalbox_gateway::Routes::problems(&serde_json::from_value::<Vec<_>>(routes).unwrap(), &upstream);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].path, "routes[0].targets[0].probe.failures");
}
