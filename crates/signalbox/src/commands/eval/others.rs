//! What suites are given from outside: programs and judges that measure, and modules.

use std::path::Path;
use std::sync::Arc;

use signalbox_evals::Scorer;
use signalbox_evals::judge::Judge;
use signalbox_evals::suite::{JudgeConfig, MetricConfig, Others, ProgramConfig, Suite, content_hash};
use signalbox_metrics::Direction;
use signalbox_types::ProjectId;
use signalbox_types::seam::Completer;

use super::cache::content_of_files;
use super::program::Program;
use crate::commands::eval_judge::rubric;
use crate::models::Models;
use crate::remote::At;

/// Those of a suite in a folder.
pub(super) struct Given<'a> {
    pub(super) folder: &'a Path,
    pub(super) suite: &'a Suite,
    pub(super) at: &'a At,
}

impl Others for Given<'_> {
    fn program(&self, name: &str, config: &ProgramConfig, direction: Direction) -> Result<Box<dyn Scorer>, String> {
        Ok(Box::new(Program::new(name, config, self.folder, direction, self.suite.timeout)?))
    }

    fn judge(&self, config: &JudgeConfig) -> Result<Judge, String> {
        let models = match (&config.base_url, &config.key_env) {
            (None, None) => self.at.client_key().and_then(|key| Models::with_key(&self.own(), Some(key))),
            (None, key_env) => Models::at(Some(&self.own()), key_env.as_deref()),
            (url, key_env) => Models::at(url.as_deref(), key_env.as_deref()),
        };
        let models: Arc<dyn Completer> = Arc::new(models.map_err(|error| format!("{error:#}"))?);
        let rubric = rubric(&config.rubric, self.folder).map_err(|error| format!("{error:#}"))?;
        Judge::new(rubric, config.plan(), models, ProjectId::new("local")).map_err(|error| error.to_string())
    }

    fn module(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.folder.join(path)).map_err(|error| format!("can't read `{path}`: {error}"))
    }
}

impl Given<'_> {
    fn own(&self) -> String {
        format!("{}/v1", self.at.url())
    }

    /// What a metric's score depends on beside its line in the suite: files of programs, the rubric, who is asked.
    pub(super) fn content(&self, row: &MetricConfig) -> String {
        if let Some(program) = &row.command {
            return content_of_files(&program.run, self.folder);
        }
        let Some(judge) = &row.judge else { return String::new() };
        let rubric = rubric(&judge.rubric, self.folder).ok().and_then(|rubric| serde_json::to_vec(&rubric).ok());
        let url = judge.base_url.clone().unwrap_or_else(|| self.own());
        format!("{} {url}", content_hash(&rubric.unwrap_or_default()))
    }
}
