//! A support assistant: embed the question, retrieve documents, answer from them. Several turns
//! make a session. Instrumented with OpenInference, calls through the gateway.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Headers, answer_text};
use crate::demo::client::Client;
use crate::demo::otlp::{self, Step};
use crate::demo::random::Random;
use crate::demo::{Release, words};

const SYSTEM: &str =
    "You are the support assistant of Boardly. Answer from the documents only, briefly, and name the document.";

pub(in crate::demo) async fn run(client: &Client, release: Release, random: &mut Random) -> Result<()> {
    let user = *random.pick(words::USERS);
    let session = format!("support-{:08x}", random.next() as u32);
    let mut conversation: Vec<Value> = vec![json!({"role": "system", "content": SYSTEM})];
    for _ in 0..=random.below(3) {
        turn(client, release, random, user, &session, &mut conversation).await?;
        Client::pause(200 + random.below(1_500)).await;
    }
    Ok(())
}

async fn turn(
    client: &Client,
    release: Release,
    random: &mut Random,
    user: &str,
    session: &str,
    conversation: &mut Vec<Value>,
) -> Result<()> {
    let question = if random.chance(0.06) { *random.pick(words::ATTACKS) } else { *random.pick(words::QUESTIONS) };
    let mut root = Step::root("support-assistant");
    root.set("openinference.span.kind", "CHAIN");
    root.set("input.value", question);
    root.set("session.id", session);
    root.set("user.id", user);
    let mut spans = Vec::new();

    let mut retrieve = root.child("retrieve documents");
    let headers = Headers::new(user, session, "support-assistant", release).with("traceparent", retrieve.traceparent());
    let embed = json!({"model": "sim/embed", "input": question});
    client.post("/v1/embeddings", &embed, &headers.as_slice()).await?;
    Client::pause(8 + random.below(25)).await;
    let documents = [*random.pick(words::DOCUMENTS), *random.pick(words::DOCUMENTS)];
    retrieve.set("openinference.span.kind", "RETRIEVER");
    retrieve.set("input.value", question);
    retrieve.set("session.id", session);
    for (i, (id, text)) in documents.iter().enumerate() {
        let document = format!("retrieval.documents.{i}.document");
        retrieve.set(&format!("{document}.id"), *id);
        retrieve.set(&format!("{document}.content"), *text);
        retrieve.set(&format!("{document}.score"), 0.62 + random.share() * 0.3);
    }
    spans.push(retrieve.end());

    let context: Vec<String> = documents.iter().map(|(id, text)| format!("[{id}] {text}")).collect();
    conversation.push(json!({"role": "user", "content": format!("{question}\n\nDocuments:\n{}", context.join("\n"))}));
    let model = if random.chance(0.7) { "sim/small" } else { "sim/large" };
    let call = json!({"model": model, "stream": true, "temperature": 0.2, "max_tokens": 220, "messages": conversation});
    let headers = Headers::new(user, session, "support-assistant", release)
        .with("traceparent", root.traceparent())
        .mood(release, random);
    let reply = client.post("/v1/chat/completions", &call, &headers.as_slice()).await?;
    let answer = answer_text(&reply.body);
    if reply.status.is_success() {
        root.set("output.value", answer.as_str());
        conversation.push(json!({"role": "assistant", "content": answer}));
    } else {
        root.fail(&format!("the model answered {}", reply.status));
    }
    spans.push(root.end());
    otlp::send(client, "support-assistant", release.name, "openinference.instrumentation.demo", spans).await
}
