use std::sync::Arc;

use signalbox_testkit::ManualClock;
use signalbox_types::{ProjectId, Timestamp};

use super::{KeptBounds, KeptThing};
use crate::Catalog;

fn thing(id: &str, project: &str, used_at: i64) -> KeptThing {
    KeptThing {
        kind: "file".to_owned(),
        id: id.to_owned(),
        project: ProjectId::new(project),
        provider: "openai".to_owned(),
        used_at: Timestamp::from_micros(used_at),
    }
}

fn bounds(most: u32, used_since: i64) -> KeptBounds {
    KeptBounds { most, used_since: Timestamp::from_micros(used_since) }
}

#[tokio::test]
async fn outlives_the_process_and_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Catalog::open(dir.path(), Arc::new(ManualClock::default()));
    let catalog = open().await.unwrap();
    let all = vec![thing("1", "a", 10), thing("2", "a", 20), thing("2", "b", 30), thing("3", "a", 40)];
    catalog.keep(all.clone(), None).await.unwrap();
    // Used again, by another provider's name.
    let again = KeptThing { provider: "azure".to_owned(), ..thing("1", "a", 50) };
    catalog.keep(vec![again.clone()], None).await.unwrap();
    drop(catalog);

    let catalog = open().await.unwrap();
    let expected = [all[1].clone(), all[2].clone(), all[3].clone(), again];
    assert_eq!(catalog.kept(bounds(10, 0)).await.unwrap(), expected);
    assert_eq!(catalog.kept(bounds(2, 0)).await.unwrap(), expected[2..]);
    assert_eq!(catalog.kept(bounds(10, 40)).await.unwrap(), expected[2..]);

    catalog.keep(vec![], Some(bounds(10, 30))).await.unwrap();
    assert_eq!(catalog.kept(bounds(10, 0)).await.unwrap(), expected[1..]);
    catalog.keep(vec![thing("4", "a", 60)], Some(bounds(2, 0))).await.unwrap();
    assert_eq!(catalog.kept(bounds(10, 0)).await.unwrap(), [expected[3].clone(), thing("4", "a", 60)]);
}
