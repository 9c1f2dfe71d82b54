//! What datasets, branches, tags and splits may be called.

use crate::error::CatalogError;

const MAX_NAME_CHARS: usize = 100;
/// So many digits or more of nothing but hexadecimal ones are taken for a version.
pub(super) const MIN_VERSION_DIGITS: usize = 8;

/// Names stand in addresses and in `name@reference`.
pub(super) fn check_name(field: &str, name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && name.len() <= MAX_NAME_CHARS && name.chars().all(fits) {
        return Ok(());
    }
    Err(format!(
        "`{field}`: expected 1 to {MAX_NAME_CHARS} letters, digits, `.`, `_` or `-`, beginning with a letter or digit"
    ))
}

/// The same for a field of a request.
pub(super) fn check_field(field: &'static str, name: &str) -> Result<(), CatalogError> {
    check_name(field, name).map_err(|problem| {
        let problem = problem.split_once(": ").map_or(problem.as_str(), |(_, problem)| problem).to_owned();
        CatalogError::Invalid { field, problem }
    })
}

/// A branch or tag, which must not look like a version.
pub(super) fn check_reference(field: &'static str, name: &str) -> Result<(), CatalogError> {
    check_field(field, name)?;
    if looks_like_version(name) {
        let problem = format!("`{name}` could be taken for a version; expected a name with other letters in it");
        return Err(CatalogError::Invalid { field, problem });
    }
    Ok(())
}

pub(super) fn looks_like_version(reference: &str) -> bool {
    reference.len() >= MIN_VERSION_DIGITS && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}
