use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use signalbox_testkit::ManualClock;
use signalbox_types::seam::Clock;
use signalbox_types::{KeyId, ProjectId, Secret};

use crate::resources::project;
use crate::{AuthError, Catalog, CatalogError, NewKey, Principal};

async fn open(dir: &Path) -> (Catalog, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let seam: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    (Catalog::open(dir, seam).await.unwrap(), clock)
}

async fn first(catalog: &Catalog) -> (NewKey, Principal) {
    let key = catalog.bootstrap(None).await.unwrap().unwrap();
    let principal = catalog.authenticate(key.key.expose()).unwrap();
    (key, principal)
}

#[tokio::test]
async fn the_first_key_is_made_once_and_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, _) = open(dir.path()).await;
    let (key, principal) = first(&catalog).await;
    assert_eq!(key.key.expose().len(), 46);
    assert!(key.key.expose().starts_with("sb-"));
    assert_eq!(principal.project, ProjectId::new("default"));
    assert_eq!(principal.key_id, key.id);
    assert_eq!(catalog.bootstrap(None).await.unwrap(), None);
    assert_eq!(catalog.bootstrap(Some(Secret::new("another-one".into()))).await.unwrap(), None);
    assert_eq!(catalog.authenticate("another-one"), Err(AuthError::Unknown));
    drop(catalog);

    let (again, _) = open(dir.path()).await;
    assert_eq!(again.authenticate(key.key.expose()), Ok(principal));
    assert_eq!(again.bootstrap(None).await.unwrap(), None);
}

#[tokio::test]
async fn a_chosen_first_key_must_be_long_enough_and_fit_a_header() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, _) = open(dir.path()).await;
    for (chosen, expect) in
        [("short", "5 characters; expected 8"), ("with a blank", "no blanks"), ("schlüssel", "ASCII")]
    {
        let message = catalog.bootstrap(Some(Secret::new(chosen.into()))).await.unwrap_err().to_string();
        assert!(message.contains(expect), "{message}");
        assert!(!message.contains(chosen), "{message}");
    }
    let key = catalog.bootstrap(Some(Secret::new("sb-dev-key\n".into()))).await.unwrap().unwrap();
    assert_eq!((key.key.expose(), key.last4.as_str()), ("sb-dev-key", "ey"));
    assert!(catalog.authenticate("sb-dev-key").is_ok());
}

#[tokio::test]
async fn only_the_right_key_opens() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, _) = open(dir.path()).await;
    let (key, _) = first(&catalog).await;
    assert_eq!(catalog.authenticate(""), Err(AuthError::Missing));
    assert_eq!(catalog.authenticate("  "), Err(AuthError::Missing));
    assert_eq!(catalog.authenticate("sb-wrong"), Err(AuthError::Unknown));
    assert_eq!(catalog.authenticate(key.key.expose().get(..45).unwrap()), Err(AuthError::Unknown));
    assert!(catalog.authenticate(&format!(" {} ", key.key.expose())).is_ok());
}

#[tokio::test]
async fn a_revoked_key_is_dead_at_once_and_stays_dead() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, _) = open(dir.path()).await;
    let (first_key, by) = first(&catalog).await;
    let key = catalog.create_key(&by, " support bot ").await.unwrap();
    assert_eq!(key.name, "support bot");
    let holder = catalog.authenticate(key.key.expose()).unwrap();
    let session = catalog.open_session(&holder).await.unwrap();

    let revoked = catalog.revoke_key(&by, &key.id).await.unwrap();
    assert!(revoked.revoked_at.is_some());
    assert_eq!(catalog.authenticate(key.key.expose()), Err(AuthError::Revoked));
    assert_eq!(catalog.session(session.expose()), None);
    assert_eq!(catalog.open_session(&holder).await, Err(CatalogError::UnknownKey(key.id.clone())));
    assert_eq!(catalog.revoke_key(&by, &key.id).await, Ok(revoked));
    drop(catalog);

    let (again, _) = open(dir.path()).await;
    assert_eq!(again.authenticate(key.key.expose()), Err(AuthError::Revoked));
    assert!(again.authenticate(first_key.key.expose()).is_ok());
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_stop_a_revocation() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, _) = open(dir.path()).await;
    let (_, by) = first(&catalog).await;
    let key = catalog.create_key(&by, "leaked").await.unwrap();
    {
        let mut revocation = Box::pin(catalog.revoke_key(&by, &key.id));
        assert!(futures_util::poll!(&mut revocation).is_pending());
    }
    // The next change waits for its turn, so the one before is done when it returns.
    while catalog.authenticate(key.key.expose()).is_ok() {
        catalog.close().await.unwrap();
    }
    assert_eq!(catalog.authenticate(key.key.expose()), Err(AuthError::Revoked));
}

#[tokio::test]
async fn refuses_what_would_lock_everybody_out() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, _) = open(dir.path()).await;
    let (key, by) = first(&catalog).await;
    assert_eq!(catalog.revoke_key(&by, &key.id).await, Err(CatalogError::LastKey(key.id.clone())));
    assert!(catalog.authenticate(key.key.expose()).is_ok());
    let unknown = KeyId::new("key_nobody");
    assert_eq!(catalog.revoke_key(&by, &unknown).await, Err(CatalogError::UnknownKey(unknown.clone())));
}

#[tokio::test]
async fn names_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, _) = open(dir.path()).await;
    let (_, by) = first(&catalog).await;
    for name in ["", "  ", "two\nlines", &"x".repeat(101)] {
        let error = catalog.create_key(&by, name).await.unwrap_err();
        assert!(matches!(error, CatalogError::Invalid { field: "name", .. }), "{name:?}: {error}");
    }
}

#[tokio::test]
async fn another_project_does_not_see_or_revoke() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, _) = open(dir.path()).await;
    let (key, by) = first(&catalog).await;
    let stranger = Principal { project: ProjectId::new("other"), ..by };
    assert_eq!(catalog.list_keys(&stranger.project).await.unwrap(), []);
    assert_eq!(catalog.revoke_key(&stranger, &key.id).await, Err(CatalogError::UnknownKey(key.id)));
    assert_eq!(catalog.history(&stranger.project, 10).await.unwrap(), []);
}

#[tokio::test]
async fn last_use_is_shown_and_survives_a_clean_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, clock) = open(dir.path()).await;
    let (key, by) = first(&catalog).await;
    let used = clock.now();
    clock.advance(Duration::from_secs(59));
    catalog.authenticate(key.key.expose()).unwrap();
    assert_eq!(catalog.list_keys(&by.project).await.unwrap()[0].last_used_at, Some(used));
    clock.advance(Duration::from_secs(1));
    catalog.authenticate(key.key.expose()).unwrap();
    let later = clock.now();
    catalog.close().await.unwrap();
    drop(catalog);

    let (again, _) = open(dir.path()).await;
    let keys = again.list_keys(&by.project).await.unwrap();
    assert_eq!(keys[0].last_used_at, Some(later));
    assert!(key.key.expose().ends_with(&keys[0].last4) && keys[0].last4.len() == 4);
}

#[tokio::test]
async fn history_tells_who_did_what_and_holds_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, clock) = open(dir.path()).await;
    let (_, by) = first(&catalog).await;
    clock.advance(Duration::from_secs(5));
    let key = catalog.create_key(&by, "bot").await.unwrap();
    catalog.revoke_key(&by, &key.id).await.unwrap();
    let history = catalog.history(&by.project, 10).await.unwrap();
    let told: Vec<_> = history.iter().map(|change| (change.action.as_str(), change.actor.is_some())).collect();
    assert_eq!(told, [("revoke", true), ("create", true), ("create", false)]);
    assert_eq!(history[0].resource_id, key.id.as_str());
    assert_eq!(history[0].before.as_ref().unwrap()["revoked"], false);
    assert_eq!(history[0].after.as_ref().unwrap()["revoked"], true);
    assert_eq!(history[1].time, clock.now());
    assert!(!format!("{history:?}").contains(key.key.expose()));
    assert_eq!(catalog.history(&by.project, 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn no_key_is_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, _) = open(dir.path()).await;
    let (key, by) = first(&catalog).await;
    let session = catalog.open_session(&by).await.unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for secret in [key.key.expose(), session.expose()] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "a secret is in {}", path.display());
        }
    }
    assert_eq!(format!("{key:?}").matches(key.key.expose()).count(), 0);
}

#[tokio::test]
async fn a_full_disk_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, _) = open(dir.path()).await;
    let (_, principal) = first(&catalog).await;
    // No page more than there are: SQLite answers as if the disk were full, on this connection only.
    catalog
        .read(|connection| {
            Box::pin(async move { sqlx::query("PRAGMA max_page_count = 1").execute(connection).await.map(drop) })
        })
        .await
        .unwrap();
    let mut refused = None;
    for _ in 0..100 {
        if let Err(error) = catalog.create_key(&principal, "one more").await {
            refused = Some(error);
            break;
        }
    }
    let full = matches!(refused, Some(CatalogError::File { fault: crate::FileFault::Full, .. }));
    assert!(full, "{refused:?}");
    catalog.create_key(&principal, "after some space was freed").await.unwrap();
    catalog.close().await.unwrap();
}

#[tokio::test]
async fn says_whether_there_is_one_project_only() {
    let dir = tempfile::tempdir().unwrap();
    let (catalog, _) = open(dir.path()).await;
    assert!(catalog.has_one_project());
    let (_, principal) = first(&catalog).await;
    catalog.create_key(&principal, "another").await.unwrap();
    assert!(catalog.has_one_project());
    let other = ProjectId::new("other");
    let by = Principal { project: other.clone(), ..principal };
    let made = catalog.write(move |connection, now| {
        Box::pin(async move { Ok(project::sql::insert(connection, &other, "Other", now).await?) })
    });
    made.await.unwrap();
    catalog.create_key(&by, "theirs").await.unwrap();
    assert!(!catalog.has_one_project());
}
