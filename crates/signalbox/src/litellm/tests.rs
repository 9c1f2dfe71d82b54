use serde_json::json;

use super::*;
use crate::config::Config;

fn config() -> Value {
    json!({
        "model_list": [
            {"model_name": "gpt-4o", "litellm_params": {"model": "openai/gpt-4o", "api_key": "os.environ/OPENAI_API_KEY", "rpm": 60}},
            {"model_name": "gpt-4o", "litellm_params": {"model": "azure/gpt-4o-eu", "api_key": "os.environ/AZURE_KEY", "api_base": "https://eu.openai.azure.com/", "weight": 3}},
            {"model_name": "claude", "litellm_params": {"model": "claude-sonnet-4-5"}, "model_info": {"mode": "chat"}},
            {"model_name": "local", "litellm_params": {"model": "hosted_vllm/org/model: 7b", "api_base": "http://127.0.0.1:8000/v1", "max_parallel_requests": 4}},
            {"model_name": "quick", "litellm_params": {"model": "groq/llama", "api_key": "gsk-secret"}},
            {"model_name": "google", "litellm_params": {"model": "vertex_ai/gemini-pro"}},
            {"model_name": "openai/*", "litellm_params": {"model": "openai/*", "api_key": "os.environ/OPENAI_API_KEY"}},
            {"model_name": "vertex", "litellm_params": {"model": "vertex_ai/claude-sonnet-4-5@20250929"}},
            {"model_name": "amazon", "litellm_params": {"model": "bedrock/converse/us.anthropic.claude-haiku-4-5-20251001-v1:0",
                "aws_region_name": "us-east-1", "aws_access_key_id": "os.environ/BEDROCK_ID", "aws_secret_access_key": "aws-secret"}},
            {"model_name": "nova", "litellm_params": {"model": "bedrock/eu-central-1/amazon.nova-pro-v1:0"}},
            {"model_name": "strange", "litellm_params": {"model": "nobody/x"}},
        ],
        "router_settings": {"routing_strategy": "latency-based-routing", "num_retries": 2, "timeout": 30, "cooldown_time": 0.5,
            "fallbacks": [{"gpt-4o": ["claude", "missing"]}], "model_group_alias": {"gpt-4": "gpt-4o"}},
        "litellm_settings": {"drop_params": true, "context_window_fallbacks": [{"local": ["claude"]}]},
        "general_settings": {"master_key": "sk-1234"},
    })
}

#[test]
fn what_comes_out_is_a_valid_configuration() {
    let translated = translate(&config()).unwrap();
    let env = |name: &str| Some(format!("value-of-{name}"));
    let parsed = Config::parse("signalbox.yaml", &translated.yaml, &env);
    assert!(parsed.is_ok(), "{}\n{}", translated.yaml, parsed.unwrap_err());
    for line in [
        "  - {provider: openai, model: gpt-4o}",
        "  - {provider: azure, model: gpt-4o-eu, weight: 3}",
        "  - {provider: anthropic, model: claude-sonnet-4-5, weight: 0}",
        "base_url: \"https://eu.openai.azure.com/openai/v1\"",
        "api_key: \"${AZURE_KEY}\"",
        "model: \"org/model: 7b\", max_concurrency: 4}",
        "retry: {attempts: 2}",
        "timeouts: {try: 30000ms}",
        "breaker: {cooldown: 500ms}",
        "upstream_auth, context_length]",
        "  - name: gpt-4\n",
        "  - {provider: vertex_ai, model: gemini-pro}",
        "  - {provider: vertex_anthropic, model: \"claude-sonnet-4-5@20250929\"}",
        "    lenient: true\n",
        "  - {provider: aws_bedrock, model: \"us.anthropic.claude-haiku-4-5-20251001-v1:0\"}",
        "    variables: {region: us-east-1}\n    auth: {aws: {access_key_id: \"${BEDROCK_ID}\"}}\n",
        "  - name: aws_bedrock-2\n    kind: aws_bedrock\n    variables: {region: eu-central-1}\n",
        "  - {provider: aws_bedrock-2, model: \"amazon.nova-pro-v1:0\"}",
    ] {
        assert!(translated.yaml.contains(line), "{line} is not in\n{}", translated.yaml);
    }
    let written = format!("{}{:?}{:?}", translated.yaml, translated.notes, translated.left_out);
    assert!(
        !written.contains("sk-1234") && !written.contains("aws-secret") && !written.contains("gsk-secret"),
        "secrets are not copied"
    );
    assert!(translated.yaml.contains("api_key: \"${GROQ_API_KEY}\""), "{}", translated.yaml);
}

#[test]
fn what_did_not_carry_over_is_told() {
    let translated = translate(&config()).unwrap();
    let told = translated.left_out.join("\n");
    for what in [
        "model_list[0].litellm_params.rpm: limits by minute",
        "model_list[6]: names with `*` need no route",
        "model_list[10] (`strange`): there is no provider `nobody`",
        "fallback of `gpt-4o`: there is no model `missing`",
        "general_settings.master_key: keys are made with SIGNALBOX_BOOTSTRAP_KEY",
    ] {
        assert!(told.contains(what), "{what} is not in\n{told}");
    }
    assert!(translated.notes.iter().any(|note| note.contains("model_info")), "{:?}", translated.notes);
    assert!(translate(&json!({"models": []})).unwrap_err().to_string().contains("model_list"));
}
