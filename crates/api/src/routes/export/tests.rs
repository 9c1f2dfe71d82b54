use crate::tests::house::House;

#[tokio::test]
async fn what_is_asked_for_is_checked() {
    let house = House::new().await;
    let check = async |parameters: &str, expected: &str| {
        let answer = house.get(&format!("/api/v1/export?{parameters}")).await;
        assert_eq!(answer.status, 400, "{parameters}");
        assert!(answer.message().contains(expected), "{}", answer.text());
    };
    check("format=xls", "expected one of `parquet`, `jsonl`, `csv`").await;
    check("format=csv&from=yesterday", "is not a point in time").await;
    check("table=spans", "missing field `format`").await;
    check("format=csv", "in memory").await;
}
