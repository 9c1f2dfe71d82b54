use serde_json::json;

use super::*;

fn bearer(project: &str, file: &str) -> Bearer {
    let results = Results { project: ProjectId::new(project), provider: "up".into(), file: file.into() };
    Bearer { results, key: KeyId::new("key"), otel_name: "openai".to_owned(), dialect: Dialect::OpenaiChat }
}

fn used(model: &str) -> Used {
    let usage = Usage { input_tokens: Some(1), ..Usage::default() };
    Used { model: model.to_owned(), kind: LineKind::Chat, usage, cost: None, requests: 1, failed: 0 }
}

#[test]
fn a_batch_has_the_same_spans_whoever_tells_of_it_and_when() {
    let made = |bearer: &Bearer, place, model: &str, seconds: i64| {
        let batch = Batch { id: format!("batch_{seconds}"), ..Batch::default() };
        span(bearer, &batch, place, &used(model), Timestamp::from_micros(seconds * 1_000_000)).unwrap()
    };
    let first = made(&bearer("a", "file-1"), 0, "m", 1);
    let again = made(&bearer("a", "file-1"), 0, "m-2024-01-01", 2);
    assert_eq!((first.trace_id, first.span_id), (again.trace_id, again.span_id));
    assert_eq!((first.kind, first.name.as_str()), (SpanKind::Llm, "batch chat m"));
    let other_model = made(&bearer("a", "file-1"), 1, "n", 1);
    assert_eq!(other_model.trace_id, first.trace_id);
    assert_ne!(other_model.span_id, first.span_id);
    for other in [bearer("b", "file-1"), bearer("a", "file-2")] {
        assert_ne!(made(&other, 0, "m", 1).trace_id, first.trace_id);
    }
}

#[test]
fn what_is_known_of_batches_is_bounded() {
    let batches = Batches::default();
    for number in 0..MOST + 10 {
        let results = bearer("a", &format!("file-{number}")).results;
        batches.note(&results, |batch| batch.id = number.to_string());
        batches.note(&results, |batch| batch.is_booked = true);
    }
    let known = batches.0.lock();
    assert_eq!((known.by_results.len(), known.order.len()), (MOST, MOST));
    drop(known);
    assert_eq!(batches.get(&bearer("a", "file-0").results).id, "");
    assert!(batches.get(&bearer("a", "file-10").results).is_booked);
}

#[test]
fn sums_say_nothing_where_nothing_was_said() {
    let one = Usage { input_tokens: Some(2), ..Usage::default() };
    let other = Usage { input_tokens: Some(3), output_tokens: Some(0), ..Usage::default() };
    let sum = one.plus(&other);
    assert_eq!(json!(sum), json!(Usage { input_tokens: Some(5), output_tokens: Some(0), ..Usage::default() }));
}
