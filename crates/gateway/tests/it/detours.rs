//! Routes whose calls go elsewhere for a while.

use std::time::Duration;

use serde_json::json;
use signalbox_gateway::Detour;
use signalbox_types::seam::Clock as _;

use crate::house::{CHAT, House, Plan, question};

async fn house() -> House {
    let routes = json!([
        {"name": "chat", "retry": {"attempts": 0}, "targets": [
            {"provider": "oai", "model": "small"}, {"provider": "gem", "model": "flash"},
        ]},
        {"name": "backup", "targets": [{"provider": "ant", "model": "large"}]},
    ]);
    House::build(Plan { routes, ..Plan::default() }).await
}

fn detour(to: Option<&str>, targets: &[&str]) -> Detour {
    Detour {
        route: "chat".to_owned(),
        to: to.map(str::to_owned),
        targets: targets.iter().map(|target| (*target).to_owned()).collect(),
        why: "oai fails".to_owned(),
        incident: Some("i-1".to_owned()),
        ..Detour::default()
    }
}

/// Who answers a call for `chat`.
async fn provider(house: &House) -> String {
    let answer = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.header("x-signalbox-provider").to_owned()
}

#[tokio::test]
async fn another_route_answers_and_the_span_says_why() {
    let house = house().await;
    let gateway = house.switch.current();
    assert_eq!(provider(&house).await, "oai");
    gateway.set_detours(vec![detour(Some("backup"), &[])]);
    assert_eq!(provider(&house).await, "ant");
    let status = gateway.routes();
    assert_eq!((status[0].detour.as_ref(), &status[0].detour_problem), (Some(&detour(Some("backup"), &[])), &None));
    assert_eq!(status[1].detour, None);
    gateway.set_detours(Vec::new());
    assert_eq!(provider(&house).await, "oai");
    let spans = house.spans().await;
    let told: Vec<_> = spans.iter().map(|span| span.attributes.get("signalbox.route.detour").cloned()).collect();
    assert_eq!(told, [None, Some("chat to backup: oai fails".to_owned()), None]);
    assert_eq!(spans[1].attributes["signalbox.route.name"], "backup");
    assert_eq!(spans[1].model_requested.as_deref(), Some("chat"));
}

#[tokio::test]
async fn a_route_that_is_pinned_asks_these_targets_alone() {
    let house = house().await;
    let gateway = house.switch.current();
    gateway.set_detours(vec![detour(None, &["gem/flash"])]);
    assert_eq!(provider(&house).await, "gem");
    let span = house.only_span().await;
    let left = &span.attributes["signalbox.route.left"];
    assert!(left.contains("oai/small") && left.contains("only gem/flash is asked: oai fails"), "{left}");
}

#[tokio::test]
async fn a_detour_ends_with_its_time_outlives_a_reload_and_leads_nowhere_in_vain() {
    let house = house().await;
    let gateway = house.switch.current();
    let until = house.clock.now().plus(Duration::from_secs(3_600));
    gateway.set_detours(vec![Detour { until: Some(until), ..detour(Some("backup"), &[]) }]);
    let only = |targets| Plan { routes: json!([{"name": "chat", "targets": targets}]), ..Plan::default() };
    let with_backup = json!([
        {"name": "backup", "targets": [{"provider": "ant", "model": "large"}]},
        {"name": "chat", "targets": [{"provider": "oai", "model": "small"}]},
    ]);
    house.reload(Plan { routes: with_backup.clone(), ..Plan::default() }).unwrap();
    assert_eq!(provider(&house).await, "ant");
    house.reload(only(json!([{"provider": "oai", "model": "small"}]))).unwrap();
    assert_eq!(provider(&house).await, "oai", "there is no such route any more");
    let problem = house.switch.current().routes()[0].detour_problem.clone();
    assert_eq!(problem.as_deref(), Some("there is no route `backup`; expected one of chat"));
    house.reload(Plan { routes: with_backup, ..Plan::default() }).unwrap();
    house.clock.advance(Duration::from_secs(3_600));
    assert_eq!(provider(&house).await, "oai", "its time is over");
}

#[tokio::test]
async fn what_can_not_be_is_said() {
    let house = house().await;
    let gateway = house.switch.current();
    let check = |detour: Detour, expected: Option<&str>| {
        assert_eq!(gateway.detour_problem(&detour).as_deref(), expected);
    };
    check(detour(Some("backup"), &[]), None);
    check(detour(None, &["oai/small", "gem/flash"]), None);
    check(detour(Some("chat"), &[]), Some("route `chat` would be switched to itself"));
    check(detour(Some("none"), &[]), Some("there is no route `none`; expected one of chat, backup"));
    let strange = "route `chat` has no target `ant/large`; expected some of oai/small, gem/flash";
    check(detour(None, &["ant/large"]), Some(strange));
    check(detour(None, &[]), Some("it goes nowhere: no route and no target"));
}
