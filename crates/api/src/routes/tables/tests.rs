use signalbox_types::table;

use crate::tests::house::House;

#[tokio::test]
async fn lists_every_table_and_column() {
    let house = House::new().await;
    let answer = house.get("/api/v1/tables").await.ok();
    let tables = answer["tables"].as_array().unwrap();
    assert_eq!(tables.len(), table::ALL.len());
    for (found, declared) in tables.iter().zip(table::ALL) {
        assert_eq!(found["name"], declared.name);
        assert_eq!(found["columns"].as_array().unwrap().len(), declared.columns.len());
        assert_eq!(found["columns"][0]["type"], "text");
    }
}
