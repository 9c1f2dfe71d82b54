use crate::tests::house::House;

#[tokio::test]
async fn without_any_key_the_simulated_one_is_on() {
    let house = House::new().await;
    let answer = house.get("/api/v1/providers").await.ok();
    let providers = answer["providers"].as_array().unwrap();
    let simulated = providers.iter().find(|provider| provider["name"] == "sim").unwrap();
    assert_eq!(simulated["on"], true);
    let routed = &simulated["routed"][0];
    assert_eq!((routed["route"].as_str(), routed["breaker"].as_str()), (Some("chat"), Some("closed")), "{simulated}");
    assert!(providers.iter().all(|provider| provider["why"].as_str().is_some_and(|why| !why.is_empty())));
}
