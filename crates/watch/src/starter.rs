//! Monitors that everybody gets: what most people would want to know of, and quiet on healthy traffic.

use crate::config::{MonitorConfig, WatchConfig};
use crate::drift::DriftConfig;

const STARTER: &str = include_str!("starter.json");
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
        let drift: Vec<serde_json::Value> = serde_json::from_str(STARTER_DRIFT).unwrap();
        for one in &drift {
            DriftConfig::read(one).unwrap_or_else(|problems| panic!("{one}: {problems:?}"));
        }
        assert_eq!(super::drift(&config).iter().map(|one| one.notify.len()).sum::<usize>(), drift.len());
        let without = WatchConfig { starter: false, ..config };
        assert_eq!(super::drift(&without), []);
        assert_eq!(monitors(&without), [own]);
    }
}
