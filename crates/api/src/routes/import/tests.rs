use crate::tests::house::House;

#[tokio::test]
async fn what_is_sent_is_checked() {
    let house = House::new().await;
    let check = async |parameters: &str, expected: &str| {
        let answer = house.post_text(&format!("/api/v1/import?{parameters}"), "x".repeat(2 << 20)).await;
        assert_eq!(answer.status, 400, "{parameters}");
        assert!(answer.message().contains(expected), "{}", answer.text());
    };
    check("format=xls", "expected one of `parquet`, `jsonl`, `csv`").await;
    check("", "missing field `format`").await;
    check("format=csv", "in memory").await;
}
