//! Routes that are switched because of an incident.

use super::*;

/// The gateway, as far as it is told.
#[derive(Debug, Default)]
struct Roads {
    told: Mutex<Vec<Vec<String>>>,
    noted: Mutex<Vec<String>>,
}

impl Actions for Roads {
    fn disable_key<'a>(
        &'a self,
        _: &'a ProjectId,
        _: &'a signalbox_types::KeyId,
        _: &'a Doer,
    ) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(async { Err("not here".to_owned()) })
    }

    fn detour_problem(&self, detour: &Detour) -> Option<String> {
        (detour.route != "chat").then(|| format!("there is no route `{}`", detour.route))
    }

    fn set_detours(&self, detours: &[Detour]) {
        let said =
            |one: &Detour| format!("{} to {}{}", one.route, one.to.as_deref().unwrap_or(""), one.targets.join(","));
        self.told.lock().push(detours.iter().map(said).collect());
    }

    fn done_by_itself<'a>(&'a self, _: &'a ProjectId, _: &'a str, action: &'a str) -> BoxFuture<'a, ()> {
        self.noted.lock().push(action.to_owned());
        Box::pin(async {})
    }
}

async fn house(actions: Value) -> (House, Arc<Roads>) {
    let mut house = House::new(with(error_rate(json!({"for": 1, "actions": actions})), json!({}))).await;
    let roads = Arc::<Roads>::default();
    house.watch = house.watch.with_actions(Arc::<Roads>::clone(&roads));
    (house, roads)
}

fn ann() -> Doer {
    Doer { name: "ann".to_owned(), key: signalbox_types::KeyId::new("k") }
}

fn actions_of(house: &House) -> Vec<String> {
    let timeline = house.incidents().remove(0).timeline;
    timeline.into_iter().filter(|entry| entry.what == "action").map(|entry| entry.text).collect()
}

#[tokio::test]
async fn by_itself_for_a_while_over_a_restart() {
    let switch = json!({"route": "chat", "to": "backup", "for": "10m"});
    let actions = json!([{"name": "Second provider", "switch_route": switch, "automatic": true}]);
    let (mut house, roads) = house(actions).await;
    house.minute(10).await;
    assert_eq!(*roads.told.lock(), [["chat to backup"]]);
    house.restart().await;
    let fresh = Arc::<Roads>::default();
    house.watch = house.watch.with_actions(Arc::<Roads>::clone(&fresh));
    assert_eq!(*fresh.told.lock(), [["chat to backup"]], "from the first call on");
    for _ in 0..9 {
        house.minute(0).await;
    }
    assert_eq!(house.told(), ["opened", "resolved"]);
    assert_eq!(fresh.told.lock().len(), 1, "its time is not over, although the incident is");
    house.minute(0).await;
    assert_eq!(fresh.told.lock()[1..], [Vec::<String>::new()]);
    let told = actions_of(&house);
    assert!(told[0].starts_with("Second provider: calls of route `chat` go to route `backup` until 20"), "{told:?}");
    assert!(told[0].ends_with("Z, by itself") && told.len() == 2, "{told:?}");
    assert!(told[1].ends_with("go their own way again: its time is over"), "{told:?}");
    let noted = [roads.noted.lock().clone(), fresh.noted.lock().clone()].concat();
    assert_eq!(noted, ["Second provider", "Second provider (ended)"]);
    assert!(house.documents.0.lock().keys().all(|key| key.kind != Kind::Detour));
}

#[tokio::test]
async fn by_hand_until_the_incident_is_over() {
    let actions = json!([{"name": "Pin it", "switch_route": {"route": "chat", "targets": ["a/b", "c/d"]}}]);
    let (mut house, roads) = house(actions).await;
    house.minute(10).await;
    assert_eq!(*roads.told.lock(), Vec::<Vec<String>>::new(), "nobody has asked for it");
    let id = house.incidents()[0].id.clone();
    let done = house.watch.act(&House::project(), &id, 0, &ann()).await.unwrap();
    assert!(done.actions[0].done_at.is_some());
    assert_eq!(*roads.told.lock(), [["chat to a/b,c/d"]]);
    house.minute(10).await;
    assert_eq!(roads.told.lock().len(), 1);
    house.minute(0).await;
    house.minute(0).await;
    assert_eq!(roads.told.lock()[1..], [Vec::<String>::new()]);
    let told = actions_of(&house);
    assert!(told[0].contains("are asked of a/b, c/d alone until the incident is over"), "{told:?}");
    assert!(told[1].ends_with("the incident is over"), "{told:?}");
}

#[tokio::test]
async fn people_switch_it_back() {
    let switch = |name: &str| json!({"name": name, "switch_route": {"route": "chat", "to": name}});
    let (mut house, roads) = house(json!([switch("one"), switch("other")])).await;
    house.minute(10).await;
    let (project, id) = (House::project(), house.incidents()[0].id.clone());
    house.watch.act(&project, &id, 0, &ann()).await.unwrap();
    house.watch.act(&project, &id, 1, &ann()).await.unwrap();
    assert_eq!(*roads.told.lock(), [["chat to one"], ["chat to other"]], "the later one holds");
    house.watch.end_detour(&ProjectId::new("other"), "chat", "eve").await.unwrap_err();
    let ended = house.watch.end_detour(&project, "chat", "ben").await.unwrap();
    assert_eq!((ended.to.as_deref(), ended.by.as_deref()), (Some("other"), Some("ann")));
    assert_eq!(roads.told.lock()[2..], [Vec::<String>::new()]);
    let last = house.incidents()[0].timeline.last().cloned().unwrap();
    assert_eq!(last.by.as_deref(), Some("ben"));
    house.watch.end_detour(&project, "chat", "ben").await.unwrap_err();
    assert_eq!(*roads.noted.lock(), Vec::<String>::new(), "what people do the API notes");
}

#[tokio::test]
async fn what_can_not_be_switched_is_said_and_written_down() {
    let (mut house, roads) = house(json!([{"name": "x", "switch_route": {"route": "cat", "to": "backup"}}])).await;
    house.minute(10).await;
    let id = house.incidents()[0].id.clone();
    let refused = house.watch.act(&House::project(), &id, 0, &ann()).await.unwrap_err();
    assert_eq!(refused, EditError::Action("x".to_owned(), "there is no route `cat`".to_owned()));
    assert_eq!(actions_of(&house), ["x failed: there is no route `cat`"]);
    assert!(house.incidents()[0].actions[0].done_at.is_none() && roads.told.lock().is_empty());
    let own =
        error_rate(json!({"name": "own", "actions": [{"name": "x", "switch_route": {"route": "chat", "to": "b"}}]}));
    let refused = house.watch.save_monitor(&House::project(), &own).await.unwrap_err();
    assert!(refused.to_string().contains("`actions[0].switch_route`: has its place in the configuration"), "{refused}");
}
