use signalbox_types::Timestamp;

use super::{first, sql};

#[tokio::test]
async fn an_empty_catalog_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut connection = crate::database::open(&dir.path().join("catalog.db")).await.unwrap();
    assert!(sql::none(&mut connection).await.unwrap());
    sql::insert(&mut connection, &first(), "Default", Timestamp::from_micros(1)).await.unwrap();
    assert!(!sql::none(&mut connection).await.unwrap());
}
