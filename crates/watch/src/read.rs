//! From documents to what is in memory.

use serde_json::Value;
use signalbox_types::{ProjectId, Timestamp};

use crate::config::WatchConfig;
use crate::drift;
use crate::keep::{Key, Kind};
use crate::watch::{Inner, KeptState, Series, Source, configured};

/// Everything that was written down, under a configuration. What can't be read is left out, and told.
pub(crate) fn read(
    documents: Vec<(Key, Value)>,
    own_project: &ProjectId,
    config: &WatchConfig,
    now: Timestamp,
) -> Inner {
    let mut inner = Inner::default();
    let (mut states, mut found) = (Vec::new(), Vec::new());
    for (key, value) in documents {
        let Key { project, kind, id } = key;
        let read = match kind {
            Kind::Monitor => {
                serde_json::from_value(value).map(|config| inner.put_monitor(&project, config, Source::Api, now))
            }
            Kind::Incident => {
                serde_json::from_value(value).map(|one| drop(inner.incidents.insert((project, id.clone()), one)))
            }
            Kind::Silence => {
                serde_json::from_value(value).map(|one| drop(inner.silences.insert((project, id.clone()), one)))
            }
            Kind::Message => serde_json::from_value(value).map(|one| drop(inner.outbox.insert(id.clone(), one))),
            Kind::Marker => {
                serde_json::from_value(value).map(|one| drop(inner.markers.insert((project, id.clone()), one)))
            }
            Kind::State => {
                serde_json::from_value::<KeptState>(value).map(|one| states.push((project, id.clone(), one)))
            }
            Kind::Objective => {
                serde_json::from_value(value).map(|one| inner.put_objective(&project, one, Source::Api, now))
            }
            Kind::Freeze => serde_json::from_value(value).map(|one| drop(inner.freezes.insert(project, one))),
            Kind::Drift => {
                serde_json::from_value(value).map(|config| inner.put_drift(&project, config, Source::Api, now))
            }
            Kind::Detour => {
                serde_json::from_value(value).map(|one| drop(inner.detours.insert((project, id.clone()), one)))
            }
            Kind::DriftResult => {
                serde_json::from_value::<drift::Kept>(value).map(|one| found.push((project, id.clone(), one)))
            }
        };
        if let Err(error) = read {
            tracing::warn!(document = %id, "a {} can't be read and is left out: {error}", kind.as_str());
        }
    }
    configured(&mut inner, own_project, config, now);
    for (project, id, KeptState { monitor, state }) in states {
        match inner.series_of(&project, &monitor) {
            Some(series) => {
                let kept = Some(state.clone());
                drop(series.insert(state.labels.clone(), Series { state, kept }));
            }
            None => inner.changed(&project, Kind::State, &id, None::<&Value>),
        }
    }
    for (project, id, kept) in found {
        inner.put_found(&project, &id, kept);
    }
    inner
}

impl Inner {
    /// Takes what was read in its own place, but for what is of this process only: what it has learned, what it is sending.
    pub(crate) fn give_way(&mut self, fresh: Self) {
        let before = std::mem::replace(self, fresh);
        (self.sending, self.deeds) = (before.sending, before.deeds);
        for (key, old) in before.monitors {
            if let Some(monitor) = self.monitors.get_mut(&key).filter(|monitor| monitor.config == old.config) {
                (monitor.learned, monitor.evaluated_at, monitor.problem) = (old.learned, old.evaluated_at, old.problem);
            }
        }
    }
}
