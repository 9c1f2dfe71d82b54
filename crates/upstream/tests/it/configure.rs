//! What is wrong in a configuration is named with its path, and so is what to write.

use signalbox_upstream::{Upstream, UpstreamConfig};

use super::support::{clock, config};

fn check(toml: &str, path: &str, parts: &[&str]) {
    let error = Upstream::new(&config(toml), &|_| None, clock()).unwrap_err();
    let problem = error.problems.iter().find(|problem| problem.path == path);
    let problem = problem.unwrap_or_else(|| panic!("nothing about {path} in: {error}")).to_string();
    for part in parts {
        assert!(problem.contains(part), "{problem}");
    }
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[test]
fn wrong_values_are_named() {
    let own = "[[providers]]\nname = 'ok'\nkind = 'sim'\n[[providers]]\nname = 'mine'\n";
    check(
        &format!("{own}dialect = 'openai-chat'\nbase_url = 'http://x'"),
        "providers[1].dialect",
        &["`openai-chat`", "did you mean `openai_chat`?", "`anthropic_messages`"],
    );
    check(&format!("{own}kind = 'opnai'"), "providers[1].kind", &["`opnai`", "did you mean `openai`?"]);
    check(&format!("{own}base_url = 'http://x'"), "providers[1].dialect", &["`mine`", "`openai_chat`", "`kind`"]);
    check(&format!("{own}dialect = 'openai_chat'"), "providers[1].base_url", &["http://127.0.0.1:8000/v1"]);
    check(&format!("{own}kind = 'openai'\nbase_url = 'x.com'"), "providers[1].base_url", &["`x.com`", "https://"]);
    check(
        &format!("{own}kind = 'openai'\nbase_url = 'https://u:s3cret@x.com'"),
        "providers[1].base_url",
        &["password", "`api_key`"],
    );
    check(
        &format!("{own}kind = 'openai'\napi_key = \"s3cret\\u0001\""),
        "providers[1].api_key",
        &["no header may carry", "line breaks"],
    );
    check(
        &format!("{own}kind = 'openai'\nauth = {{ header = 'a b' }}\napi_key = 'k'"),
        "providers[1].auth",
        &["`a b`"],
    );
    check(&format!("{own}kind = 'openai'\nheaders = {{ 'a b' = 'x' }}"), "providers[1].headers.a b", &["`a b`"]);
    check("[[providers]]\nname = 'a/b'\nkind = 'openai'", "providers[0].name", &["`a/b`", "letters"]);
    check("[[providers]]\nname = 'sim'\n[[providers]]\nname = 'sim'", "providers[1].name", &["providers[0]"]);
    for (toml, path) in [
        ("timeouts = { idle = '0s' }", "timeouts.idle"),
        ("[[providers]]\nname = 'openai'\ntimeouts = { total = '0ms' }", "providers[0].timeouts.total"),
    ] {
        check(toml, path, &["zero", "`30s`"]);
    }
    for more in ["kind = 'openai'", "dialect = 'openai_chat'\nbase_url = 'http://x'"] {
        check(&format!("[[providers]]\nname = 'sim'\n{more}"), "providers[0].name", &["`sim`", "another name"]);
    }
    for (probe, path, part) in [
        ("{ every = '0s' }", "providers[1].probe.every", "zero"),
        ("{ failures = 0 }", "providers[1].probe.failures", "zero"),
        ("{ path = 'health' }", "providers[1].probe.path", "`/health`"),
        ("{ path = '/health', model = 'm' }", "providers[1].probe", "leave one of them out"),
    ] {
        check(&format!("{own}kind = 'openai'\nprobe = {probe}"), path, &[part]);
    }
    check("simulated = { error_rate = 1.5 }", "simulated.error_rate", &["`1.5`", "0 to 1"]);
}

#[test]
fn every_problem_is_reported_at_once() {
    let toml = "[[providers]]\nname = 'a b'\nkind = 'openai'\ndialect = 'x'\nbase_url = 'y'\n[[providers]]\nname = 'c'";
    let error = Upstream::new(&config(toml), &|_| None, clock()).unwrap_err();
    let paths: Vec<&str> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
    for path in ["providers[0].name", "providers[0].dialect", "providers[0].base_url", "providers[1].dialect"] {
        assert!(paths.contains(&path), "{paths:?}");
    }
}

#[test]
fn a_wrong_base_url_in_the_environment_is_named() {
    let env = |name: &str| match name {
        "OPENAI_API_KEY" => Some("k".to_owned()),
        "OPENAI_BASE_URL" => Some("localhost".to_owned()),
        _ => None,
    };
    let error = Upstream::new(&UpstreamConfig::default(), &env, clock()).unwrap_err();
    assert_eq!(error.problems[0].path, "OPENAI_BASE_URL");
}

#[test]
fn the_built_in_provider_may_be_configured_or_stand_elsewhere() {
    for more in [
        "",
        "models = ['small']",
        "base_url = 'http://127.0.0.1:7400'",
        "kind = 'sim'\nbase_url = 'http://127.0.0.1:7400/v1'",
    ] {
        let upstream = Upstream::new(&config(&format!("[[providers]]\nname = 'sim'\n{more}")), &|_| None, clock());
        assert!(upstream.unwrap().resolve("sim/small").unwrap().provider.is_simulated(), "{more}");
    }
}

#[test]
fn a_key_in_the_environment_that_no_header_may_carry_is_named() {
    let env = |name: &str| (name == "OPENAI_API_KEY").then(|| "sk-s3cret\nx".to_owned());
    let error = Upstream::new(&UpstreamConfig::default(), &env, clock()).unwrap_err().to_string();
    assert!(error.starts_with("`OPENAI_API_KEY`: it holds characters that no header may carry"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn wrong_shapes_are_refused_by_name() {
    for (toml, part) in [
        ("providrs = []", "providrs"),
        ("[[providers]]\nname = 'x'\nmodel = 'y'", "model"),
        ("timeouts = { connect = '5' }", "800ms"),
        ("timeouts = { connect = 5 }", "whole number and a unit"),
        ("timeouts = { conect = '5s' }", "conect"),
        ("simulated = { latncy = '5s' }", "latncy"),
    ] {
        let error = toml::from_str::<UpstreamConfig>(toml).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_schema_knows_every_field() {
    let schema = serde_json::to_string(&schemars::schema_for!(UpstreamConfig)).unwrap();
    for field in ["providers", "first_byte", "api_key", "error_rate", "max_idle_connections", "bearer"] {
        assert!(schema.contains(&format!("\"{field}\"")), "{field}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    let config = config("[[providers]]\nname = 'openai'\napi_key = 's3cret'\nheaders = { x-k = 's3cret' }");
    let upstream = Upstream::new(&config, &|_| None, clock()).unwrap();
    for shown in [format!("{config:?}"), format!("{upstream:?}"), format!("{:?}", upstream.providers())] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
