//! Detours: where the calls of a route go for a while, because somebody said so while calls run. They outlive a configuration; who says so
//! keeps them over a restart.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::Serialize;
use signalbox_types::Timestamp;

use super::{Route, Routes};

/// Where the calls of a route go for a while: to the targets of another route, or to some of its own alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
#[schema(as = RouteDetour)]
pub struct Detour {
    /// The route whose calls they are.
    pub route: String,
    /// The route that answers them, by its own settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Those of its targets that alone are asked, as `provider/model`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Since when.
    pub since: Timestamp,
    /// Until when; until somebody ends it if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why, for the spans of these calls.
    pub why: String,
    /// The incident because of which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
}

impl Detour {
    /// As spans say it: `to backup: …`.
    pub(crate) fn said(&self) -> String {
        let to = self.to.clone().unwrap_or_else(|| self.targets.join(", "));
        format!("{} to {to}: {}", self.route, self.why)
    }

    /// Whether a target of the route is asked.
    pub(super) fn asks(&self, target: &str) -> bool {
        self.to.is_some() || self.targets.iter().any(|one| one == target)
    }
}

/// All that are in force, by their routes' names.
#[derive(Debug, Default)]
pub(super) struct Detours(ArcSwap<HashMap<String, Arc<Detour>>>);

impl Detours {
    pub(super) fn of(&self, route: &Route) -> Option<Arc<Detour>> {
        let all = self.0.load();
        // So that nobody pays for what nobody uses.
        if all.is_empty() { None } else { all.get(&*route.name).cloned() }
    }
}

impl Routes {
    /// Puts detours in force for calls that come in from now on, in the place of all those before.
    pub fn set_detours(&self, detours: Vec<Detour>) {
        let all = detours.into_iter().map(|detour| (detour.route.clone(), Arc::new(detour))).collect();
        self.detours.0.store(Arc::new(all));
    }

    /// Why the calls of a route can't go there, if they can't.
    #[must_use]
    pub fn detour_problem(&self, detour: &Detour) -> Option<String> {
        let names = || self.all.iter().map(|route| &*route.name).collect::<Vec<_>>().join(", ");
        let unknown = |name: &str| Some(format!("there is no route `{name}`; expected one of {}", names()));
        let Some(route) = self.by_name.get(detour.route.as_str()) else { return unknown(&detour.route) };
        match &detour.to {
            Some(to) if *to == detour.route => Some(format!("route `{to}` would be switched to itself")),
            Some(to) if !self.by_name.contains_key(to.as_str()) => unknown(to),
            Some(_) => None,
            None => {
                let is_there = |name: &&String| route.targets.iter().any(|target| target.name == **name);
                let strange = detour.targets.iter().find(|name| !is_there(name));
                let own = || route.targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ");
                match strange {
                    Some(name) => {
                        Some(format!("route `{}` has no target `{name}`; expected some of {}", detour.route, own()))
                    }
                    None if detour.targets.is_empty() => Some("it goes nowhere: no route and no target".to_owned()),
                    None => None,
                }
            }
        }
    }

    /// Who answers the calls of a route at this moment, and by which detour. One that leads nowhere, because another configuration is in
    /// force since, is no longer gone: an answer is worth more.
    pub(crate) fn way(&self, route: &Arc<Route>, now: Timestamp) -> (Arc<Route>, Option<Arc<Detour>>) {
        let own = || (Arc::clone(route), None);
        let Some(detour) = self.detours.of(route) else { return own() };
        if detour.until.is_some_and(|until| until <= now) {
            return own();
        }
        match &detour.to {
            Some(to) => self.by_name.get(to.as_str()).map_or_else(own, |to| (Arc::clone(to), Some(detour))),
            None if route.targets.iter().any(|target| detour.asks(&target.name)) => (Arc::clone(route), Some(detour)),
            None => own(),
        }
    }
}
