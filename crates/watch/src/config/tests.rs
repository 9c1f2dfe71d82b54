use serde_json::{Value, json};

use super::*;

fn with(more: Value) -> Value {
    let mut monitor = json!({
        "name": "m",
        "query": {"table": "spans", "measures": [{"fn": "count", "as": "all"}, {"fn": "avg", "column": "duration_ms", "as": "mean"}]},
        "condition": {"threshold": {"above": 1}},
    });
    monitor.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    monitor
}

fn with_name(mut action: Value) -> Value {
    action["name"] = json!("x");
    action
}

#[test]
fn routes_that_are_not_there_are_told() {
    let check = |switch: Value, expected: &[&str]| {
        let monitor = with(json!({"actions": [with_name(json!({"switch_route": switch}))]}));
        let config: WatchConfig = serde_json::from_value(json!({"monitors": [monitor]})).unwrap();
        assert_eq!(config.problems(), []);
        let route =
            |name: &str, targets: &[&str]| (name.to_owned(), targets.iter().map(|one| (*one).to_owned()).collect());
        let routes = [route("backup", &["e/f"]), route("chat", &["a/b", "c/d"])].into();
        let found: Vec<String> = config.unknown_routes(&routes).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    };
    check(json!({"route": "chat", "to": "backup"}), &[]);
    check(json!({"route": "chat", "targets": ["c/d"]}), &[]);
    check(json!({"route": "{{labels.route}}", "to": "backup"}), &[]);
    let at = "monitors[0].actions[0].switch_route";
    let none = format!("`{at}.route`: there is no route `cat`; expected one of backup, chat");
    check(json!({"route": "cat", "to": "backup"}), &[&none]);
    check(json!({"route": "chat", "to": "chat"}), &[&format!("`{at}.to`: is the route itself")]);
    let strange = format!("`{at}.targets[1]`: route `chat` has no target `x/y`; expected some of a/b, c/d");
    check(json!({"route": "chat", "targets": ["a/b", "x/y"]}), &[&strange]);
}

#[test]
fn says_which_field_is_wrong() {
    let check = |more: Value, field: &str, message: &str| {
        let problems = MonitorConfig::read(&with(more.clone())).expect_err(&more.to_string());
        let found = problems.iter().any(|problem| problem.field == field && problem.message.contains(message));
        assert!(found, "{more}: {problems:?}");
    };
    check(json!({"name": "no spaces"}), "name", "letters, digits");
    check(json!({"name": "test"}), "name", "another name");
    check(json!({"windw": "5m"}), "windw", "unknown field");
    check(json!({"window": "5 min"}), "window", "like `5m`");
    check(json!({"condition": {"treshold": {}}}), "condition", "unknown variant");
    check(json!({"condition": {"threshold": {"abov": 1}}}), "condition.threshold.abov", "unknown field");
    check(json!({"condition": {"threshold": {}}}), "condition.threshold.above", "expected one of them");
    check(
        json!({"condition": {"threshold": {"above": 1, "recover": 2}}}),
        "condition.threshold.recover",
        "expected less",
    );
    check(json!({"query": {"measures": []}}), "query.measures", "are missing");
    check(
        json!({"query": {"measures": [{"fn": "avg", "column": "modle"}]}}),
        "query.measures[0].column",
        "no column `modle`",
    );
    check(json!({"query": {"bucket": "1m", "measures": [{"fn": "count"}]}}), "query.bucket", "`window`");
    check(json!({"value": {"of": "al"}}), "value", "among all, mean");
    check(json!({"condition": {"baseline": {"sensitivity": 0}}}), "condition.baseline.sensitivity", "0.5 to 100");
    check(json!({"window": "2d", "condition": {"baseline": {}}}), "condition.baseline.history", "20 windows");
    check(json!({"condition": {"baseline": {"longer": "2d"}}}), "condition.baseline.history", "20 windows (40d)");
    check(
        json!({"condition": {"baseline": {"longer": "5m"}}}),
        "condition.baseline.longer",
        "more than the `window`, 5m",
    );
    check(json!({"condition": {"burn_rate": {"objective": 99.9}}}), "condition.burn_rate.objective", "between 0 and 1");
    check(
        json!({"condition": {"burn_rate": {"objective": 0.99}}}),
        "condition.burn_rate.objective",
        "of: bad, over: all",
    );
    check(json!({"condition": {"sequential": {"reference": 2}}}), "condition.sequential.reference", "between 0 and 1");
    check(json!({"condition": {"composite": {"all": ["m"]}}}), "query", "leave it out");
    check(json!({"notify": ["a"], "escalation": "b"}), "notify", "leave one of them out");
    check(json!({"for": 0}), "for", "expected 1 to 1000");
    let action = |more: Value| json!({"actions": [with_name(more)]});
    check(action(json!({})), "actions[0].webhook", "exactly one of");
    let switch = |more: Value| action(json!({"switch_route": more}));
    check(switch(json!({"route": "chat"})), "actions[0].switch_route.to", "exactly one of `to`");
    check(
        switch(json!({"route": "chat", "to": "b", "targets": ["a/b"]})),
        "actions[0].switch_route.to",
        "exactly one of `to`",
    );
    check(switch(json!({"route": "", "to": "b"})), "actions[0].switch_route.route", "is empty");
    check(switch(json!({"route": "chat", "to": "b", "for": "0s"})), "actions[0].switch_route.for", "less than 1s");
}

#[test]
fn a_definition_is_written_as_it_was_read() {
    let mean = json!({"of": "mean"});
    for more in [
        json!({"window": "10m", "for": 3, "labels": {"team": "search"}, "no_data": "alert"}),
        json!({"value": mean, "condition": {"baseline": {"sensitivity": 5.0, "side": "upper"}}}),
        json!({"value": mean, "condition": {"sequential": {"reference": 0.9}}}),
        json!({"condition": {"change": {"above": 0.5, "against": "last_week"}}}),
    ] {
        let monitor = MonitorConfig::read(&with(more)).unwrap();
        let written = serde_json::to_value(&monitor).unwrap();
        assert_eq!(MonitorConfig::read(&written).unwrap(), monitor, "{written}");
    }
}

#[test]
fn a_whole_configuration_holds_together() {
    let config: WatchConfig = serde_json::from_value(json!({
        "monitors": [with(json!({"escalation": "page"})), with(json!({"notify": ["opss"]}))],
        "channels": [
            {"name": "ops", "via": {"webhook": {"url": "https://example.com/hook", "secret": "short"}}},
            {"name": "mail", "via": {"email": {"host": "mail.example.com", "from": "nobody", "to": ["ann@example.com"]}}},
            {"name": "slack", "via": {"slack": {"bot_token": "xoxb-very-secret"}}},
        ],
        "escalations": [{"name": "page", "steps": [{"notify": ["ops"]}, {"after": "5m", "on_call": ["nights"]}]}],
        "schedules": [{"name": "days", "time_zone": "Europe/Zurch", "rotations": [{"people": ["ann"], "from": "2026-13-01"}]}],
        "maintenance": [{"name": "sunday", "at": "25:00", "lasts": "2h"}],
    }))
    .unwrap();
    let problems: Vec<String> = config.problems().iter().map(ToString::to_string).collect();
    let all = problems.join("\n");
    for expected in [
        "`monitors[1].name`: `m` stands there twice",
        "`monitors[1].notify[0]`: there is no channel `opss`; expected one of ops, mail, slack",
        "`channels[0].via.webhook.secret`: is shorter than 16 bytes",
        "`channels[1].via.email.from`: `nobody` is no address",
        "`channels[2].via.slack.webhook_url`: expected `webhook_url`, or else `bot_token` and `channel`",
        "`escalations[0].steps[1].on_call[0]`: there is no schedule `nights`; expected one of days",
        "`schedules[0].time_zone`: `Europe/Zurch` is no time zone",
        "`schedules[0].rotations[0].people[0]`: there is nobody called `ann`",
        "`schedules[0].rotations[0].from`: `2026-13-01` is no day",
        "`maintenance[0].at`: `25:00` is no time of day",
    ] {
        assert!(all.contains(expected), "`{expected}` is not in:\n{all}");
    }
    assert_eq!(problems.len(), 10, "{all}");
    assert!(!all.contains("very-secret") && !format!("{config:?}").contains("very-secret"));
}

#[test]
fn says_which_field_of_an_objective_is_wrong() {
    let check = |more: Value, field: &str, message: &str| {
        let mut objective = json!({"name": "o", "good": {"availability": {}}, "objective": 0.99});
        objective.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let problems = ObjectiveConfig::read(&objective).expect_err(&more.to_string());
        let found = problems.iter().any(|problem| problem.field == field && problem.message.contains(message));
        assert!(found, "{more}: {problems:?}");
        assert_eq!(problems.len(), 1, "{more}: {problems:?}");
    };
    check(json!({"name": "no spaces"}), "name", "letters, digits");
    check(json!({"name": "test"}), "name", "another name");
    check(json!({"name": "a".repeat(95)}), "name", "at most 90");
    check(json!({"objective": 99.9}), "objective", "e.g. 0.999");
    check(json!({"period": "10m"}), "period", "expected 1h to 366d");
    check(json!({"freeze_below": 10}), "freeze_below", "e.g. 0.1");
    check(json!({"min_bad": -1}), "min_bad", "0 or more");
    check(json!({"goood": {}}), "goood", "unknown field");
    check(json!({"good": {"latncy": {}}}), "good", "unknown variant");
    check(json!({"good": {"latency": {"under": "2 s"}}}), "good.latency.under", "like `5m`");
    check(json!({"good": {"ttft": {"under": "0s"}}}), "good.ttft.under", "expected more");
    check(json!({"good": {"cost": {"under": 0}}}), "good.cost.under", "dollars");
    check(json!({"good": {"score": {"name": ""}}}), "good.score.name", "name of a score");
    check(json!({"filter": {"field": "modle", "op": "=", "value": 1}}), "filter.field", "no column `modle`");
    check(
        json!({"good": {"score": {"name": "s"}}, "filter": {"field": "model", "op": "=", "value": "m"}}),
        "filter.field",
        "no column `model`",
    );
    let window = json!({"long": "2d", "short": "1h", "factor": 2});
    check(json!({"period": "1d", "windows": [window]}), "windows[0].long", "longer than the period");
    check(json!({"notify": ["a"], "escalation": "b"}), "notify", "leave one of them out");
    let count = |name: &str| json!({"fn": "count", "as": name});
    let ratio = |more: Value| {
        let mut ratio =
            json!({"query": {"measures": [count("a"), count("b"), {"fn": "avg", "column": "cost"}]}, "over": "b"});
        ratio.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"good": {"ratio": ratio}})
    };
    check(ratio(json!({"bad": "a", "good": "a"})), "good.ratio.bad", "leave one of them out");
    check(ratio(json!({"bad": "c"})), "good.ratio.over", "among a, b, avg_cost");
    check(ratio(json!({"bad": "avg_cost"})), "good.ratio.over", "counts or sums");
    let query = json!({"group_by": ["model"], "measures": [count("a"), count("b")]});
    check(ratio(json!({"bad": "a", "query": query})), "good.ratio.query.group_by", "with a filter");
    let query = json!({"measures": [{"fn": "sum", "column": "costs", "as": "a"}, count("b")]});
    check(ratio(json!({"bad": "a", "query": query})), "good.ratio.query.measures[0].column", "no column `costs`");
}

#[test]
fn an_objective_asks_sums_where_they_suffice_and_keeps_windows_within_its_period() {
    let monitor = |more: Value| {
        let mut objective = json!({"name": "o", "good": {"availability": {}}, "objective": 0.99});
        objective.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ObjectiveConfig::read(&objective).unwrap().monitor()
    };
    let table = |more: Value| monitor(more).query.unwrap().table;
    assert_eq!(table(json!({})), "span_minutes");
    assert_eq!(table(json!({"good": {"latency": {"under": "2s"}}})), "span_minutes");
    assert_eq!(table(json!({"filter": {"field": "model", "op": "=", "value": "m"}})), "span_minutes");
    assert_eq!(table(json!({"filter": {"field": "attributes.tier", "op": "=", "value": "gold"}})), "spans");
    assert_eq!(table(json!({"good": {"ttft": {"under": "1s"}}})), "spans");
    assert_eq!(table(json!({"good": {"score": {"name": "s", "at_least": 0.7}}})), "scores");
    let windows = |period: &str| match monitor(json!({"period": period})).condition {
        Condition::BurnRate(burn) => burn.windows.len(),
        _ => 0,
    };
    assert_eq!(["30d", "1d", "1h"].map(windows), [4, 3, 1]);
    assert!(monitor(json!({})).problems().is_empty());
    let written = json!({"name": "o", "good": {"score": {"name": "s"}}, "objective": 0.9, "period": "7d", "min_bad": 3.0,
        "freeze": true, "freeze_below": 0.1, "owner": "ann"});
    let read = ObjectiveConfig::read(&written).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), written);
    let mut config: WatchConfig = serde_json::from_value(json!({"objectives": [written, written]})).unwrap();
    assert_eq!(config.problems()[0].to_string(), "`objectives[1].name`: `o` stands there twice");
    config.objectives.truncate(1);
    config.objectives[0].notify = vec!["nobody".to_owned()];
    assert_eq!(config.problems()[0].field, "objectives[0].notify[0]");
}
