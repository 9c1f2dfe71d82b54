//! A span with everything: its schema follows from the declaration of the table, so that a new
//! column is answered and documented without a line here.

use serde::Serialize;
use signalbox_types::span::SpanEvent;
use signalbox_types::table::{Column, ColumnType, SPANS};
use signalbox_types::usage::CostSource;
use signalbox_types::{Finding, Message, SpanKind, SpanSource, SpanStatus, ToolDefinition, Verdict};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, SchemaType,
    Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// Every column of `spans` that is present.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct SpanDetail(pub(super) serde_json::Map<String, serde_json::Value>);

impl PartialSchema for SpanDetail {
    fn schema() -> RefOr<Schema> {
        let description = "A span: every column of the table `spans` that is present.";
        let mut object = ObjectBuilder::new().description(Some(description));
        for column in SPANS.columns {
            object = object.property(column.name, column_schema(column));
            if !column.nullable {
                object = object.required(column.name);
            }
        }
        object.into()
    }
}

impl ToSchema for SpanDetail {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            schemas.push((T::name().into_owned(), T::schema()));
            T::schemas(schemas);
        }
        add::<SpanKind>(schemas);
        add::<SpanSource>(schemas);
        add::<SpanStatus>(schemas);
        add::<Verdict>(schemas);
        add::<CostSource>(schemas);
        add::<Finding>(schemas);
        add::<Message>(schemas);
        add::<ToolDefinition>(schemas);
        add::<SpanEvent>(schemas);
    }
}

fn column_schema(column: &Column) -> RefOr<Schema> {
    let doc = Some(column.doc);
    let named = |name: &str| OneOfBuilder::new().item(Ref::from_schema_name(name)).description(doc).into();
    let list_of = |name: &str| ArrayBuilder::new().items(Ref::from_schema_name(name)).description(doc).into();
    let typed = |ty: Type| ObjectBuilder::new().schema_type(ty).description(doc);
    let map_of = |values: ObjectBuilder| {
        let values = AdditionalProperties::RefOr(values.into());
        typed(Type::Object).additional_properties(Some(values)).into()
    };
    match (column.name, column.ty) {
        ("kind", _) => named("SpanKind"),
        ("source", _) => named("SpanSource"),
        ("status", _) => named("SpanStatus"),
        ("verdict", _) => named("Verdict"),
        ("cost_source", _) => named("CostSource"),
        ("findings", _) => list_of("Finding"),
        ("input_messages" | "output_messages", _) => list_of("Message"),
        ("tools", _) => list_of("ToolDefinition"),
        ("events", _) => list_of("SpanEvent"),
        ("model_parameters", _) => map_of(anything()),
        (_, ColumnType::Text) => typed(Type::String).into(),
        (_, ColumnType::TextList) => ArrayBuilder::new().items(text()).description(doc).into(),
        (_, ColumnType::TextMap) => map_of(text()),
        (_, ColumnType::Json) => ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(doc).into(),
        (_, ColumnType::Int) => typed(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))).into(),
        (_, ColumnType::Float | ColumnType::Money) => {
            typed(Type::Number).format(Some(SchemaFormat::KnownFormat(KnownFormat::Double))).into()
        }
        (_, ColumnType::Bool) => typed(Type::Boolean).into(),
        (_, ColumnType::Time) => {
            typed(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
        }
    }
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn anything() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue)
}
