//! A file of prices in LiteLLM's format.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use signalbox_prices::{ModelPrice, from_litellm};

/// The path of a file of prices.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct PriceFile(PathBuf);

impl PriceFile {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The prices in it.
    ///
    /// # Errors
    /// It can't be read, or is in another format.
    pub(crate) fn read(&self) -> Result<Vec<ModelPrice>, String> {
        let path = self.0.display();
        let text = std::fs::read_to_string(&self.0).map_err(|error| format!("`{path}` can't be read: {error}"))?;
        let found = from_litellm(&text).map_err(|error| format!("`{path}` can't be used: {error}"))?;
        tracing::info!(file = %path, prices = found.prices.len(), skipped = found.skipped.len(), "read prices");
        for (model, why) in found.skipped {
            tracing::debug!(model, why, "a price was left out");
        }
        Ok(found.prices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = PriceFile(dir.path().join("prices.json"));
        assert!(file.read().unwrap_err().contains("can't be read"));
        std::fs::write(&file.0, "[]").unwrap();
        assert!(file.read().unwrap_err().contains("LiteLLM's format"));
        std::fs::write(&file.0, r#"{"m": {"litellm_provider": "p", "input_cost_per_token": 1e-6}}"#).unwrap();
        assert_eq!(file.read().unwrap()[0].model, "m");
    }
}
