//! Faults with a known cause, and what is found beside their incidents.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_testkit::builders;
use signalbox_types::seam::{Clock as _, EventStore as _};
use signalbox_types::{Events, Money, Span, SpanStatus, Timestamp};

use crate::tests::{House, error_rate, with};
use crate::{Incident, MarkerKind, NewMarker};

/// Calls of a minute: a third of them to each of three providers.
fn minute(from: Timestamp, first: u64, count: u64, change: impl Fn(u64, &mut Span)) -> Vec<Span> {
    let one = |number: u64| {
        let mut span = builders::llm_span("default", first + number, "small", from, number * 54_000 / count);
        // What is said has no part in it, and would be read with each question.
        (span.input_messages, span.output_messages) = (Vec::new(), Vec::new());
        span.provider = Some(["azure", "openai", "mistral"][number as usize % 3].to_owned());
        span.user_id = Some(format!("user-{}", number % 20));
        (span.prompt_name, span.prompt_version) = (Some("greet".to_owned()), Some("6".to_owned()));
        change(number, &mut span);
        span
    };
    (0..count).map(one).collect()
}

fn fail(span: &mut Span) {
    (span.status, span.error_type) = (SpanStatus::Error, Some("upstream".to_owned()));
}

/// Forty healthy minutes with sixty calls each, and then some with a fault, until there is an incident.
async fn incident(monitor: Value, fault: impl Fn(u64, &mut Span)) -> (House, Incident) {
    incident_of(60, monitor, fault).await
}

/// With so many calls in a minute with the fault.
async fn incident_of(count: u64, monitor: Value, fault: impl Fn(u64, &mut Span)) -> (House, Incident) {
    let mut house = House::new(with(monitor, json!({}))).await;
    // What is seen for the first time is news only where there was something before.
    house.store.append(minute(house.clock.now(), 900_000, 60, |_, _| {}).into()).await.unwrap();
    house.clock.advance(Duration::from_secs(7_200));
    for at in 0..45_u64 {
        let healthy = at < 40;
        let spans = minute(house.clock.now(), at * 1_000, if healthy { 60 } else { count }, |number, span| {
            if number % 30 == 7 {
                fail(span);
            }
            if !healthy {
                fault(number, span);
            }
        });
        house.store.append(spans.into()).await.unwrap();
        if at < 38 {
            house.clock.advance(Duration::from_secs(60));
            continue;
        }
        house.pass(60).await;
        if let Some(found) = house.incidents().pop() {
            assert!(!healthy, "{found:?}");
            return (house, found);
        }
    }
    panic!("there is no incident");
}

fn texts(incident: &Incident) -> Vec<&str> {
    let context = incident.context.as_ref().unwrap();
    assert_eq!(context.gaps, Vec::<String>::new());
    context.differences.iter().map(|one| one.text.as_str()).collect()
}

fn calls(measure: Value, more: Value) -> Value {
    let mut monitor = json!({
        "name": "m", "query": {"filter": {"field": "kind", "op": "=", "value": "llm"}, "measures": measure},
        "window": "1m", "delay": "0s", "notify": ["hook"],
    });
    monitor.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    monitor
}

#[tokio::test]
async fn an_outage_of_a_provider_is_told_apart_and_told_of() {
    let azure_fails = |number: u64, span: &mut Span| {
        if number.is_multiple_of(3) {
            fail(span);
        }
    };
    let failed = json!({"field": "status", "op": "=", "value": "error"});
    let measures = json!([{"fn": "count", "filter": failed, "as": "bad"}, {"fn": "count", "as": "all"}]);
    let share = json!({"value": {"of": "bad", "over": "all"}, "condition": {"threshold": {"above": 0.2}}});
    let (house, incident) = incident(calls(measures, share), azure_fails).await;
    let context = incident.context.as_ref().unwrap();
    assert_eq!(texts(&incident), ["`provider=azure`: 91 % of failed calls, 33 % of all calls before"]);
    assert!(context.differences[0].p < 1e-5 && context.differences[0].rows == 20, "{context:?}");
    assert_eq!(context.examples.len(), 10);
    assert!(context.examples.iter().all(|one| one.text.contains("error · upstream")), "{context:?}");
    let told = house.receiver.taken.lock()[0]["data"]["hints"].clone();
    assert_eq!(told, json!(["`provider=azure`: 91 % of failed calls, 33 % of all calls before"]));
    let written = incident.post_mortem();
    assert!(written.contains("## What differs\n\n- `provider=azure`") && written.contains("## Examples"), "{written}");
}

#[tokio::test]
async fn what_costs_more_is_told_apart_by_what_it_costs() {
    let dear = |number: u64, span: &mut Span| {
        if number % 20 == 4 {
            span.cost.as_mut().unwrap().total = Money::from_picos(900_000_000);
        }
    };
    let monitor =
        calls(json!([{"fn": "sum", "column": "cost"}]), json!({"condition": {"threshold": {"above": 0.001}}}));
    let (_, incident) = incident(monitor, dear).await;
    // Three calls cost all of it: that says little of any attribute but their user, and three are no lead.
    assert_eq!(texts(&incident), Vec::<&str>::new());
    let dear = |number: u64, span: &mut Span| {
        if number % 3 == 1 {
            span.cost.as_mut().unwrap().total = Money::from_picos(900_000_000);
        }
    };
    let monitor =
        calls(json!([{"fn": "sum", "column": "cost"}]), json!({"condition": {"threshold": {"above": 0.001}}}));
    let (_, incident) = self::incident(monitor, dear).await;
    assert_eq!(texts(&incident), ["`provider=openai`: 99 % of the cost, 33 % before"]);
    assert!(incident.context.unwrap().examples[0].text.contains("openai"));
}

#[tokio::test]
async fn slow_calls_a_flood_and_what_is_missing() {
    let slow = |number: u64, span: &mut Span| {
        if number.is_multiple_of(2) {
            span.prompt_version = Some("7".to_owned());
            span.end_time = span.start_time.plus(Duration::from_secs(30));
        }
    };
    let p95 =
        calls(json!([{"fn": "p95", "column": "duration_ms"}]), json!({"condition": {"threshold": {"above": 5_000}}}));
    let (_, found) = incident(p95, slow).await;
    assert_eq!(
        texts(&found),
        ["`prompt_name+prompt_version=greet 7`: 100 % of calls with `duration_ms` above 5000, 0 % of all calls before"]
    );
    let changes = &found.context.as_ref().unwrap().changes;
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0].title, "prompt `greet 7` seen for the first time");

    let flood = |number: u64, span: &mut Span| {
        if number >= 60 {
            span.user_id = Some("user-3".to_owned());
        }
    };
    let counted = calls(json!([{"fn": "count"}]), json!({"condition": {"threshold": {"above": 100}}}));
    let (_, found) = incident_of(300, counted, flood).await;
    assert_eq!(texts(&found), ["`user_id=user-3`: 81 % of calls, 5 % before"]);

    let gone = |number: u64, span: &mut Span| {
        if number % 3 == 2 {
            span.kind = signalbox_types::SpanKind::Chain;
        }
    };
    let fewer = calls(json!([{"fn": "count"}]), json!({"condition": {"threshold": {"below": 50}}}));
    let (_, found) = incident(fewer, gone).await;
    assert_eq!(texts(&found), ["`provider=mistral`: 0 % of calls, 33 % before"]);
}

#[tokio::test]
async fn what_fails_evenly_differs_in_nothing() {
    let random = |number: u64, span: &mut Span| {
        // By no attribute of the calls.
        let hash = span.trace_id.to_string().bytes().fold(number, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte));
        if hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 1 {
            fail(span);
        }
    };
    let (_, found) = incident(error_rate(json!({"condition": {"threshold": {"above": 0.2}}})), random).await;
    let texts = texts(&found);
    // The kind of failure isn't more frequent among failures than it was.
    assert!(
        texts.iter().all(|text| text.starts_with("`error_type=") || text.starts_with("`http_status=")),
        "{texts:?}"
    );
}

#[tokio::test]
async fn scores_are_explained_by_what_was_judged() {
    let failing = json!({"field": "passed", "op": "=", "value": true});
    let monitor = json!({
        "name": "quality", "query": {
            "table": "scores", "filter": {"field": "passed", "op": "exists"},
            "measures": [{"fn": "count", "filter": failing, "as": "passed"}, {"fn": "count", "as": "scores"}],
            "group_by": ["name"],
        },
        "value": {"of": "passed", "over": "scores"}, "window": "1m", "delay": "0s",
        "condition": {"threshold": {"below": 0.7}}, "notify": ["hook"],
    });
    let mut house = House::new(with(monitor, json!({}))).await;
    for at in 0..42_u64 {
        let now = house.clock.now();
        let worse = at >= 40;
        let spans = minute(now, at * 100, 60, |number, span| {
            if worse && number.is_multiple_of(2) {
                span.release = Some("2.0".to_owned());
            }
        });
        let score = |number: u64| {
            let bad = number % 20 == 3 || (worse && number.is_multiple_of(2));
            builders::score("default", at * 100 + number, "helpful", if bad { 0.1 } else { 0.9 }, now)
        };
        let mut scores: Vec<_> = (0..60).map(score).collect();
        // They come within the minute, whatever their number.
        scores.iter_mut().for_each(|score| score.time = now.plus(Duration::from_secs(5)));
        house.store.append(Events { spans, scores, ..Events::default() }).await.unwrap();
        if at < 38 {
            house.clock.advance(Duration::from_secs(60));
        } else {
            house.pass(60).await;
        }
    }
    let found = house.incidents().pop().unwrap();
    let context = found.context.as_ref().unwrap();
    assert_eq!(texts(&found), ["`release=2.0`: 91 % of scores that didn't pass, 0 % of all scores before"]);
    assert!(context.examples[0].text.starts_with("helpful"), "{context:?}");
}

#[tokio::test]
async fn what_was_changed_before_stands_beside_it() {
    let mut house = House::new(with(error_rate(json!({"for": 1})), json!({}))).await;
    let project = House::project();
    let marker = |title: &str, kind| NewMarker { title: title.to_owned(), kind, ..NewMarker::default() };
    house.watch.mark(&project, marker("long ago", MarkerKind::Deploy), Some("ci")).await.unwrap();
    house.clock.advance(Duration::from_secs(2 * 3_600));
    house.watch.mark(&project, marker("shop 2.3.0", MarkerKind::Deploy), Some("ci")).await.unwrap();
    house.watch.configuration_changed(&["routes".to_owned(), "guard".to_owned()]).await;
    house.clock.advance(Duration::from_secs(12 * 60));
    let spans = minute(house.clock.now(), 0, 60, |_, span| fail(span));
    house.store.append(spans.into()).await.unwrap();
    house.pass(60).await;
    let titles = |house: &House| -> Vec<String> {
        let context = house.incidents().remove(0).context.unwrap();
        context.changes.into_iter().map(|change| change.title).collect()
    };
    assert_eq!(titles(&house), ["shop 2.3.0", "`routes`, `guard` changed"]);
    let hints = house.receiver.taken.lock()[0]["data"]["hints"].clone();
    assert_eq!(hints, json!(["13 min before: config `routes`, `guard` changed"]));
    // Told of too late, and still in its place; it stays when somebody looks again, and over a restart.
    let at = Some(house.clock.now().minus(Duration::from_secs(300)));
    let late = NewMarker { at, ..marker("model exchanged", MarkerKind::Model) };
    house.watch.mark(&project, late, None).await.unwrap();
    let id = house.incidents()[0].id.clone();
    for _ in 0..2 {
        assert_eq!(titles(&house).last().map(String::as_str), Some("model exchanged"));
        house.watch.look_into(&project, &id).await.unwrap();
        house.restart().await;
    }
    assert_eq!(house.watch.markers(&project, Timestamp::from_micros(0), house.clock.now(), 10).len(), 4);
    // After ninety days they are forgotten.
    house.clock.advance(Duration::from_secs(91 * 86_400));
    house.watch.mark(&project, marker("now", MarkerKind::Other), None).await.unwrap();
    let kept =
        house.watch.markers(&project, Timestamp::from_micros(0), house.clock.now().plus(Duration::from_secs(1)), 10);
    assert_eq!(kept.iter().map(|one| one.title.as_str()).collect::<Vec<_>>(), ["now"]);
    let documents = house.documents.0.lock().keys().filter(|key| key.kind == crate::Kind::Marker).count();
    assert_eq!(documents, 1);
}

#[tokio::test]
async fn markers_say_what_is_wrong_with_them() {
    let house = House::new(with(error_rate(json!({})), json!({}))).await;
    let far = Some(house.clock.now().plus(Duration::from_secs(10 * 86_400)));
    let wrong = NewMarker { title: " ".to_owned(), url: Some("ftp://x".to_owned()), at: far, ..NewMarker::default() };
    let error = house.watch.mark(&House::project(), wrong, None).await.unwrap_err().to_string();
    for field in ["`title`: is empty", "`url`: is no URL", "`at`: is "] {
        assert!(error.contains(field), "{error}");
    }
}
