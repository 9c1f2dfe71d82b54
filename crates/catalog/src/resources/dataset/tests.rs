use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_testkit::ManualClock;
use signalbox_types::seam::Erase;

use super::*;

struct House {
    dir: tempfile::TempDir,
    catalog: Catalog,
    by: Principal,
}

impl House {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(dir.path(), Arc::new(ManualClock::default())).await.unwrap();
        let key = catalog.bootstrap(None).await.unwrap().unwrap();
        let by = catalog.authenticate(key.key.expose()).unwrap();
        catalog.create_dataset(&by, "gold", " The gold set. ", None).await.unwrap();
        Self { dir, catalog, by }
    }

    async fn commit(&self, base: Option<&str>, changes: Vec<ItemChange>) -> Result<DatasetVersion, CatalogError> {
        let base = base.map(str::to_owned);
        let commit = DatasetCommit { branch: MAIN.to_owned(), base, changes, ..DatasetCommit::default() };
        self.catalog.commit_dataset(&self.by, "gold", commit).await
    }

    async fn version(&self, reference: &str) -> Result<DatasetVersion, CatalogError> {
        self.catalog.dataset_version(&self.by.project, "gold", reference).await
    }

    async fn items(&self, version: &DatasetVersion, filter: &ItemFilter) -> Vec<StoredItem> {
        let page = self.catalog.dataset_items(&self.by.project, version, filter, 0, 1_000).await.unwrap();
        assert_eq!(page.next, None);
        page.items
    }

    async fn ids(&self, version: &DatasetVersion, filter: &ItemFilter) -> String {
        let ids: Vec<String> = self.items(version, filter).await.into_iter().map(|item| item.id).collect();
        ids.join(" ")
    }

    async fn count(&self, table: &'static str) -> i64 {
        let statement = format!("SELECT count(*) FROM {table}");
        self.catalog
            .read(|connection| {
                Box::pin(async move { sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(connection).await })
            })
            .await
            .unwrap()
    }
}

fn item(value: Value) -> DatasetItem {
    let Value::Object(fields) = value else { panic!("no object") };
    DatasetItem::new(fields).unwrap()
}

fn ask(id: &str, input: &str) -> DatasetItem {
    item(json!({"id": id, "input": input}))
}

fn text(error: Result<DatasetVersion, CatalogError>) -> String {
    match error.unwrap_err() {
        CatalogError::Unknown { problem, hint } | CatalogError::Conflict { problem, hint } => {
            format!("{problem}; {hint}")
        }
        error => error.to_string(),
    }
}

#[tokio::test]
async fn a_version_is_what_it_was_and_a_branch_moves() {
    let house = House::new().await;
    let empty = text(house.version("main").await);
    assert!(empty.contains("no version yet") && empty.contains("add items"), "{empty}");
    let one = house.commit(None, vec![ItemChange::Add(ask("a", "1")), ItemChange::Add(ask("b", "2"))]).await.unwrap();
    assert_eq!((one.items, one.message.as_str(), one.parent.as_deref()), (2, "Add 2 items", None));
    let changes = vec![
        ItemChange::Remove("a".to_owned()),
        ItemChange::Replace(ask("b", "2!")),
        ItemChange::Put(item(json!({"id": "c", "input": "3", "split": "test"}))),
    ];
    let two = house.commit(Some(&one.id), changes.clone()).await.unwrap();
    assert_eq!(two.message, "Add 1 item, replace 1 item, remove 1 item");
    assert_eq!((two.parent.as_deref(), two.splits["test"], two.splits[""]), (Some(one.id.as_str()), 1, 1));
    assert_eq!(house.ids(&one, &ItemFilter::default()).await, "a b");
    assert_eq!(house.ids(&two, &ItemFilter::default()).await, "b c");
    assert_eq!(house.version("main").await.unwrap(), two);
    assert_eq!(house.version(one.id.get(..8).unwrap()).await.unwrap(), one);
    assert_eq!(house.version(&one.id.to_uppercase()).await.unwrap(), one);

    let stale = text(house.commit(Some(&one.id), vec![ItemChange::Add(ask("d", "4"))]).await);
    assert!(
        stale.contains(&two.id) && stale.contains(one.id.get(..12).unwrap()) && stale.contains("diff?from="),
        "{stale}"
    );
    let blind = text(house.commit(None, changes).await);
    assert!(blind.contains("`base`: expected the version"), "{blind}");
    let there = text(house.commit(None, vec![ItemChange::Add(ask("b", "other"))]).await);
    assert!(there.contains("`b` with other content"), "{there}");
    let missing = text(house.commit(Some(&two.id), vec![ItemChange::Replace(ask("x", "1"))]).await);
    assert!(missing.contains("no item `x`"), "{missing}");
    let same =
        house.commit(None, vec![ItemChange::Add(ask("b", "2!")), ItemChange::Offer(ask("c", "other"))]).await.unwrap();
    assert_eq!(same, two, "nothing differs, so there is no version");

    let history = house.catalog.history(&house.by.project, 1).await.unwrap();
    assert_eq!((history[0].resource.as_str(), history[0].action.as_str()), ("dataset", "commit"));
}

#[tokio::test]
async fn the_same_items_have_the_same_content_and_outlive_the_process() {
    let house = House::new().await;
    let one = house.commit(None, vec![ItemChange::Add(ask("a", "1"))]).await.unwrap();
    let two = house.commit(Some(&one.id), vec![ItemChange::Replace(ask("a", "2"))]).await.unwrap();
    let back = house.commit(Some(&two.id), vec![ItemChange::Replace(ask("a", "1"))]).await.unwrap();
    assert_eq!(back.content, one.content);
    assert_ne!(back.id, one.id);
    let all = house.catalog.dataset_versions(&house.by.project, "gold", None, None, 10).await.unwrap();
    assert_eq!(all, [back.clone(), two.clone(), one.clone()]);
    let rest = house.catalog.dataset_versions(&house.by.project, "gold", Some(MAIN), Some(back.place()), 1).await;
    assert_eq!(rest.unwrap(), [two]);

    let file = house.dir.path().join("copy").join("catalog.db");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    house.catalog.backup(&file).await.unwrap();
    let copy = Catalog::open(file.parent().unwrap(), Arc::new(ManualClock::default())).await.unwrap();
    assert_eq!(copy.dataset_version(&house.by.project, "gold", "main").await.unwrap(), back);
    let found = copy.dataset_item(&house.by.project, &back, "a").await.unwrap().unwrap();
    assert_eq!(found.fields, Some(json!({"input": "1"})));
}

#[tokio::test]
async fn branches_move_and_tags_stay() {
    let house = House::new().await;
    let set = async |kind, name: &str, version: &str, base: Option<&str>| {
        let base = base.map(str::to_owned);
        house.catalog.set_dataset_ref(&house.by, "gold", (kind, name), version, base).await
    };
    let one = house.commit(None, vec![ItemChange::Add(ask("a", "1"))]).await.unwrap();
    set(RefKind::Tag, "v1", "main", None).await.unwrap();
    set(RefKind::Branch, "try", "v1", None).await.unwrap();
    let on_try = DatasetCommit {
        branch: "try".to_owned(),
        changes: vec![ItemChange::Put(ask("a", "2"))],
        ..DatasetCommit::default()
    };
    let two = house.catalog.commit_dataset(&house.by, "gold", on_try).await.unwrap();
    assert_eq!((house.version("try").await.unwrap(), house.version("main").await.unwrap()), (two.clone(), one.clone()));
    assert_eq!(house.version("v1").await.unwrap(), one);
    let main = house.catalog.dataset_versions(&house.by.project, "gold", Some(MAIN), None, 10).await.unwrap();
    assert_eq!(main, std::slice::from_ref(&one), "what is on another branch doesn't lead to it");

    let says = |error: Result<DatasetRef, CatalogError>, problem: &str| {
        let error = error.unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    };
    says(set(RefKind::Tag, "v1", "try", None).await, "tags don't move");
    says(set(RefKind::Tag, "try", "try", None).await, "there is a branch `try`");
    says(set(RefKind::Branch, "main", "try", None).await, "`base`");
    says(set(RefKind::Branch, "main", "try", Some(&two.id)).await, "was made to version");
    says(set(RefKind::Tag, "deadbeef", "try", None).await, "could be taken for a version");
    says(set(RefKind::Tag, "a/b", "try", None).await, "letters, digits");
    set(RefKind::Branch, "main", "try", Some(&one.id)).await.unwrap();
    assert_eq!(house.version("main").await.unwrap(), two);

    house.catalog.delete_dataset_ref(&house.by, "gold", (RefKind::Tag, "v1")).await.unwrap();
    assert!(text(house.version("v1").await).contains("no version, branch or tag `v1`"));
    let main = house.catalog.delete_dataset_ref(&house.by, "gold", (RefKind::Branch, "main")).await;
    assert!(main.unwrap_err().to_string().contains("`main` stays"));
    let wrong = house.catalog.delete_dataset_ref(&house.by, "gold", (RefKind::Tag, "try")).await;
    assert!(matches!(wrong, Err(CatalogError::Unknown { .. })));
}

#[tokio::test]
async fn items_are_found_by_split_and_text_page_by_page() {
    let house = House::new().await;
    let items: Vec<ItemChange> = (0..1_500)
        .map(|i| ItemChange::Add(item(json!({"id": format!("i{i}"), "input": format!("Say \"{i}\"")}))))
        .collect();
    let shares = vec![Share { split: "train".into(), weight: 4.0 }, Share { split: "test".into(), weight: 1.0 }];
    let commit = DatasetCommit {
        branch: MAIN.to_owned(),
        changes: items,
        shares: Some(shares.clone()),
        ..DatasetCommit::default()
    };
    let version = house.catalog.commit_dataset(&house.by, "gold", commit).await.unwrap();
    assert_eq!(version.splits.values().sum::<u64>(), 1_500);

    let (mut at, mut seen) = (Some(0), Vec::new());
    while let Some(from) = at {
        let page = house.catalog.dataset_items(&house.by.project, &version, &ItemFilter::default(), from, 700).await;
        let page = page.unwrap();
        seen.extend(page.items.iter().map(|item| (item.position, item.id.clone())));
        at = page.next;
    }
    assert_eq!(seen, (0..1_500).map(|i| (i, format!("i{i}"))).collect::<Vec<_>>());
    let filter = |split: &str, text: &str| ItemFilter {
        split: (!split.is_empty()).then(|| split.to_owned()),
        text: (!text.is_empty()).then(|| text.to_owned()),
    };
    let page = house.catalog.dataset_items(&house.by.project, &version, &filter("test", ""), 0, 1_000).await.unwrap();
    assert_eq!(page.items.len() as u64, version.splits["test"]);
    assert!(page.items.iter().all(|item| item.split.as_deref() == Some("test")));
    assert_eq!(house.ids(&version, &filter("", "say \"77\"")).await, "i77");
    assert_eq!(house.ids(&version, &filter("", "I1499")).await, "i1499");
    assert_eq!(house.ids(&version, &filter("nothing", "")).await, "");

    // The next version keeps the shares, and shares all chunks but one or two with this.
    let next = house.commit(Some(&version.id), vec![ItemChange::Replace(ask("i700", "other"))]).await.unwrap();
    assert_eq!((&next.shares, &next.splits), (&shares, &version.splits));
    let diff = house.catalog.diff_dataset(&house.by.project, Some(&version), &next, 0, 10).await.unwrap();
    assert_eq!((diff.added, diff.removed, diff.changed, diff.next), (0, 0, 1, None));
    assert_eq!(diff.entries[0].fields[0].path, "input");
}

#[tokio::test]
async fn a_diff_is_paged_and_ignores_where_items_stand() {
    let house = House::new().await;
    let one = house.commit(None, ["a", "b", "c"].map(|id| ItemChange::Add(ask(id, id))).to_vec()).await.unwrap();
    let mut import = house.catalog.import_dataset(&house.by, "gold").await.unwrap();
    for new in [ask("c", "c"), ask("d", "d"), ask("b", "B"), ask("d", "d")] {
        import.push(new).await.unwrap();
    }
    let done = import.commit(MAIN, Some(one.id.clone()), "All of it.", ImportMode::Mirror).await.unwrap();
    assert_eq!((done.items, done.repeated), (3, 1));
    let two = done.version;
    assert_eq!((two.added, two.replaced, two.removed, two.message.as_str()), (1, 1, 1, "All of it."));
    assert_eq!(house.ids(&two, &ItemFilter::default()).await, "c d b");
    let page = async |start| house.catalog.diff_dataset(&house.by.project, Some(&one), &two, start, 2).await.unwrap();
    let first = page(0).await;
    assert_eq!((first.added, first.removed, first.changed, first.next), (1, 1, 1, Some(2)));
    let ids: Vec<&str> = first.entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, ["d", "b"]);
    let second = page(2).await;
    assert_eq!((second.entries[0].id.as_str(), &second.entries[0].after, second.next), ("a", &None, None));
    let whole = house.catalog.diff_dataset(&house.by.project, None, &two, 0, 9).await.unwrap();
    assert_eq!((whole.added, whole.removed, whole.changed), (3, 0, 0));
}

#[tokio::test]
async fn an_import_adds_to_what_is_there_or_leaves_nothing() {
    let house = House::new().await;
    let one = house.commit(None, vec![ItemChange::Add(ask("a", "1"))]).await.unwrap();
    let import = async |items: Vec<DatasetItem>| {
        let mut import = house.catalog.import_dataset(&house.by, "gold").await?;
        for new in items {
            import.push(new).await?;
        }
        import.commit(MAIN, None, "", ImportMode::Merge).await
    };
    let twice = import(vec![ask("b", "1"), ask("b", "2")]).await.unwrap_err();
    assert!(twice.to_string().contains("`b` stands there twice"), "{twice}");
    let again = import(vec![ask("a", "1")]).await.unwrap();
    assert_eq!(again.version, one);

    let many = (0..2_500).map(|i| ask(&format!("n{i}"), &i.to_string())).chain([ask("a", "new")]).collect();
    let done = import(many).await.unwrap().version;
    assert_eq!((done.items, done.added, done.replaced), (2_501, 2_500, 1));
    assert_eq!(house.count("dataset_uses WHERE stage <> 0").await, 0);

    // Given up half-way: what it brought goes, what others have stays.
    let mut given_up = house.catalog.import_dataset(&house.by, "gold").await.unwrap();
    for i in 0..1_000 {
        given_up.push(ask(&format!("n{i}"), &(i + 1_999).to_string())).await.unwrap();
    }
    let items = house.count("dataset_items").await;
    assert_eq!(items, 2_501 + 499);
    // The process ends here.
    house.catalog.write_aside(|_, _| Box::pin(async { Ok(()) })).await.unwrap();
    std::mem::forget(given_up);
    let again = Catalog::open(house.dir.path(), Arc::new(ManualClock::default())).await.unwrap();
    drop(again);
    assert_eq!(house.count("dataset_items").await, 2_501);
}

#[tokio::test]
async fn a_schema_is_kept_to() {
    let house = House::new().await;
    let schema = json!({"required": ["input", "reference"], "properties": {"reference": {"type": "string"}}});
    let set = |schema: Option<Value>| DatasetChange { schema: Some(schema), ..DatasetChange::default() };
    house.commit(None, vec![ItemChange::Add(ask("a", "1"))]).await.unwrap();
    let error = house.catalog.change_dataset(&house.by, "gold", set(Some(schema.clone()))).await.unwrap_err();
    assert!(error.to_string().contains("`a` doesn't satisfy"), "{error}");
    let error = house.catalog.change_dataset(&house.by, "gold", set(Some(json!({"type": 7})))).await.unwrap_err();
    assert!(error.to_string().contains("no JSON Schema"), "{error}");

    house.catalog.create_dataset(&house.by, "strict", "", Some(schema.clone())).await.unwrap();
    let mut import = house.catalog.import_dataset(&house.by, "strict").await.unwrap();
    let wrong = item(json!({"id": "b", "input": "x", "reference": 3}));
    let error = import.push(wrong).await.unwrap_err().to_string();
    assert!(error.contains("the item `b`") && error.contains("/reference") && error.contains("string"), "{error}");
    let renamed = DatasetChange { name: Some("loose".into()), schema: Some(None), ..DatasetChange::default() };
    let loose = house.catalog.change_dataset(&house.by, "strict", renamed).await.unwrap();
    assert_eq!((loose.name.as_str(), loose.schema), ("loose", None));
    let taken = DatasetChange { name: Some("gold".into()), ..DatasetChange::default() };
    assert!(matches!(
        house.catalog.change_dataset(&house.by, "loose", taken).await,
        Err(CatalogError::Conflict { .. })
    ));
    let names: Vec<String> =
        house.catalog.datasets(&house.by.project).await.unwrap().into_iter().map(|dataset| dataset.name).collect();
    assert_eq!(names, ["gold", "loose"]);
}

#[tokio::test]
async fn what_no_dataset_has_goes_with_the_last_one_that_had_it() {
    let house = House::new().await;
    house.catalog.create_dataset(&house.by, "copy", "", None).await.unwrap();
    for name in ["gold", "copy"] {
        let changes = vec![ItemChange::Add(ask("a", "both")), ItemChange::Add(ask(name, name))];
        let commit = DatasetCommit { branch: MAIN.to_owned(), changes, ..DatasetCommit::default() };
        house.catalog.commit_dataset(&house.by, name, commit).await.unwrap();
    }
    assert_eq!(house.count("dataset_items").await, 3);
    house.catalog.delete_dataset(&house.by, "gold").await.unwrap();
    assert_eq!((house.count("dataset_items").await, house.count("dataset_versions").await), (2, 1));
    house.catalog.delete_dataset(&house.by, "copy").await.unwrap();
    for table in ["dataset_items", "dataset_uses", "dataset_chunks", "dataset_versions", "dataset_refs"] {
        assert_eq!(house.count(table).await, 0, "{table}");
    }
    let gone = house.catalog.delete_dataset(&house.by, "copy").await.unwrap_err();
    assert!(gone.to_string().contains("no dataset `copy`"));
}

#[tokio::test]
async fn what_is_erased_is_in_no_version_and_not_in_the_file() {
    let house = House::new().await;
    let from = |id: &str, trace: &str, user: &str| {
        let text = format!("the very private words of {id}");
        item(json!({"id": id, "input": text, "source": {"trace_id": trace, "user_id": user}}))
    };
    let items = [from("a", "AA", "ann"), from("b", "bb", "bob"), from("c", "cc", "cid"), ask("d", "nobody's")];
    let one = house.commit(None, items.map(ItemChange::Add).to_vec()).await.unwrap();
    house.commit(Some(&one.id), vec![ItemChange::Remove("a".to_owned())]).await.unwrap();
    let erase = async |what: Erase, traces: &[&str]| {
        let traces = traces.iter().map(|&id| id.to_owned()).collect();
        house.catalog.erase_dataset_items(&house.by.project, &what, traces).await.unwrap()
    };
    assert_eq!(erase(Erase::TraceId("aa".into()), &[]).await, 1);
    assert_eq!(erase(Erase::UserId("bob".into()), &["cc"]).await, 2);
    assert_eq!(erase(Erase::SessionId("none".into()), &[]).await, 0);
    let left: Vec<bool> =
        house.items(&one, &ItemFilter::default()).await.iter().map(|item| item.fields.is_some()).collect();
    assert_eq!(left, [false, false, false, true]);
    for file in ["catalog.db", "catalog.db-wal"] {
        let bytes = std::fs::read(house.dir.path().join(file)).unwrap_or_default();
        let found = bytes.windows(18).any(|window| window == b"very private words");
        assert!(!found, "{file} still has it");
    }
    // Who brings it again, means it.
    let back = house.commit(None, vec![ItemChange::Put(from("a", "aa", "ann"))]).await.unwrap();
    assert!(house.catalog.dataset_item(&house.by.project, &back, "a").await.unwrap().unwrap().fields.is_some());
}
