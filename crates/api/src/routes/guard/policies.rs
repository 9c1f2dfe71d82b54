//! Policies that a project adds to those of the configuration, and their versions.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use signalbox_catalog::PolicySet;
use signalbox_guard::{ExceptionConfig, GuardConfig, PolicyConfig};
use signalbox_types::{KeyId, Timestamp};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// Versions that are listed.
const MOST_VERSIONS: u32 = 200;
/// Policies, and exceptions, of a project.
const MOST_POLICIES: usize = 200;

/// The policies that a project has added, as of now.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct OwnPolicies {
    /// Their version; 0 if none were ever added.
    pub(crate) version: u32,
    /// The policies, behind those of the configuration.
    pub(crate) policies: Vec<PolicyConfig>,
    /// What is no finding after all.
    pub(crate) exceptions: Vec<ExceptionConfig>,
}

/// The policies that a project adds from now on.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"base": 0, "rationale": "Code names are secret until the launch.", "policies": [
    {"scanner": "words", "on": ["output"], "action": "redact", "options": {"words": ["project falcon"]}}
]}))]
pub(crate) struct ChangePolicies {
    /// The version that was changed: if another one is in force by now, this is refused.
    base: u32,
    /// Why. It stands in the history.
    #[schema(min_length = 1, max_length = 2000)]
    rationale: String,
    /// All of them, not only those that changed.
    policies: Vec<PolicyConfig>,
    /// All of them, too.
    #[serde(default)]
    exceptions: Vec<ExceptionConfig>,
}

/// A version of a project's policies.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PolicyVersion {
    /// From 1.
    version: u32,
    /// When it came into force.
    made_at: Timestamp,
    /// The key that made it.
    made_by: KeyId,
    /// Why.
    rationale: String,
    /// Its policies.
    policies: Vec<PolicyConfig>,
    /// Its exceptions.
    exceptions: Vec<ExceptionConfig>,
}

/// The versions of a project's policies.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PolicyVersions {
    /// The latest first, at most 200.
    versions: Vec<PolicyVersion>,
}

impl PolicyVersion {
    fn of(set: PolicySet) -> Self {
        let config = read(&set);
        let PolicySet { version, made_at, made_by, rationale, .. } = set;
        Self { version, made_at, made_by, rationale, policies: config.policies, exceptions: config.exceptions }
    }
}

/// What was typed. A version that this Signalbox can't read (any more) has no policies.
fn read(set: &PolicySet) -> GuardConfig {
    serde_json::from_value(set.config.clone()).unwrap_or_else(|_| GuardConfig::of(Vec::new()))
}

/// What a project has added.
pub(super) async fn own(app: &App, caller: &Caller) -> Result<OwnPolicies, ApiError> {
    let Some(set) = app.catalog.policy_sets(&caller.0.project, 1).await?.pop() else {
        return Ok(OwnPolicies::default());
    };
    let GuardConfig { policies, exceptions, .. } = read(&set);
    Ok(OwnPolicies { version: set.version, policies, exceptions })
}

/// List the versions of added policies.
///
/// Each change that was made here, with who made it, when and why.
#[utoipa::path(get, path = "/api/v1/guard/policies", operation_id = "list_policy_versions", tag = "Guardrails",
    responses((status = 200, description = "The versions of this project's policies.", body = PolicyVersions)))]
pub(crate) async fn list(caller: Caller, State(app): State<App>) -> Result<Json<PolicyVersions>, ApiError> {
    let sets = app.catalog.policy_sets(&caller.0.project, MOST_VERSIONS).await?;
    Ok(Json(PolicyVersions { versions: sets.into_iter().map(PolicyVersion::of).collect() }))
}

/// Change the added policies.
///
/// They are in force for the calls of this project from the moment this is answered, behind those of the configuration. The change is
/// kept as a version and stands in the history.
#[utoipa::path(put, path = "/api/v1/guard/policies", operation_id = "change_policies", tag = "Guardrails", request_body = ChangePolicies,
    responses(
        (status = 200, description = "The new version.", body = PolicyVersion),
        (status = 409, description = "Another version is in force by now.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn change(
    caller: Caller,
    State(app): State<App>,
    Json(wanted): Json<ChangePolicies>,
) -> Result<Json<PolicyVersion>, ApiError> {
    let ChangePolicies { base, rationale, policies, exceptions } = wanted;
    for (field, found) in [("policies", policies.len()), ("exceptions", exceptions.len())] {
        if found > MOST_POLICIES {
            return Err(ApiError::invalid(field, format_args!("expected at most {MOST_POLICIES}, found {found}")));
        }
    }
    let config = GuardConfig { exceptions, ..GuardConfig::of(policies) };
    let whole = (app.base_guard)().config().bare().with(&config);
    if let Some(error) = signalbox_guard::Guard::problems(&whole).into_iter().next() {
        return Err(ApiError::invalid(error.path, error.problem));
    }
    let typed = serde_json::to_value(&config).map_err(|error| ApiError::internal(&error))?;
    let set = app.catalog.save_policy_set(&caller.0, base, &rationale, typed).await?;
    // Compiling takes milliseconds.
    let (project, parts) = (caller.0.project, app.clone());
    let added = tokio::task::spawn_blocking(move || (parts.add_policies)(&project, config)).await;
    match added {
        Ok(Ok(())) => Ok(Json(PolicyVersion::of(set))),
        Ok(Err(error)) => Err(ApiError::internal(&error)),
        Err(error) => Err(ApiError::internal(&error)),
    }
}
