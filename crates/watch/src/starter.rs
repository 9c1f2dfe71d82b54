//! Monitors that everybody gets: what most people would want to know of, and quiet on healthy traffic.

use crate::config::{MonitorConfig, ObjectiveConfig, WatchConfig};
use crate::drift::DriftConfig;

const STARTER: &str = include_str!("starter.json");
const OBJECTIVES: &str = include_str!("starter_objectives.json");
const STARTER_DRIFT: &str = include_str!("drift/starter.json");

/// The configuration's monitors, and the starter set if it is wanted: all but those that the configuration has itself.
pub(crate) fn monitors(config: &WatchConfig) -> Vec<MonitorConfig> {
    let mut all = config.monitors.clone();
    if config.starter {
        let starter: Vec<MonitorConfig> = serde_json::from_str(STARTER).unwrap_or_default();
        for monitor in starter {
            if all.iter().all(|one| one.name != monitor.name) {
                all.push(MonitorConfig { notify: config.starter_notify.clone(), ..monitor });
            }
        }
    }
    all
}

/// The configuration's objectives, and those of the starter set likewise.
pub(crate) fn objectives(config: &WatchConfig) -> Vec<ObjectiveConfig> {
    let mut all = config.objectives.clone();
    if config.starter {
        let starter: Vec<ObjectiveConfig> = serde_json::from_str(OBJECTIVES).unwrap_or_default();
        for objective in starter {
            if all.iter().all(|one| one.name != objective.name) {
                all.push(ObjectiveConfig { notify: config.starter_notify.clone(), ..objective });
            }
        }
    }
    all
}

/// The configuration's drift checks, and the starter set's as for monitors.
pub(crate) fn drift(config: &WatchConfig) -> Vec<DriftConfig> {
    let mut all = config.drift.clone();
    if config.starter {
        let starter: Vec<DriftConfig> = serde_json::from_str(STARTER_DRIFT).unwrap_or_default();
        let missing: Vec<DriftConfig> =
            starter.into_iter().filter(|one| all.iter().all(|own| own.name != one.name)).collect();
        all.extend(missing.into_iter().map(|one| DriftConfig { notify: config.starter_notify.clone(), ..one }));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use signalbox_testkit::builders;
    use signalbox_types::SpanKind;
    use signalbox_types::seam::{Clock as _, EventStore as _};

    use super::*;
    use crate::tests::{House, with};

    #[test]
    fn is_sound_and_gives_way() {
        let starter: Vec<serde_json::Value> = serde_json::from_str(STARTER).unwrap();
        for one in &starter {
            MonitorConfig::read(one).unwrap_or_else(|problems| panic!("{one}: {problems:?}"));
        }
        let own = MonitorConfig { enabled: false, ..serde_json::from_value(starter[0].clone()).unwrap() };
        let config = WatchConfig {
            monitors: vec![own.clone()],
            starter_notify: vec!["ops".to_owned()],
            ..WatchConfig::default()
        };
        let all = monitors(&config);
        assert_eq!(all.len(), starter.len());
        assert_eq!(all[0], own);
        assert!(all[1..].iter().all(|one| one.notify == ["ops"]));
        let drift: Vec<serde_json::Value> = serde_json::from_str(STARTER_DRIFT).unwrap();
        for one in &drift {
            DriftConfig::read(one).unwrap_or_else(|problems| panic!("{one}: {problems:?}"));
        }
        assert_eq!(super::drift(&config).iter().map(|one| one.notify.len()).sum::<usize>(), drift.len());
        let without = WatchConfig { starter: false, ..config };
        assert_eq!(super::drift(&without), []);
        assert_eq!(monitors(&without), [own]);
    }

    #[test]
    fn objectives_are_sound_give_way_and_freeze_nothing() {
        let starter: Vec<serde_json::Value> = serde_json::from_str(OBJECTIVES).unwrap();
        for one in &starter {
            let read = ObjectiveConfig::read(one).unwrap_or_else(|problems| panic!("{one}: {problems:?}"));
            assert!(!read.freeze && read.notify.is_empty());
        }
        assert_eq!(objectives(&WatchConfig::default()).len(), starter.len());
        let own = ObjectiveConfig { objective: 0.5, ..serde_json::from_value(starter[0].clone()).unwrap() };
        let config = WatchConfig { objectives: vec![own.clone()], ..WatchConfig::default() };
        assert_eq!(objectives(&config), [own]);
        assert_eq!(objectives(&WatchConfig { starter: false, ..WatchConfig::default() }), []);
    }

    fn starter(name: &str) -> serde_json::Value {
        let all: Vec<serde_json::Value> = serde_json::from_str(STARTER).unwrap();
        let mut one = all.into_iter().find(|one| one["name"] == name).unwrap();
        one["notify"] = json!(["hook"]);
        one
    }

    /// Traces of a quarter of an hour: each with an agent, a few steps of it, and now and then a long one.
    async fn quarter(house: &mut House, number: u64, steps: u64) {
        let mut spans = Vec::new();
        for trace in 0..20 {
            let first = number * 100_000 + trace * 1_000;
            let most = if trace % 20 == 0 { steps * 3 } else { steps - trace % 2 };
            for step in 0..=most {
                let now = house.clock.now();
                let mut span = builders::llm_span("default", first + step, "gpt-4o", now, trace * 1_000 + step);
                (span.input_messages, span.output_messages) = (Vec::new(), Vec::new());
                span.trace_id = builders::trace_id(first);
                if step == 0 {
                    span.kind = SpanKind::Agent;
                } else {
                    span.parent_span_id = Some(builders::span_id(first));
                }
                spans.push(span);
            }
        }
        house.store.append(spans.into()).await.unwrap();
    }

    #[tokio::test]
    async fn runaways_are_found_and_healthy_agents_are_not() {
        for name in ["starter.fan-out", "starter.loop"] {
            let mut house = House::new(with(json!(null), json!({"monitors": []}))).await;
            for number in 0..96 {
                quarter(&mut house, number, 5 + number % 2).await;
                house.clock.advance(Duration::from_secs(900));
            }
            house.configure(with(starter(name), json!({}))).await;
            for number in 96..102 {
                quarter(&mut house, number, 5 + number % 2).await;
                for _ in 0..3 {
                    house.pass(300).await;
                }
            }
            assert_eq!(house.told(), Vec::<String>::new(), "{name}");
            for number in 102..104 {
                quarter(&mut house, number, 40).await;
                for _ in 0..3 {
                    house.pass(300).await;
                }
            }
            assert_eq!(house.told(), ["opened"], "{name}");
        }
    }

    #[tokio::test]
    async fn spans_that_were_lost_are_told_of_once() {
        let mut house = House::new(with(starter("starter.exporter-drops"), json!({}))).await;
        for shed in [0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7] {
            house.watch.record_own(&[("signalbox.spans.shed", shed)]).await.unwrap();
            house.pass(60).await;
        }
        assert_eq!(house.told(), ["opened", "resolved"]);
        assert!(house.incidents()[0].title.contains("signalbox.spans.shed"), "{:?}", house.incidents());
        assert!(house.incidents()[0].timeline[0].text.ends_with("7 > 0"), "{:?}", house.incidents());
    }
}
