//! The things people edit. Each is a folder: what it is and may do (`mod`), its statements (`sql`),
//! its tests (`tests`). Sorted.

pub(crate) mod credential;
pub(crate) mod dataset;
pub(crate) mod feedback;
pub(crate) mod kept;
pub(crate) mod key;
pub(crate) mod lease;
pub(crate) mod online_rule;
pub(crate) mod policy_set;
pub(crate) mod project;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod watched;
