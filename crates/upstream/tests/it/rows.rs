//! Every row of the registry, called at the simulated provider.

use serde_json::json;
use signalbox_upstream::simulated::SimOptions;
use signalbox_upstream::{Operation, UpstreamCall, rows};

use super::simulated::{Socket, ask, question, whole};
use super::support::upstream;

#[tokio::test]
async fn every_row_can_be_called() {
    let socket = Socket::start(SimOptions::default()).await;
    for row in rows() {
        let bare = row.plain_base_url || matches!(row.dialect.as_str(), "bedrock_converse" | "cohere_v2");
        let path = if bare || row.base_url.as_deref().is_some_and(|url| url.ends_with(".ai")) { "" } else { "/v1" };
        let url = format!("http://{}{path}", socket.address);
        let upstream = upstream(&format!("[[providers]]\nname = '{}'\nbase_url = '{url}'\napi_key = 'k'", row.name));
        if row.paths.chat.is_empty() {
            let asked = json!({"model": "small", "input": "Hi"}).to_string();
            let call = UpstreamCall::new(Operation::Embeddings, asked.into());
            let target = upstream.resolve(&format!("{}/small", row.name)).unwrap();
            assert_eq!(upstream.send(&target, call).await.unwrap().status.as_u16(), 200, "{}", row.name);
            let error = ask(&upstream, &format!("{}/small", row.name), &question(false), &[]).await.unwrap_err();
            assert!(error.to_string().contains("chat"), "{}: {error}", row.name);
            continue;
        }
        let is_gemini = row.dialect == "gemini";
        let question = match row.dialect.as_str() {
            "gemini" => json!({"contents": [{"parts": [{"text": "Hi"}]}]}),
            "bedrock_converse" => json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}),
            _ => question(false),
        };
        let reply = ask(&upstream, &format!("{}/small", row.name), &question, &[]).await.unwrap();
        assert_eq!(reply.status.as_u16(), 200, "{}", row.name);
        let usage = whole(reply).await[if is_gemini { "usageMetadata" } else { "usage" }].clone();
        assert!(usage.is_object(), "{}", row.name);
    }
}

#[test]
fn there_are_rows_for_whom_people_ask() {
    assert!(rows().len() >= 60, "{}", rows().len());
    for name in [
        "openai",
        "azure",
        "azure_openai",
        "anthropic",
        "gemini",
        "vertex_ai",
        "vertex_anthropic",
        "aws_bedrock",
        "mistral",
        "cohere",
        "groq",
        "together",
        "fireworks",
        "deepseek",
        "xai",
        "openrouter",
        "perplexity",
        "cerebras",
        "sambanova",
        "nvidia",
        "huggingface",
        "replicate",
        "databricks",
        "cloudflare",
        "voyage",
        "jina",
        "vllm",
        "sglang",
        "tgi",
        "llamacpp",
        "ollama",
        "lmstudio",
    ] {
        assert!(rows().iter().any(|row| row.name == name), "{name}");
    }
}

#[tokio::test]
async fn claude_on_vertex_has_its_model_in_the_path() {
    let socket = Socket::start(SimOptions::default()).await;
    let url = format!("http://{}/v1/projects/p/locations/global/publishers/anthropic", socket.address);
    let upstream = upstream(&format!("[[providers]]\nname = 'vertex_anthropic'\nbase_url = '{url}'"));
    let target = upstream.resolve("vertex_anthropic/claude-sonnet-4-5@20250929").unwrap();
    let send = async |operation: Operation, stream: bool| {
        let mut call = UpstreamCall::new(operation, question(stream).to_string().into());
        call.stream = stream;
        let reply = upstream.send(&target, call).await.unwrap();
        (reply.status.as_u16(), String::from_utf8(reply.body.read_all(1 << 20).await.unwrap().to_vec()).unwrap())
    };
    let (status, answer) = send(Operation::Chat, false).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("claude-sonnet-4-5@20250929"), "{answer}");
    let (status, answer) = send(Operation::Chat, true).await;
    assert!(status == 200 && answer.contains("event: message_stop"), "{answer}");
    let (status, answer) = send(Operation::CountTokens, false).await;
    assert!(status == 200 && answer.contains("input_tokens"), "{answer}");
}
