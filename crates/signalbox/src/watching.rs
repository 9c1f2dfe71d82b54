//! What watching needs of the house: documents in the catalog, webhooks by the providers' connections, and somebody who looks at the
//! clock.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use signalbox_api::{CatalogChanges, CatalogDocuments, HouseActions, RouteActions, Status};
use signalbox_catalog::Catalog;
use signalbox_gateway::{Detour, Switch};
use signalbox_store::Store;
use signalbox_types::seam::{BoxFuture, Clock, Embedder, EventStore};
use signalbox_types::{ProjectId, TraceId};
use signalbox_upstream::post;
use signalbox_watch::{BudgetNumbers, Http, HttpAnswer, HttpRequest, Watch, WatchParts};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Interval, MissedTickBehavior};

use crate::config::Config;

/// Whose the configuration's monitors are: the project of the first key.
pub(crate) const PROJECT: &str = "default";
/// How often somebody looks whether a monitor is due.
const LOOK: Duration = Duration::from_secs(1);
/// How often somebody looks whether a budget wasn't counted for a minute.
const COUNT: Duration = Duration::from_secs(10);
/// How often numbers of this process are stored.
const RECORD: Duration = Duration::from_secs(30);
/// How often somebody looks whether a drift check is due.
const COMPARE: Duration = Duration::from_secs(5);
/// How often somebody looks whether a message is.
const SEND: Duration = Duration::from_millis(500);

/// The way to webhooks.
#[derive(Debug)]
pub(crate) struct Outside;

impl Http for Outside {
    fn post(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, String>> {
        Box::pin(async move {
            let posted = post(&request.url, &request.headers, request.body).await?;
            Ok(HttpAnswer { status: posted.status, retry_after_s: posted.retry_after_s, body: posted.body })
        })
    }
}

/// Opens what is watched, with what it needs of the house.
///
/// # Errors
/// It can't be read.
pub(crate) async fn open(
    config: &Config,
    store: &Arc<Store>,
    catalog: &Arc<Catalog>,
    gateway: &Arc<Switch>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<Watch>> {
    let parts = WatchParts {
        config: config.watch.clone(),
        node: node(&config.server.data_dir)?,
        project: ProjectId::new(PROJECT),
        store: Arc::clone(store) as Arc<dyn EventStore>,
        clock: Arc::clone(clock),
        keep: Arc::new(CatalogDocuments::new(Arc::clone(catalog))),
        http: Arc::new(Outside),
    };
    let watch = Watch::open(parts).await.map_err(|error| anyhow::anyhow!("can't read what is watched: {error}"))?;
    let changes = Arc::new(CatalogChanges::new(Arc::clone(catalog)));
    let (known, switched) = (Arc::clone(gateway), Arc::clone(gateway));
    let routes = RouteActions {
        problem: Arc::new(move |detour: &Detour| known.current().detour_problem(detour)),
        set: Arc::new(move |detours| switched.current().set_detours(detours)),
    };
    let actions = Arc::new(HouseActions::new(Arc::clone(catalog), routes));
    let embedder = Arc::clone(gateway) as Arc<dyn Embedder>;
    Ok(Arc::new(watch.with_changes(changes).with_actions(actions).with_embedder(embedder)))
}

/// What this node is called among those that share a catalog: made with its data folder, and the same after each restart, so that it need
/// not wait for the lease of the process that it was before.
fn node(data: &Path) -> anyhow::Result<String> {
    let file = data.join("signalbox.node");
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    if !known.trim().is_empty() {
        return Ok(known.trim().to_owned());
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = Some(host.trim()).filter(|host| !host.is_empty()).unwrap_or("node");
    let random: String = TraceId::new().to_string().chars().rev().take(8).collect();
    let name = format!("{host}-{random}");
    std::fs::write(&file, &name).with_context(|| format!("can't write `{}`", file.display()))?;
    Ok(name)
}

/// What watches, until it is closed.
#[derive(Debug)]
pub(crate) struct Watching {
    watch: Arc<Watch>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Watching {
    pub(crate) fn start(watch: Arc<Watch>, numbers: Arc<dyn Fn() -> Status + Send + Sync>) -> Self {
        let task = Mutex::new(Some(start(Arc::clone(&watch), numbers)));
        Self { watch, task }
    }

    /// Stops, and lets another node take over. Messages that are on their way are sent again, by it or after the next start.
    pub(crate) async fn close(&self) {
        let task = self.task.lock().take();
        if let Some(task) = task {
            task.abort();
            // It ends because it was cut.
            let _ = task.await;
        }
        self.watch.let_go().await;
    }
}

/// Ticks, of which those that are missed are not made up for.
fn every(pause: Duration) -> Interval {
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

/// Keeps the lease, evaluates, looks into incidents, counts, compares and delivers for ever, each at its own pace: neither a slow channel
/// nor a long comparison holds an evaluation up, and no slow evaluation costs the lease.
fn start(watch: Arc<Watch>, numbers: Arc<dyn Fn() -> Status + Send + Sync>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let lead = async {
            let mut look = every(LOOK);
            loop {
                look.tick().await;
                watch.lead().await;
            }
        };
        let evaluate = async {
            let mut look = every(LOOK);
            loop {
                look.tick().await;
                watch.tick().await;
            }
        };
        let deliver = async {
            // One that waits for a slow channel is not waited for. All of them end with this task.
            let mut sending = JoinSet::new();
            let mut look = every(SEND);
            loop {
                look.tick().await;
                while sending.try_join_next().is_some() {}
                let watch = Arc::clone(&watch);
                sending.spawn(async move { watch.deliver().await });
            }
        };
        let look_into = async {
            let mut look = every(LOOK);
            loop {
                look.tick().await;
                watch.look_into_new().await;
            }
        };
        let count = async {
            let mut look = every(COUNT);
            loop {
                look.tick().await;
                watch.take_stock().await;
            }
        };
        let record = async {
            let mut look = every(RECORD);
            loop {
                look.tick().await;
                if let Err(error) = watch.record_own(&[("signalbox.spans.shed", numbers().shed_spans)]).await {
                    tracing::warn!("the number of spans that were shed can't be stored: {error}");
                }
            }
        };
        let compare = async {
            let mut look = every(COMPARE);
            loop {
                look.tick().await;
                watch.compare_drift().await;
            }
        };
        tokio::join!(lead, evaluate, deliver, look_into, count, record, compare);
    })
}

/// How much is watched, and whether somebody should look.
#[derive(Debug)]
pub(crate) struct WatchNumbers(pub(crate) Arc<Watch>);

impl Collector for WatchNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let numbers = self.0.numbers();
        let leads = usize::from(self.0.leadership().leads);
        for (name, help, value) in [
            ("signalbox_monitors", "Monitors", numbers.monitors),
            ("signalbox_monitors_failing", "Monitors that could not be evaluated the last time", numbers.failing),
            ("signalbox_incidents_open", "Incidents that aren't over", numbers.incidents),
            ("signalbox_messages_waiting", "Messages about incidents that aren't delivered yet", numbers.waiting),
            ("signalbox_watch_leader", "1 if this node evaluates monitors and tells people", leads),
            ("signalbox_messages_dead", "Messages about incidents that were given up", numbers.dead),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let budgets = self.0.budgets();
        let labels = |budget: &BudgetNumbers| {
            [("project", budget.project.as_str().to_owned()), ("objective", budget.objective.clone())]
        };
        let help = "The part of an objective's error budget that is left";
        let mut left = encoder.encode_descriptor("signalbox_objective_budget_left", help, None, MetricType::Gauge)?;
        for budget in &budgets {
            ConstGauge::new(budget.left).encode(left.encode_family(&labels(budget))?)?;
        }
        let help = "Whether releases wait for an objective's budget";
        let mut frozen = encoder.encode_descriptor("signalbox_objective_frozen", help, None, MetricType::Gauge)?;
        for budget in &budgets {
            ConstGauge::new(i64::from(budget.frozen)).encode(frozen.encode_family(&labels(budget))?)?;
        }
        Ok(())
    }
}
