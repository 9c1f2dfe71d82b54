use std::sync::Arc;

use signalbox_testkit::ManualClock;
use signalbox_types::ProjectId;
use signalbox_types::seam::Clock;

use crate::{Catalog, Feedback, Principal};

#[tokio::test]
async fn what_is_said_is_kept_until_it_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    let catalog = Catalog::open(dir.path(), clock).await.unwrap();
    let key = catalog.bootstrap(None).await.unwrap().unwrap();
    let by = catalog.authenticate(key.key.expose()).unwrap();
    let said = Feedback {
        label: "false_positive".to_owned(),
        scanner: "secrets".to_owned(),
        rule: Some("password".to_owned()),
        text: "password: see above".to_owned(),
        note: None,
        trace_id: None,
    };
    let kept = catalog.keep_feedback(&by, said.clone()).await.unwrap();
    assert_eq!(kept.said, said);
    assert_eq!(catalog.feedback(&by.project, 10).await.unwrap(), std::slice::from_ref(&kept));
    let stranger = Principal { project: ProjectId::new("other"), ..by.clone() };
    assert_eq!(catalog.feedback(&stranger.project, 10).await.unwrap(), []);
    assert!(!catalog.forget_feedback(&stranger, kept.id).await.unwrap());
    let empty = catalog.keep_feedback(&by, Feedback { text: " ".to_owned(), ..said.clone() }).await.unwrap_err();
    assert!(empty.to_string().contains("`text`"), "{empty}");
    assert!(catalog.keep_feedback(&by, Feedback { note: Some("x".repeat(3_000)), ..said }).await.is_err());
    assert!(catalog.forget_feedback(&by, kept.id).await.unwrap());
    assert_eq!(catalog.feedback(&by.project, 10).await.unwrap(), []);
}
