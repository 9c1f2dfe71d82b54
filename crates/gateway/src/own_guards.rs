//! The policies that projects have added to those of the configuration.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use signalbox_guard::{Guard, GuardConfig, GuardError};
use signalbox_types::ProjectId;

/// What projects have added, as they typed it. It outlives a configuration.
pub(crate) type Added = Arc<Mutex<HashMap<ProjectId, GuardConfig>>>;

/// The guard of each project that has added something.
#[derive(Default)]
pub(crate) struct OwnGuards {
    added: Added,
    guards: ArcSwap<HashMap<ProjectId, Guard>>,
}

impl OwnGuards {
    /// The same additions to other policies.
    pub(crate) fn over(&self, base: &Guard) -> Self {
        let own = Self { added: Arc::clone(&self.added), guards: ArcSwap::default() };
        own.compile(base);
        own
    }

    /// The guard of a project, if it has one of its own.
    pub(crate) fn get(&self, project: &ProjectId) -> Option<Guard> {
        self.guards.load().get(project).cloned()
    }

    /// What a project adds from now on.
    ///
    /// # Errors
    /// What is wrong with it first. Then all stays as it was.
    pub(crate) fn set(&self, base: &Guard, project: &ProjectId, config: GuardConfig) -> Result<(), GuardError> {
        // A service that has gone meanwhile is as good as one that doesn't answer: then its policy says what is done.
        let is_grave = |problem: &GuardError| !problem.path.ends_with(".options.service");
        if let Some(problem) = Guard::problems(&base.config().bare().with(&config)).into_iter().find(is_grave) {
            return Err(problem);
        }
        self.added.lock().insert(project.clone(), config);
        self.compile(base);
        Ok(())
    }

    fn compile(&self, base: &Guard) {
        let added = self.added.lock();
        // It was found to be right before.
        let of = |(project, config): (&ProjectId, &GuardConfig)| {
            (project.clone(), Guard::of_checked(&base.config().with(config)))
        };
        let some = added.iter().filter(|(_, config)| !config.policies.is_empty() || !config.exceptions.is_empty());
        self.guards.store(Arc::new(some.map(of).collect()));
    }
}
