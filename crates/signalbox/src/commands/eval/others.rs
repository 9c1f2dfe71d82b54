//! What suites are given from outside: programs and judges that measure, and modules.

use std::path::Path;
use std::sync::Arc;

use signalbox_evals::judge::Judge;
use signalbox_evals::suite::{JudgeConfig, MetricConfig, Others, ProgramConfig, Suite, content_hash};
use signalbox_evals::{EmbeddingModel, Scorer};
use signalbox_metrics::Direction;
use signalbox_metrics::vectors::MODEL_OPTION;

use super::cache::content_of_files;
use super::program::Program;
use crate::commands::eval_judge::{examples, rubric};
use crate::models::{Models, local_project};
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
        let models = Arc::new(models.map_err(|error| format!("{error:#}"))?);
        let rubric = rubric(&config.rubric, self.folder).map_err(|error| format!("{error:#}"))?;
        let mut plan = config.plan();
        let asked = config.embedding_model.as_deref();
        plan.examples = match &config.examples {
            Some(file) => {
                let found = examples(&self.folder.join(file), &rubric).map_err(|error| format!("{error:#}"))?;
                Some(Arc::new(match asked {
                    Some(name) => found.by_meaning(Arc::clone(&models).embedding_model(name)),
                    None => found,
                }))
            }
            None if asked.is_some() => {
                return Err("`embedding_model` finds `examples` by what they mean, and there are none".to_owned());
            }
            None => None,
        };
        Judge::new(rubric, plan, models, local_project()).map_err(|error| error.to_string())
    }

    fn embedding_model(&self, name: &str) -> Result<EmbeddingModel, String> {
        let models = self.at.client_key().and_then(|key| Models::with_key(&self.own(), Some(key)));
        Ok(Arc::new(models.map_err(|error| format!("{error:#}"))?).embedding_model(name))
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
        if row.metric.is_some() && row.options.contains_key(MODEL_OPTION) {
            return self.own();
        }
        let Some(judge) = &row.judge else { return String::new() };
        let rubric = rubric(&judge.rubric, self.folder).ok().and_then(|rubric| serde_json::to_vec(&rubric).ok());
        let url = judge.base_url.clone().unwrap_or_else(|| self.own());
        let examples = judge.examples.as_ref().map(|file| content_of_files(std::slice::from_ref(file), self.folder));
        format!("{} {url} {}", content_hash(&rubric.unwrap_or_default()), examples.unwrap_or_default())
    }
}
