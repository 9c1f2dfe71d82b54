//! Every row of the registry, called at the simulated provider.

use serde_json::json;
use signalbox_upstream::rows;
use signalbox_upstream::simulated::SimOptions;

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
