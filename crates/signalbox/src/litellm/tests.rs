use serde_json::json;

use super::*;
use crate::config::Config;

fn config() -> Value {
    json!({
        "model_list": [
            {"model_name": "gpt-4o", "litellm_params": {"model": "openai/gpt-4o", "api_key": "os.environ/OPENAI_API_KEY", "rpm": 60}},
            {"model_name": "gpt-4o", "litellm_params": {"model": "azure/gpt-4o-eu", "api_key": "os.environ/AZURE_KEY", "api_base": "https://eu.openai.azure.com/", "weight": 3}},
            {"model_name": "claude", "litellm_params": {"model": "claude-sonnet-4-5"}, "model_info": {"mode": "chat", "team": "x"}},
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
        "    variables: {region: us-east-1}\n    auth: {aws: {access_key_id: \"${BEDROCK_ID}\", secret_access_key: \"${AWS_2_SECRET_ACCESS_KEY}\"}}\n",
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
        "model_list[2].model_info.team: it has no counterpart",
    ] {
        assert!(told.contains(what), "{what} is not in\n{told}");
    }
    assert!(
        translated.notes.iter().any(|note| note.contains("`model_info.mode` is not needed")),
        "{:?}",
        translated.notes
    );
    assert!(translate(&json!({"models": []})).unwrap_err().to_string().contains("model_list"));
}

/// The translation, which must be a valid configuration.
fn valid(config: &Value) -> Translated {
    let translated = translate(config).unwrap();
    let env = |name: &str| Some(format!("value-of-{name}"));
    let parsed = Config::parse("signalbox.yaml", &translated.yaml, &env);
    assert!(parsed.is_ok(), "{}\n{}", translated.yaml, parsed.unwrap_err());
    translated
}

fn assert_has(text: &str, all: &[&str]) {
    for one in all {
        assert!(text.contains(one), "{one} is not in\n{text}");
    }
}

#[test]
fn a_key_in_the_file_gets_a_variable_that_nothing_else_is_read_from() {
    let of = |model: &str, params: Value| {
        let mut all = json!({"model": model});
        all.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
        all
    };
    let config = json!({"model_list": [
        {"model_name": "a", "litellm_params": of("openai/gpt-4o", json!({"api_key": "sk-plain-other-account"}))},
        {"model_name": "b", "litellm_params": of("openai/gpt-4o", json!({"api_key": "os.environ/OPENAI_API_KEY"}))},
        {"model_name": "c", "litellm_params": of("groq/llama", json!({"api_key": "gsk-plain"}))},
        // It is called with the variable of its kind, though nobody says so.
        {"model_name": "d", "litellm_params": of("groq/llama", json!({}))},
        {"model_name": "e", "litellm_params": of("mistral/large", json!({"api_key": "mi-plain"}))},
        {"model_name": "f", "litellm_params": of("bedrock/nova", json!({"aws_access_key_id": "one", "aws_secret_access_key": "s1"}))},
        {"model_name": "g", "litellm_params": of("bedrock/nova", json!({"aws_access_key_id": "two", "aws_secret_access_key": "s2"}))},
    ], "environment_variables": {"MISTRAL_API_KEY": "mi-other"}});
    let translated = valid(&config);
    assert_has(
        &translated.yaml,
        &[
            "- name: openai\n    api_key: \"${OPENAI_2_API_KEY}\"",
            "- name: openai-2\n    kind: openai\n    api_key: \"${OPENAI_API_KEY}\"",
            "- name: groq\n    api_key: \"${GROQ_2_API_KEY}\"",
            "- name: mistral\n    api_key: \"${MISTRAL_2_API_KEY}\"",
            "auth: {aws: {access_key_id: \"${AWS_2_ACCESS_KEY_ID}\", secret_access_key: \"${AWS_2_SECRET_ACCESS_KEY}\"}}",
            "- {provider: aws_bedrock-2, model: nova}",
        ],
    );
    let notes = translated.notes.join("\n");
    assert_has(&notes, &["the key of `openai` stood in the file: put it into OPENAI_2_API_KEY"]);
    assert!(!notes.contains("into OPENAI_API_KEY") && !notes.contains("plain"), "{notes}");
}

#[test]
fn what_is_known_of_models_carries_over() {
    let config = json!({"model_list": [
        {"model_name": "a", "litellm_params": {"model": "azure/deployed", "api_base": "https://x.openai.azure.com",
            "organization": "org-1", "extra_headers": {"x-team": "a$b", "x-token": "t-secret"}, "max_retries": 4, "output_cost_per_token": 0.000008},
         "model_info": {"base_model": "azure/gpt-4o", "max_input_tokens": 128000, "supports_vision": false,
            "input_cost_per_token": 0.000002, "cache_read_input_token_cost": 5e-7, "input_cost_per_token_above_200k_tokens": 0.000004}},
        {"model_name": "b", "litellm_params": {"model": "azure/other", "api_base": "https://y.openai.azure.com", "guardrails": ["x"]}, "model_info": {"base_model": "azure/gpt-4o"}},
        {"model_name": "c", "litellm_params": {"model": "azure/deployed", "api_base": "https://y.openai.azure.com", "output_cost_per_token": 1e-6, "input_cost_per_token": 1e-6}},
    ], "router_settings": {"num_retries": 2, "content_policy_fallbacks": [{"a": ["b"]}]},
    "guardrails": [{"guardrail_name": "mask", "litellm_params": {"guardrail": "presidio", "mode": "pre_call"}}]});
    let translated = valid(&config);
    assert_has(
        &translated.yaml,
        &[
            "    headers:\n      OpenAI-Organization: org-1\n      x-team: \"a$$b\"\n      x-token: \"${AZURE_X_TOKEN}\"\n",
            "model: deployed, context_tokens: 128000, lacks: [images]}\n    retry: {attempts: 4}",
            "model: other}\n    retry: {attempts: 2}",
            "  - provider: azure.ai.openai\n    model: deployed\n    input: 2\n    cache_read: 0.5\n    output: 8\n    tiers:\n      - {above_input_tokens: 200000, input: 4, cache_read: 0.5, output: 8}\n",
        ],
    );
    assert!(!format!("{translated:?}").contains("t-secret"), "{translated:?}");
    assert!(!format!("{:?}", translated.notes).contains("base_model"), "{:?}", translated.notes);
    assert_has(
        &translated.left_out.join("\n"),
        &[
            "model_list[1].model_info.base_model: prices go by the name",
            "model_list[1].litellm_params.guardrails: policies of `guard.policies`",
            "model_list[2]: prices: another entry has other prices",
            "router_settings.content_policy_fallbacks: `fallback_on: [guardrail]`",
            "guardrails[0]: `presidio` is a policy here: the scanner `pii`",
        ],
    );
}
