//! Monitors that everybody gets: what most people would want to know of, and quiet on healthy traffic.

use crate::config::{MonitorConfig, ObjectiveConfig, WatchConfig};

const STARTER: &str = include_str!("starter.json");
const OBJECTIVES: &str = include_str!("starter_objectives.json");

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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(monitors(&WatchConfig { starter: false, ..config }), [own]);
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
}
