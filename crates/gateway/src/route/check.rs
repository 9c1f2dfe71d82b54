//! What is wrong with a configuration of routes, each with its place and a hint.

use std::collections::HashSet;
use std::time::Duration;

use signalbox_upstream::{HumanDuration, Problem, TargetProbeConfig, Upstream};

use super::config::{ExperimentConfig, RouteConfig, StrategyName, TargetConfig};
use super::expression::Expression;

/// Names in headers and labels; also what `provider/model` looks like, so that a route can stand before a model.
const MOST_NAME_CHARS: usize = 128;

/// Everything that keeps these routes from being used. `upstream` may lack keys: a provider that is off is none.
pub(super) fn problems(routes: &[RouteConfig], upstream: &Upstream) -> Vec<Problem> {
    let providers: Vec<String> = upstream.providers().into_iter().map(|provider| provider.name).collect();
    let mut check = Check { upstream, providers: &providers, problems: Vec::new() };
    let mut seen = HashSet::new();
    for (place, route) in routes.iter().enumerate() {
        let path = format!("routes[{place}]");
        check.route(&path, route);
        if !seen.insert(&route.name) {
            let message = format!("there is another route `{}`", route.name);
            check.report(format!("{path}.name"), message, "give each route a name of its own");
        }
    }
    check.problems
}

struct Check<'a> {
    upstream: &'a Upstream,
    providers: &'a [String],
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn report(&mut self, path: String, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem { path, message: message.into(), hint: hint.into() });
    }

    fn route(&mut self, path: &str, route: &RouteConfig) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':');
        if route.name.is_empty() || route.name.len() > MOST_NAME_CHARS || !route.name.chars().all(allowed) {
            let hint = format!("write 1 to {MOST_NAME_CHARS} letters, digits, `-`, `_`, `.`, `/` or `:`");
            self.report(format!("{path}.name"), format!("`{}` is no name for a route", route.name), hint);
        }
        if route.targets.is_empty() {
            let hint = "list at least one, like `- {provider: openai, model: gpt-4o-mini}`";
            self.report(format!("{path}.targets"), "there is no target", hint);
        }
        let mut seen = HashSet::new();
        for (place, target) in route.targets.iter().enumerate() {
            let path = format!("{path}.targets[{place}]");
            if !seen.insert((&target.provider, &target.model, &target.when, &target.arm)) {
                let message = format!("`{}/{}` stands twice", target.provider, target.model);
                self.report(path.clone(), message, "leave one out; a greater `weight` gives it more calls");
            }
            self.target(&path, target);
        }
        if !route.targets.is_empty() && route.targets.iter().all(|target| target.weight == Some(0.0)) {
            self.report(format!("{path}.targets"), "every `weight` is 0", "give one of them a greater weight");
        }
        self.strategy(path, route);
        self.rate(format!("{path}.retry.budget"), route.retry.budget, 1.0);
        self.rate(format!("{path}.breaker.failure_rate"), route.breaker.failure_rate, 1.0);
        if route.breaker.failures == 0 {
            let hint = "write how many failures in a row open it, at least 1";
            self.report(format!("{path}.breaker.failures"), "it is 0, so the target would never be asked", hint);
        }
        if route.retry.max.0 < route.retry.base.0 {
            let hint = "write a wait that is at least as long as `base`";
            self.report(format!("{path}.retry.max"), "it is shorter than `base`", hint);
        }
        let waits = [
            ("timeouts.try", route.timeouts.one_try),
            ("timeouts.total", route.timeouts.total),
            ("drain_time", route.drain_time),
            ("retry.base", Some(route.retry.base)),
            ("breaker.cooldown", Some(route.breaker.cooldown)),
            ("breaker.slow_start", route.breaker.slow_start),
        ];
        for (field, wait) in waits {
            if wait == Some(HumanDuration(Duration::ZERO)) {
                self.report(format!("{path}.{field}"), "it is zero", "write how long, like `30s`, or leave it out");
            }
        }
        if let Some(mirror) = &route.mirror {
            self.provider(format!("{path}.mirror.provider"), &mirror.provider);
            self.rate(format!("{path}.mirror.sample"), mirror.sample, 1.0);
        }
    }

    /// What a strategy goes by must be there, and what stands there must be for the strategy: whoever writes it expects
    /// that it counts.
    fn strategy(&mut self, path: &str, route: &RouteConfig) {
        let targets = || route.targets.iter().enumerate();
        let all = [
            (StrategyName::Complexity, "complexity", "complexity_up_to", "give the weaker targets one, like `0.2`"),
            (StrategyName::Semantic, "semantic", "examples", "give targets some, like `[Where is my invoice?]`"),
            (StrategyName::Experiment, "experiment", "arm", "give each target the name of one of `experiment.arms`"),
        ];
        for (strategy, word, field, hint) in all {
            let has = |target: &TargetConfig| match strategy {
                StrategyName::Complexity => target.complexity_up_to.is_some(),
                StrategyName::Semantic => !target.examples.is_empty(),
                _ => target.arm.is_some(),
            };
            let with = targets().find(|(_, target)| has(target)).map(|(place, _)| place);
            match (route.strategy == strategy, with) {
                (true, None) if !route.targets.is_empty() => {
                    let message = format!("no target has `{field}`, which the strategy goes by");
                    self.report(format!("{path}.strategy"), message, hint);
                }
                (false, Some(place)) => {
                    let hint = format!("write `strategy: {word}`, or leave it out");
                    self.report(
                        format!("{path}.targets[{place}].{field}"),
                        "the route's strategy doesn't look at it",
                        hint,
                    );
                }
                _ => {}
            }
        }
        for (place, target) in targets() {
            if let Some(limit) = target.complexity_up_to {
                self.rate(format!("{path}.targets[{place}].complexity_up_to"), limit, 1.0);
            }
        }
        self.rate(format!("{path}.min_similarity"), route.min_similarity.unwrap_or_default(), 1.0);
        match (&route.experiment, route.strategy == StrategyName::Experiment) {
            (Some(experiment), true) => self.experiment(path, route, experiment),
            (Some(_), false) => {
                let hint = "write `strategy: experiment`, or leave it out";
                self.report(format!("{path}.experiment"), "the route's strategy doesn't look at it", hint);
            }
            (None, true) => {
                let hint = "write `experiment: {arms: [{name: old, weight: 90}, {name: new, weight: 10}]}`";
                self.report(format!("{path}.strategy"), "there are no `experiment.arms`", hint);
            }
            (None, false) => {}
        }
    }

    fn experiment(&mut self, path: &str, route: &RouteConfig, experiment: &ExperimentConfig) {
        let mut seen = HashSet::new();
        for (place, arm) in experiment.arms.iter().enumerate() {
            let at = |field: &str| format!("{path}.experiment.arms[{place}].{field}");
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if arm.name.is_empty() || arm.name.len() > MOST_NAME_CHARS || !arm.name.chars().all(fits) {
                let hint = format!("write 1 to {MOST_NAME_CHARS} letters, digits, `-`, `_` or `.`");
                self.report(at("name"), format!("`{}` is no name for an arm", arm.name), hint);
            }
            if !seen.insert(arm.name.as_str()) {
                let message = format!("there is another arm `{}`", arm.name);
                self.report(at("name"), message, "give each arm a name of its own");
            }
            self.rate(at("weight"), arm.weight, 1e6);
            if !route.targets.iter().any(|target| target.arm.as_deref() == Some(arm.name.as_str())) {
                let hint = format!("give one `arm: {}`", arm.name);
                self.report(at("name"), format!("no target is of the arm `{}`", arm.name), hint);
            }
        }
        if experiment.arms.iter().all(|arm| arm.weight == 0.0) {
            let hint = "list at least one with a `weight` greater than 0";
            self.report(format!("{path}.experiment.arms"), "no arm gets any call", hint);
        }
        let known = experiment.arms.iter().map(|arm| format!("`{}`", arm.name)).collect::<Vec<_>>().join(", ");
        for (place, target) in route.targets.iter().enumerate() {
            if !target.arm.as_deref().is_some_and(|arm| seen.contains(arm)) {
                let found = match &target.arm {
                    Some(arm) => format!("there is no arm `{arm}`"),
                    None => "it has none".to_owned(),
                };
                self.report(format!("{path}.targets[{place}].arm"), found, format!("write one of {known}"));
            }
        }
    }

    fn target(&mut self, path: &str, target: &TargetConfig) {
        self.provider(format!("{path}.provider"), &target.provider);
        if target.model.is_empty() {
            self.report(format!("{path}.model"), "it is empty", "write the model as the provider calls it");
        }
        if let Some(weight) = target.weight {
            self.rate(format!("{path}.weight"), weight, 1e6);
        }
        for (field, value) in [
            ("max_concurrency", target.max_concurrency.map(|most| most as u64)),
            ("context_tokens", target.context_tokens),
        ] {
            if value == Some(0) {
                let hint = "write at least 1, or leave it out for no limit";
                self.report(format!("{path}.{field}"), "it is 0, so it would get no call", hint);
            }
        }
        if let Some(field) = target.probe.as_ref().and_then(TargetProbeConfig::zero) {
            self.report(format!("{path}.probe.{field}"), "it is zero", "write more than that, or leave it out");
        }
        if let Some(Err(problem)) = target.when.as_deref().map(Expression::compile) {
            let hint = "write an expression in CEL, like `metadata.tier == \"gold\"`";
            self.report(format!("{path}.when"), problem, hint);
        }
    }

    fn provider(&mut self, path: String, name: &str) {
        if !self.providers.iter().any(|known| known == name) {
            let hint = self.upstream.suggest_provider(name);
            self.report(path, format!("there is no provider `{name}`"), hint);
        }
    }

    fn rate(&mut self, path: String, value: f64, most: f64) {
        if !(0.0..=most).contains(&value) {
            self.report(path, format!("`{value}` is out of range"), format!("write a number from 0 to {most}"));
        }
    }
}
