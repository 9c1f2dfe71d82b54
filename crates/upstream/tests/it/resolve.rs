//! Which provider serves a model, and what someone is told when none does.

use signalbox_upstream::{MaxTokensField, Upstream, UpstreamConfig};

use super::support::{clock, config};

fn with(toml: &str, env: &[(&str, &str)]) -> Upstream {
    let lookup = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Upstream::new(&config(toml), &lookup, clock()).unwrap_or_else(|error| panic!("{error}"))
}

fn check(upstream: &Upstream, model: &str, expect: &str) {
    let target = upstream.resolve(model).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(format!("{} {}", target.provider.name, target.model), expect, "{model}");
}

#[test]
fn without_any_key_the_simulated_provider_serves() {
    let upstream = Upstream::new(&UpstreamConfig::default(), &|_| None, clock()).unwrap();
    check(&upstream, "sim/small", "sim small");
    check(&upstream, "sim/anything/else", "sim anything/else");
    assert!(upstream.resolve("sim/small").unwrap().provider.is_simulated());
    let ids: Vec<String> = upstream.models().into_iter().map(|model| model.id).collect();
    assert_eq!(ids, ["sim/small", "sim/large", "sim/embed"]);
    let on: Vec<String> = upstream.providers().into_iter().filter(|p| p.on).map(|p| p.name).collect();
    assert_eq!(on, ["sim"]);
}

#[test]
fn keys_in_the_environment_switch_providers_on() {
    let env =
        [("OPENAI_API_KEY", "k"), ("ANTHROPIC_API_KEY", "k"), ("GROQ_API_KEY", " "), ("OLLAMA_BASE_URL", "http://o:1")];
    let upstream = with("", &env);
    check(&upstream, "openai/gpt-4o", "openai gpt-4o");
    check(&upstream, "gpt-4o-mini", "openai gpt-4o-mini");
    check(&upstream, "o3-mini", "openai o3-mini");
    check(&upstream, "text-embedding-3-small", "openai text-embedding-3-small");
    check(&upstream, "claude-sonnet-4-5", "anthropic claude-sonnet-4-5");
    check(&upstream, "ollama/hf.co/org/model:q4", "ollama hf.co/org/model:q4");
    assert!(upstream.resolve("groq/llama-3.1-8b-instant").is_err(), "an empty variable is no key");
    let why = |name: &str| upstream.providers().into_iter().find(|p| p.name == name).unwrap().why;
    assert_eq!(why("openai"), "OPENAI_API_KEY is set");
    assert_eq!(why("groq"), "set GROQ_API_KEY");
    assert_eq!(why("ollama"), "OLLAMA_BASE_URL is set");
    assert_eq!(why("vllm"), "set VLLM_BASE_URL, for example to http://127.0.0.1:8000/v1");
    assert_eq!(why("sim"), "built in");
    let second = with("", &[("GOOGLE_API_KEY", "k")]);
    check(&second, "gemini-2.5-flash", "gemini gemini-2.5-flash");
}

#[test]
fn configured_providers_come_first() {
    let toml = "
        [[providers]]
        name = 'mine'
        dialect = 'openai_chat'
        base_url = 'http://127.0.0.1:9'
        models = ['gpt-4o', 'org/model']
        [[providers]]
        name = 'eu'
        kind = 'openai'
        api_key = 'k'
        [[providers]]
        name = 'groq'
        enabled = false
        api_key = 'k'
    ";
    let upstream = with(toml, &[("OPENAI_API_KEY", "k")]);
    check(&upstream, "gpt-4o", "mine gpt-4o");
    check(&upstream, "org/model", "mine org/model");
    check(&upstream, "gpt-4.1", "eu gpt-4.1");
    check(&upstream, "openai/gpt-4.1", "openai gpt-4.1");
    assert!(upstream.resolve("groq/x").unwrap_err().to_string().contains("remove `enabled: false`"));
    let names: Vec<String> = upstream.providers().into_iter().take(4).map(|p| p.name).collect();
    assert_eq!(names, ["mine", "eu", "groq", "ai21"]);
}

#[test]
fn what_a_provider_calls_the_limit_of_output_tokens() {
    let toml = "
        [[providers]]
        name = 'own'
        dialect = 'openai_chat'
        base_url = 'http://127.0.0.1:9'
        [[providers]]
        name = 'azure'
        dialect = 'openai_chat'
        base_url = 'http://127.0.0.1:9'
        max_tokens_field = 'max_completion_tokens'
    ";
    let upstream = with(toml, &[("OPENAI_API_KEY", "k"), ("MISTRAL_API_KEY", "k")]);
    for (model, expected) in [
        ("openai/o3", MaxTokensField::MaxCompletionTokens),
        ("mistral/x", MaxTokensField::MaxTokens),
        ("own/x", MaxTokensField::MaxTokens),
        ("azure/x", MaxTokensField::MaxCompletionTokens),
    ] {
        assert_eq!(upstream.resolve(model).unwrap().provider.max_tokens_field, expected, "{model}");
    }
}

#[test]
fn unknown_models_say_what_would_work() {
    let upstream = with("", &[("MISTRAL_API_KEY", "k")]);
    for (model, parts) in [
        ("gpt-4o", &["`openai`, which is off", "set OPENAI_API_KEY", "`sim/small`", "`mistral`"][..]),
        ("anthropic/claude-x", &["`anthropic`, which is off", "set ANTHROPIC_API_KEY"]),
        ("ollama/llama3", &["set OLLAMA_BASE_URL", "http://127.0.0.1:11434/v1"]),
        ("mitsral/large", &["no provider `mitsral`", "did you mean `mistral`?"]),
        ("llama", &["`llama`", "`provider/model`", "OPENAI_API_KEY", "`sim/small`"]),
        ("", &["`provider/model`"]),
        ("sim/", &["The model's name is missing after `sim/`", "like `sim/small`"]),
        ("/gpt-4o", &["The provider's name is missing before `/gpt-4o`"]),
    ] {
        let error = upstream.resolve(model).unwrap_err();
        for part in parts {
            assert!(error.to_string().contains(part), "{model}: {error}");
        }
        assert_eq!(error.class().status(), 404);
    }
    let none = with("simulated = { enabled = false }", &[]);
    assert!(none.resolve("sim/small").unwrap_err().to_string().contains("`simulated`"));
}
