//! Ninety days of traffic, with planted faults or without, minute by minute through the real `Watch`: what it tells people, and when.
//! Driven by `bench/watch/run.py`, which counts. `--set` is `starter`, `fixed`, `none`, or a file with monitors as JSON to try out.
//! `cargo run --release -p signalbox-watch --example simulate -- --set starter --seed 1 --faults 200 --days 90`
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a command line tool that is measured, not shipped")]

mod dice;
mod export;
mod faults;
mod fixed;
mod store;
mod traffic;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use signalbox_testkit::ManualClock;
use signalbox_types::seam::BoxFuture;
use signalbox_types::{ProjectId, Timestamp};
use signalbox_watch::{Http, HttpAnswer, HttpRequest, Keep, Key, MonitorConfig, Term, Watch, WatchConfig, WatchParts};

use store::Simulated;

/// Monday, 2026-01-05 00:00 UTC.
const BEGAN: i64 = 1_767_571_200;
/// How often the binary looks whether something is due is a second; each monitor is due at a moment of its own, which ten find.
const LOOK: Duration = Duration::from_secs(10);

/// What is asked for on the command line.
struct Options {
    set: String,
    seed: u64,
    faults: usize,
    days: usize,
    openmetrics: Option<PathBuf>,
}

fn main() {
    let options = options();
    let faults = faults::plant(options.seed, options.faults, options.days);
    let history = traffic::happen(options.seed, options.days, &faults);
    let calls: u64 = history.calls.cells.iter().map(|cell| u64::from(cell.count)).sum();
    let store = Arc::new(Simulated { history, began: Timestamp::from_micros(BEGAN * 1_000_000) });
    if let Some(dir) = &options.openmetrics {
        export::write(&store, dir).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = Instant::now();
    let (pages, monitors) = match options.set.as_str() {
        "none" => (Vec::new(), Vec::new()),
        set => runtime.block_on(run(set, &store, options.days)),
    };
    let models: BTreeMap<&str, &str> = traffic::MODELS.iter().map(|model| (model.name, model.provider)).collect();
    let routes: BTreeMap<&str, &str> =
        traffic::ROUTES.iter().map(|route| (route.name, traffic::MODELS[route.model].name)).collect();
    let result = json!({
        "set": options.set, "seed": options.seed, "days": options.days, "warm_up_days": traffic::WARM_UP_DAYS,
        "began": BEGAN, "calls": calls, "models": models, "routes": routes, "faults": faults, "pages": pages, "monitors": monitors,
        "seconds": start.elapsed().as_secs_f64(),
    });
    println!("{result}");
}

fn options() -> Options {
    let mut options = Options { set: "starter".to_owned(), seed: 1, faults: 200, days: 90, openmetrics: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        match name.as_str() {
            "--set" => options.set = value,
            "--seed" => options.seed = value.parse().unwrap(),
            "--faults" => options.faults = value.parse().unwrap(),
            "--days" => options.days = value.parse().unwrap(),
            "--openmetrics" => options.openmetrics = Some(value.into()),
            other => {
                eprintln!("there is no option {other}");
                std::process::exit(2);
            }
        }
    }
    options
}

/// Who is told: counts, and keeps what was said.
#[derive(Debug)]
struct Pager {
    clock: Arc<ManualClock>,
    pages: Mutex<Vec<Value>>,
}

impl Http for Pager {
    fn post(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, String>> {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let said = &body["data"];
        let labels: Vec<&Value> =
            said["series"].as_array().into_iter().flatten().map(|series| &series["labels"]).collect();
        let told_at = self.seconds();
        let page = json!({
            "event": said["event"], "monitor": said["monitor"], "incident": said["incident"], "at": told_at,
            "title": said["title"], "series": labels,
        });
        self.pages.lock().push(page);
        Box::pin(async { Ok(HttpAnswer { status: 200, retry_after_s: None, body: Bytes::new() }) })
    }
}

impl Pager {
    fn seconds(&self) -> i64 {
        use signalbox_types::seam::Clock;
        self.clock.now().as_secs() - BEGAN
    }
}

/// Nothing outlives this process.
#[derive(Debug)]
struct Forgets;

impl Keep for Forgets {
    fn load(&self) -> BoxFuture<'_, Result<Vec<(Key, Value)>, String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn write(&self, _: Vec<(Key, Option<Value>)>, _: &Term) -> BoxFuture<'_, Result<bool, String>> {
        Box::pin(async { Ok(true) })
    }
}

async fn run(set: &str, store: &Arc<Simulated>, days: usize) -> (Vec<Value>, Vec<Value>) {
    let clock = Arc::new(ManualClock::at(store.began));
    let pager = Arc::new(Pager { clock: Arc::clone(&clock), pages: Mutex::default() });
    let config = |more: Value| -> WatchConfig {
        let mut config = json!({"channels": [{"name": "pager", "via": {"webhook": {"url": "http://pager.example"}}}]});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let config: WatchConfig = serde_json::from_value(config).unwrap();
        assert_eq!(config.problems(), []);
        config
    };
    let parts = WatchParts {
        config: config(json!({"starter_notify": ["pager"]})),
        node: "one".to_owned(),
        project: ProjectId::new("default"),
        store: Arc::<Simulated>::clone(store),
        clock: Arc::<ManualClock>::clone(&clock),
        keep: Arc::new(Forgets),
        http: Arc::<Pager>::clone(&pager),
    };
    let watch = Watch::open(parts).await.unwrap();
    let starter: Vec<Arc<MonitorConfig>> =
        watch.monitors(&ProjectId::new("default")).into_iter().map(|view| view.config).collect();
    let own: Option<Vec<Value>> = match set {
        "starter" => None,
        "fixed" => Some(fixed::thresholds(&**store, &starter, store.began).await),
        file => Some(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()),
    };
    if let Some(mut monitors) = own {
        monitors.iter_mut().for_each(|monitor| monitor["notify"] = json!(["pager"]));
        watch.configure(config(json!({"starter": false, "monitors": monitors})));
    }
    for _ in 0..days * 24 * 360 {
        clock.advance(LOOK);
        watch.tick().await;
        watch.deliver().await;
    }
    let monitors = watch.monitors(&ProjectId::new("default")).into_iter().map(|view| {
        json!({"name": view.config.name, "problem": view.problem, "series": view.series.len(),
            "phase": view.phase, "condition": view.config.condition.kind()})
    });
    (std::mem::take(&mut *pager.pages.lock()), monitors.collect())
}
