use std::sync::Arc;

use signalbox_testkit::ManualClock;
use signalbox_types::Secret;

use crate::{Catalog, CatalogError, CredentialFault, Principal};

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

async fn open(dir: &std::path::Path) -> Catalog {
    Catalog::open(dir, Arc::new(ManualClock::default())).await.unwrap()
}

async fn first(catalog: &Catalog) -> Principal {
    let key = catalog.bootstrap(Some(secret("sb-first-key-0001"))).await.unwrap().unwrap();
    catalog.authenticate(key.key.expose()).unwrap()
}

const VALUE: &str = "sk-value-0123456789-abcd";

#[tokio::test]
async fn a_value_is_set_and_changed_and_never_written_plainly() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = open(dir.path()).await;
    let by = first(&catalog).await;
    assert_eq!(catalog.seal_with(&secret(&"k".repeat(32)), None).await.unwrap(), 0);
    assert_eq!(catalog.credential("openai"), Err(CredentialFault::Unknown("openai".to_owned())));
    let set = catalog.set_credential(&by, "openai", &secret(&format!(" {VALUE}\n"))).await.unwrap();
    assert_eq!((set.name.as_str(), set.last4.as_str()), ("openai", "abcd"));
    assert_eq!(catalog.credential("openai").unwrap().expose(), VALUE);
    catalog.set_credential(&by, "openai", &secret("sk-another-0123456789-wxyz")).await.unwrap();
    assert_eq!(catalog.credential("openai").unwrap().expose(), "sk-another-0123456789-wxyz");
    assert_eq!(catalog.credentials()[0].last4, "wxyz");
    let history = catalog.history(&by.project, 10).await.unwrap();
    let actions: Vec<_> = history.iter().map(|change| change.action.as_str()).collect();
    assert_eq!(actions[..2], ["rotate", "create"]);
    assert!(!format!("{history:?} {:?}", catalog.credentials()).contains("0123456789"));
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(10).any(|window| window == b"0123456789"));
    }
    catalog.delete_credential(&by, "openai").await.unwrap();
    let gone = catalog.delete_credential(&by, "openai").await;
    assert_eq!(gone, Err(CatalogError::UnknownCredential("openai".to_owned())));
    assert!(catalog.credentials().is_empty());
}

#[tokio::test]
async fn another_key_is_named_and_the_old_one_lets_it_be_renewed() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (secret(&"old".repeat(12)), secret(&"new".repeat(12)));
    let catalog = open(dir.path()).await;
    let by = first(&catalog).await;
    let told = catalog.set_credential(&by, "openai", &secret(VALUE)).await.unwrap_err().to_string();
    assert!(told.contains("SIGNALBOX_CREDENTIALS_KEY"), "{told}");
    catalog.seal_with(&old, None).await.unwrap();
    catalog.set_credential(&by, "openai", &secret(VALUE)).await.unwrap();
    drop(catalog);

    // Without any key, and with another one: it says which is missing.
    let catalog = open(dir.path()).await;
    let told = catalog.credential("openai").unwrap_err().to_string();
    assert!(told.contains("SIGNALBOX_CREDENTIALS_KEY"), "{told}");
    assert_eq!(catalog.seal_with(&new, None).await.unwrap(), 0);
    let told = catalog.credential("openai").unwrap_err().to_string();
    assert!(told.contains("another key") && told.contains("SIGNALBOX_CREDENTIALS_KEY_BEFORE"), "{told}");
    assert_eq!(catalog.credentials()[0].fault.as_ref().map(ToString::to_string), Some(told));
    drop(catalog);

    let catalog = open(dir.path()).await;
    assert_eq!(catalog.seal_with(&new, Some(&old)).await.unwrap(), 1);
    assert_eq!(catalog.credential("openai").unwrap().expose(), VALUE);
    drop(catalog);
    let catalog = open(dir.path()).await;
    assert_eq!(catalog.seal_with(&new, None).await.unwrap(), 0);
    assert_eq!(catalog.credential("openai").unwrap().expose(), VALUE);
    assert!(catalog.seal_with(&secret("short"), None).await.is_err());
}

#[tokio::test]
async fn what_can_be_no_name_or_value_is_refused_without_showing_it() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = open(dir.path()).await;
    let by = first(&catalog).await;
    catalog.seal_with(&secret(&"k".repeat(32)), None).await.unwrap();
    for (name, value, field) in [
        ("", VALUE, "name"),
        ("a b", VALUE, "name"),
        ("a/b", VALUE, "name"),
        ("a", " ", "value"),
        ("a", "sk-one\nsk-two", "value"),
        ("a", "sk-ünlaut", "value"),
    ] {
        let error = catalog.set_credential(&by, name, &secret(value)).await.unwrap_err();
        assert!(matches!(&error, CatalogError::Invalid { field: found, .. } if *found == field), "{error}");
        assert!(!error.to_string().contains("sk-"), "{error}");
    }
}
