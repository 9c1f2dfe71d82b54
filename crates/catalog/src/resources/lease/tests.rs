use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use signalbox_testkit::ManualClock;
use signalbox_types::ProjectId;
use signalbox_types::seam::Clock as _;

use super::{LeaseAsk, LeaseTerm};
use crate::{Catalog, WatchedDocument, database};

const LASTS: Duration = Duration::from_secs(15);

struct House {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl House {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clock: Arc::default() }
    }

    /// A process of its own, with a connection of its own to the same file.
    async fn process(&self) -> Catalog {
        Catalog::open(self.dir.path(), Arc::<ManualClock>::clone(&self.clock)).await.unwrap()
    }
}

fn term(holder: &str, term: u32) -> LeaseTerm {
    LeaseTerm { name: "watch".to_owned(), holder: holder.to_owned(), term }
}

/// Who has it after that, in which term, and whether that is who asked.
async fn ask(catalog: &Catalog, holder: &str, term: Option<u32>) -> (String, u32, bool) {
    let ask = LeaseAsk { name: "watch".to_owned(), holder: holder.to_owned(), term, lasts: LASTS };
    let (lease, granted) = catalog.ask_lease(ask).await.unwrap();
    (lease.holder, lease.term, granted)
}

fn is(holder: &str, term: u32, granted: bool) -> (String, u32, bool) {
    (holder.to_owned(), term, granted)
}

#[tokio::test]
async fn one_has_it_until_it_stops_asking() {
    let house = House::new();
    let (one, other) = (house.process().await, house.process().await);
    assert_eq!(one.lease("watch").await.unwrap(), None);
    assert_eq!(ask(&one, "a", None).await, is("a", 1, true));
    assert_eq!(ask(&other, "b", None).await, is("a", 1, false));
    for _ in 0..3 {
        house.clock.advance(LASTS - Duration::from_secs(1));
        assert_eq!(ask(&other, "b", None).await, is("a", 1, false));
        assert_eq!(ask(&one, "a", Some(1)).await, is("a", 1, true), "renewed, it is the same term");
    }
    house.clock.advance(LASTS);
    assert_eq!(ask(&other, "b", None).await, is("b", 2, true));
    assert_eq!(ask(&one, "a", Some(1)).await, is("b", 2, false), "who was paused learns of it");
    let kept = one.lease("watch").await.unwrap().unwrap();
    assert_eq!((kept.holder.as_str(), kept.expires_at), ("b", house.clock.now().plus(LASTS)));
}

#[tokio::test]
async fn who_comes_back_late_keeps_what_nobody_took() {
    let house = House::new();
    let one = house.process().await;
    assert_eq!(ask(&one, "a", None).await, is("a", 1, true));
    house.clock.advance(LASTS * 100);
    assert_eq!(ask(&one, "a", Some(1)).await, is("a", 1, true));
}

#[tokio::test]
async fn a_node_that_is_started_anew_need_not_wait_for_itself() {
    let house = House::new();
    let one = house.process().await;
    assert_eq!(ask(&one, "a", None).await, is("a", 1, true));
    let again = house.process().await;
    assert_eq!(ask(&again, "a", None).await, is("a", 2, true));
    assert_eq!(ask(&one, "a", Some(1)).await, is("a", 2, false), "two of one name don't both have it");
}

#[tokio::test]
async fn what_is_given_up_is_free_at_once() {
    let house = House::new();
    let (one, other) = (house.process().await, house.process().await);
    ask(&one, "a", None).await;
    one.give_up_lease(term("a", 7)).await.unwrap();
    assert_eq!(ask(&other, "b", None).await, is("a", 1, false), "only who has it can give it up");
    one.give_up_lease(term("a", 1)).await.unwrap();
    assert_eq!(ask(&other, "b", None).await, is("b", 2, true));
}

#[tokio::test]
async fn nothing_is_written_under_a_lease_of_another() {
    let house = House::new();
    let (one, other) = (house.process().await, house.process().await);
    let document = |text: &str| WatchedDocument {
        project: ProjectId::new("default"),
        kind: "incident".to_owned(),
        id: "1".to_owned(),
        body: Some(json!(text)),
    };
    ask(&one, "a", None).await;
    assert!(one.write_watched(vec![document("a")], Some(term("a", 1))).await.unwrap());
    house.clock.advance(LASTS);
    assert!(one.write_watched(vec![document("late")], Some(term("a", 1))).await.unwrap(), "nobody has taken it");
    ask(&other, "b", None).await;
    assert!(!one.write_watched(vec![document("too late")], Some(term("a", 1))).await.unwrap());
    assert_eq!(other.watched().await.unwrap(), [document("late")]);
}

#[tokio::test]
async fn who_has_it_keeps_it_while_nothing_can_be_written() {
    let house = House::new();
    let (one, other) = (house.process().await, house.process().await);
    ask(&one, "a", None).await;
    let mut file = database::open(&house.dir.path().join("catalog.db")).await.unwrap();
    let full = "CREATE TRIGGER full BEFORE UPDATE ON leases BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
    sqlx::raw_sql(full).execute(&mut file).await.unwrap();
    house.clock.advance(LASTS * 2);
    assert_eq!(ask(&one, "a", Some(1)).await, is("a", 1, true));
    let new = LeaseAsk { name: "watch".to_owned(), holder: "b".to_owned(), term: None, lasts: LASTS };
    other.ask_lease(new).await.unwrap_err();
}
