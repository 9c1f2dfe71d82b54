use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use signalbox_testkit::ManualClock;
use signalbox_types::seam::Clock;

use super::{MAX_SESSIONS_PER_KEY, SESSION_LIFETIME};
use crate::{Catalog, Principal};

async fn open(dir: &Path, clock: &Arc<ManualClock>) -> Catalog {
    let seam: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    Catalog::open(dir, seam).await.unwrap()
}

async fn first(catalog: &Catalog) -> Principal {
    let key = catalog.bootstrap(None).await.unwrap().unwrap();
    catalog.authenticate(key.key.expose()).unwrap()
}

#[tokio::test]
async fn lasts_thirty_days_and_through_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let catalog = open(dir.path(), &clock).await;
    let principal = first(&catalog).await;
    let token = catalog.open_session(&principal).await.unwrap();
    drop(catalog);

    let again = open(dir.path(), &clock).await;
    assert_eq!(again.session(token.expose()), Some(principal.clone()));
    clock.advance(SESSION_LIFETIME - Duration::from_secs(1));
    assert_eq!(again.session(token.expose()), Some(principal));
    clock.advance(Duration::from_secs(1));
    assert_eq!(again.session(token.expose()), None);
}

#[tokio::test]
async fn closing_ends_it_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = open(dir.path(), &Arc::default()).await;
    let principal = first(&catalog).await;
    let one = catalog.open_session(&principal).await.unwrap();
    let other = catalog.open_session(&principal).await.unwrap();
    catalog.close_session(one.expose()).await.unwrap();
    assert_eq!(catalog.session(one.expose()), None);
    assert_eq!(catalog.session(other.expose()), Some(principal));
    assert_eq!(catalog.session("sbs-nobody"), None);
    catalog.close_session("sbs-nobody").await.unwrap();
}

#[tokio::test]
async fn a_key_has_a_bounded_number_of_sessions() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let catalog = open(dir.path(), &clock).await;
    let principal = first(&catalog).await;
    let oldest = catalog.open_session(&principal).await.unwrap();
    for _ in 1..MAX_SESSIONS_PER_KEY {
        clock.advance(Duration::from_secs(1));
        catalog.open_session(&principal).await.unwrap();
    }
    assert!(catalog.session(oldest.expose()).is_some());
    clock.advance(Duration::from_secs(1));
    let newest = catalog.open_session(&principal).await.unwrap();
    assert!(catalog.session(oldest.expose()).is_none());
    assert!(catalog.session(newest.expose()).is_some());
    assert_eq!(catalog.snapshot().sessions.len(), MAX_SESSIONS_PER_KEY as usize);
}
