//! Keeps connections open to providers that are configured so: the next call then needn't wait for one to be set up, and a
//! provider that can't be reached is seen before a call is.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use signalbox_types::seam::Clock;

use crate::Provider;
use crate::provider::Transport;

/// How often somebody looks whether there are enough. An idle connection is kept for longer.
const EVERY: Duration = Duration::from_secs(15);

/// Begins to, if it is wanted and nobody does it yet. Ends when the provider is no longer configured and its last call has
/// ended.
pub(crate) fn keep(provider: &Arc<Provider>, clock: &Arc<dyn Clock>) {
    if provider.warm_connections == 0 || provider.is_kept_warm.swap(true, Ordering::Relaxed) {
        return;
    }
    let (provider, clock) = (Arc::downgrade(provider), Arc::clone(clock));
    tokio::spawn(async move {
        while let Some(provider) = provider.upgrade() {
            if let Transport::Http(http) = &provider.transport {
                let warmed = http.warm(provider.warm_connections, &provider.limits, &provider.health).await;
                if let Err(error) = warmed {
                    provider.health.unreachable(error.class(), error.to_string(), &*clock);
                }
            }
            drop(provider);
            tokio::time::sleep(EVERY).await;
        }
    });
}
