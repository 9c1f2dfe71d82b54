//! The gateway in force, which gives way as a whole when the configuration changes. Calls that are under way end by the one
//! that began them: nothing of theirs is cut, and none of them sees half of each.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, Response};
use parking_lot::Mutex;
use signalbox_guard::{Guard, GuardConfig, GuardError};
use signalbox_prices::PriceBook;
use signalbox_types::ProjectId;
use signalbox_upstream::{Problem, UpstreamConfig};

use crate::route::Routes;
use crate::{Gateway, GatewayConfig, RequestBody, ResponseBody, RouteConfig};

/// What of a gateway a new configuration can change while it serves. `settle_queue`, `max_kept_ids`,
/// `kept_ids_days` and `max_model_labels` of its limits stay what they were at the start.
pub struct Settings {
    /// Its limits.
    pub config: GatewayConfig,
    /// What looks at the texts.
    pub guard: Guard,
    /// Who answers.
    pub upstream: UpstreamConfig,
    /// By which names several of them are reached.
    pub routes: Vec<RouteConfig>,
    /// What it costs.
    pub prices: Arc<PriceBook>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The gateway in force. One per process; share it in an `Arc`.
#[derive(Debug)]
pub struct Switch {
    gateway: ArcSwap<Gateway>,
    /// Held by who changes something.
    change: Mutex<()>,
}

impl Switch {
    /// With this one in force.
    #[must_use]
    pub fn new(gateway: Gateway) -> Self {
        Self { gateway: ArcSwap::from_pointee(gateway), change: Mutex::default() }
    }

    /// The one in force.
    #[must_use]
    pub fn current(&self) -> Arc<Gateway> {
        self.gateway.load_full()
    }

    /// Answers one call by what is in force when it comes in. Never fails: what goes wrong is told in the caller's dialect.
    pub async fn serve(&self, request: Request<RequestBody>) -> Response<ResponseBody> {
        self.current().serve(request).await
    }

    /// Puts other settings in force for calls that come in from now on. Providers that stay as they are keep their
    /// connections, and targets of these that stay in their routes keep their health.
    ///
    /// # Errors
    /// Everything that is wrong in them, each with its path. Then all stays as it was.
    pub fn apply(&self, settings: Settings, env: &dyn Fn(&str) -> Option<String>) -> Result<(), Vec<Problem>> {
        let _change = self.change.lock();
        let before = self.current();
        let upstream = before.upstream.reconfigured(&settings.upstream, env).map_err(|error| error.problems)?;
        let routes = Routes::compile_after(&before.routes, &settings.routes, &upstream)?;
        before.routes.forget_breakers(&routes, before.metrics().routes());
        self.gateway.store(Arc::new(before.with(settings, upstream, routes)));
        Ok(())
    }

    /// Puts policies in force that a project adds to those of the configuration, in place of what it added before, for calls that
    /// come in from now on.
    ///
    /// # Errors
    /// What is wrong with them first. Then all stays as it was.
    pub fn add_policies(&self, project: &ProjectId, config: GuardConfig) -> Result<(), GuardError> {
        let _change = self.change.lock();
        self.current().add_policies(project, config)
    }
}
