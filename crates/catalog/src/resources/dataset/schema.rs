//! What items must satisfy.

use jsonschema::Validator;
use serde_json::Value;
use signalbox_types::ProjectId;

use super::item::DatasetItem;
use super::{DatasetVersion, ItemFilter};
use crate::catalog::Catalog;
use crate::error::CatalogError;

const MAX_SCHEMA_BYTES: usize = 256 * 1024;
const PAGE: usize = 500;

/// # Errors
/// It is no JSON Schema.
pub(super) fn compile(schema: &Value) -> Result<Validator, CatalogError> {
    let wrong = |problem: String| CatalogError::Invalid { field: "schema", problem };
    if schema.to_string().len() > MAX_SCHEMA_BYTES {
        return Err(wrong(format!("expected at most {MAX_SCHEMA_BYTES} bytes")));
    }
    jsonschema::validator_for(schema).map_err(|error| wrong(format!("it is no JSON Schema: {error}")))
}

/// # Errors
/// The item doesn't satisfy it.
pub(super) fn check(validator: &Validator, item: &DatasetItem) -> Result<(), CatalogError> {
    fault(validator, &item.id, &item.fields)
        .map_or(Ok(()), |problem| Err(CatalogError::Invalid { field: "items", problem }))
}

fn fault(validator: &Validator, id: &str, fields: &Value) -> Option<String> {
    let error = validator.iter_errors(fields).next()?;
    let place = error.instance_path().to_string();
    let place = if place.is_empty() { String::new() } else { format!(" at `{place}`") };
    Some(format!("the item `{id}` doesn't satisfy the dataset's schema{place}: {error}"))
}

impl Catalog {
    /// # Errors
    /// An item of the version doesn't satisfy it; or the file is in trouble.
    pub(super) async fn check_items(
        &self,
        project: &ProjectId,
        version: &DatasetVersion,
        validator: &Validator,
    ) -> Result<(), CatalogError> {
        let mut at = Some(0);
        while let Some(from) = at {
            let page = self.dataset_items(project, version, &ItemFilter::default(), from, PAGE).await?;
            for item in &page.items {
                if let Some(problem) = item.fields.as_ref().and_then(|fields| fault(validator, &item.id, fields)) {
                    let problem = format!("{problem}; mend the item first, or loosen the schema");
                    return Err(CatalogError::Invalid { field: "schema", problem });
                }
            }
            at = page.next;
        }
        Ok(())
    }
}
