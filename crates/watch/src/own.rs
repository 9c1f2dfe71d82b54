//! Numbers of this process itself, put where monitors can ask for them.

use std::collections::BTreeMap;

use signalbox_types::seam::StoreError;
use signalbox_types::{Events, MetricKind, MetricPoint, Temporality};

use crate::watch::Watch;

impl Watch {
    /// Writes down by how much counters of this process have grown since they were last told of, as data points (`metric_points`) of the
    /// configuration's project: what has not grown costs nothing.
    ///
    /// # Errors
    /// The store can't take them; they are counted the next time.
    pub async fn record_own(&self, totals: &[(&str, u64)]) -> Result<(), StoreError> {
        let now = self.clock.now();
        let grown: BTreeMap<&str, u64> = {
            let told = self.own.lock();
            let before = |name: &str| told.get(name).copied().unwrap_or_default();
            let grown = totals.iter().map(|(name, total)| (*name, total.saturating_sub(before(name))));
            grown.filter(|(_, by)| *by > 0).collect()
        };
        if grown.is_empty() {
            return Ok(());
        }
        let point = |(name, by): (&&str, &u64)| {
            let id = format!("{name}@{}", now.as_micros());
            let mut point = MetricPoint::new(self.project.clone(), id, *name, now);
            (point.kind, point.temporality, point.monotonic) = (MetricKind::Sum, Temporality::Delta, Some(true));
            (point.series, point.value) = ((*name).to_owned(), Some(*by as f64));
            point.service_name = Some("signalbox".to_owned());
            point
        };
        let metric_points = grown.iter().map(point).collect();
        self.asker.store().append(Events { metric_points, ..Events::default() }).await?;
        let mut told = self.own.lock();
        for (name, total) in totals {
            told.insert((*name).to_owned(), *total);
        }
        Ok(())
    }
}
