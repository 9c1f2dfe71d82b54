//! Experiments and their runs: what came out for each item, and in sum.

mod aggregate;
mod check;
mod sql;
#[cfg(test)]
mod tests;
mod types;

use serde_json::json;
use signalbox_types::{ProjectId, Timestamp, TraceId};
use sqlx::SqliteConnection;

use crate::catalog::Catalog;
use crate::error::{CatalogError, Fault};
use crate::history::{self, Change};
use crate::resources::key::Principal;

pub use types::{
    Experiment, ItemNumbers, ItemOrder, ItemsAsk, MetricSummary, Run, RunAbout, RunDirection, RunEvidence, RunItem,
    RunMetric, RunScore, RunStatus, RunSummary, RunsOf, Spread,
};

impl Catalog {
    /// Begins a run, and its experiment if there is none of this name. With an `id` that a run of the experiment has already, that run is
    /// given back as it is and `false`: who sends twice makes one.
    ///
    /// # Errors
    /// A name or something else isn't as it must be; the id is another experiment's; there are too many runs; or the file is in trouble.
    pub async fn start_run(
        &self,
        by: &Principal,
        experiment: &str,
        id: Option<String>,
        started_at: Option<Timestamp>,
        mut about: RunAbout,
    ) -> Result<(Run, bool), CatalogError> {
        let experiment = check::name("experiment", experiment)?;
        check::about(&mut about)?;
        if let Some(id) = &id {
            check::id(id)?;
        }
        let (by, id) = (by.clone(), id.unwrap_or_else(|| TraceId::new().to_string()));
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                if let Some(found) = sql::run(connection, &by.project, &id).await? {
                    if found.run.experiment == experiment {
                        return Ok((found.run, false));
                    }
                    let problem =
                        format!("`{id}` is a run of the experiment `{}`; take another id", found.run.experiment);
                    return Err(CatalogError::Invalid { field: "id", problem }.into());
                }
                if sql::count(connection, &by.project).await? >= check::MOST_RUNS {
                    let problem =
                        format!("the project has {} runs, no more are kept; delete old ones", check::MOST_RUNS);
                    return Err(CatalogError::Invalid { field: "experiment", problem }.into());
                }
                let parent = sql::experiment_id(connection, &by.project, &experiment, now).await?;
                let run = Run {
                    id,
                    experiment,
                    status: RunStatus::Running,
                    started_at: started_at.unwrap_or(now),
                    finished_at: None,
                    actor: by.key_id.clone(),
                    about,
                    items: 0,
                    failed_items: 0,
                    items_hash: None,
                    problem: None,
                    summary: None,
                };
                sql::insert(connection, &by.project, parent, &run).await?;
                let after = json!({ "experiment": run.experiment, "name": run.about.name });
                record(connection, &by, now, "run", &run.id, "create", Some(after)).await?;
                Ok((run, true))
            })
        })
        .await
    }

    /// Adds items to a run that goes on; an item that is there already is replaced. Tells how many are new.
    ///
    /// # Errors
    /// There is no such run, or it has ended; an item isn't as it must be; or the file is in trouble.
    pub async fn add_run_items(&self, by: &Principal, id: &str, mut items: Vec<RunItem>) -> Result<u64, CatalogError> {
        check::items(&mut items)?;
        let (by, id) = (by.clone(), id.to_owned());
        self.write_aside(move |connection, _| {
            Box::pin(async move {
                let found = open_run(connection, &by.project, &id).await?;
                let all = found.run.items + items.len() as u64;
                let scores = items.iter().map(|item| item.scores.len() as u64).max().unwrap_or(0);
                if all > check::MOST_ITEMS || all * scores > check::MOST_SCORES {
                    let problem = format!(
                        "a run has at most {} items and {} scores, this one has {} items",
                        check::MOST_ITEMS,
                        check::MOST_SCORES,
                        found.run.items
                    );
                    return Err(CatalogError::Invalid { field: "items", problem }.into());
                }
                Ok(sql::items::add(connection, found.number, &items).await?)
            })
        })
        .await
    }

    /// Ends a run and calculates what came out.
    ///
    /// # Errors
    /// There is no such run, or it has ended with another status; or the file is in trouble.
    pub async fn finish_run(
        &self,
        by: &Principal,
        id: &str,
        status: RunStatus,
        problem: Option<String>,
    ) -> Result<Run, CatalogError> {
        let (by, id) = (by.clone(), id.to_owned());
        let problem = problem.map(|text| check::cut(text, 2_000));
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                let found = match sql::run(connection, &by.project, &id).await? {
                    Some(found) if found.run.status == status => return Ok(found.run),
                    _ => open_run(connection, &by.project, &id).await?,
                };
                let items = sql::items::numbers(connection, found.number).await?;
                let summary = aggregate::summary(&found.run.about.metrics, &items);
                let hash = fingerprint(&items);
                let ended = Run {
                    status,
                    finished_at: Some(now),
                    items_hash: Some(hash),
                    problem,
                    summary: Some(summary),
                    ..found.run
                };
                sql::end(connection, found.number, &ended).await?;
                Ok(ended)
            })
        })
        .await
    }

    /// A run; `None` if this project has none with this id.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn run(&self, project: &ProjectId, id: &str) -> Result<Option<Run>, CatalogError> {
        let (project, id) = (project.clone(), id.to_owned());
        self.read(move |connection| {
            Box::pin(async move { Ok(sql::run(connection, &project, &id).await?.map(|found| found.run)) })
        })
        .await
    }

    /// Runs, the latest first.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn runs(
        &self,
        project: &ProjectId,
        of: RunsOf,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Run>, CatalogError> {
        let project = project.clone();
        self.read(move |connection| Box::pin(async move { sql::runs(connection, &project, &of, offset, limit).await }))
            .await
    }

    /// A page of a run's items with all that belongs to them, and how many there are in all; `None` if there is no such run.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn run_items(
        &self,
        project: &ProjectId,
        id: &str,
        ask: ItemsAsk,
    ) -> Result<Option<(Vec<RunItem>, u64)>, CatalogError> {
        let (project, id) = (project.clone(), id.to_owned());
        self.read(move |connection| {
            Box::pin(async move {
                let Some(found) = sql::run(connection, &project, &id).await? else { return Ok(None) };
                let all = if ask.failed { found.run.failed_items } else { found.run.items };
                Ok(Some((sql::items::page(connection, found.number, &ask).await?, all)))
            })
        })
        .await
    }

    /// Some items of a run with all that belongs to them; those that it hasn't are left out.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn run_items_by_id(
        &self,
        project: &ProjectId,
        id: &str,
        item_ids: Vec<String>,
    ) -> Result<Vec<RunItem>, CatalogError> {
        let (project, id) = (project.clone(), id.to_owned());
        self.read(move |connection| {
            Box::pin(async move {
                let Some(found) = sql::run(connection, &project, &id).await? else { return Ok(Vec::new()) };
                sql::items::some(connection, found.number, &item_ids).await
            })
        })
        .await
    }

    /// The numbers of all items of a run, by their ids; `None` if there is no such run.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn run_numbers(
        &self,
        project: &ProjectId,
        id: &str,
    ) -> Result<Option<(Run, Vec<ItemNumbers>)>, CatalogError> {
        let (project, id) = (project.clone(), id.to_owned());
        self.read(move |connection| {
            Box::pin(async move {
                let Some(found) = sql::run(connection, &project, &id).await? else { return Ok(None) };
                let numbers = sql::items::numbers(connection, found.number).await?;
                Ok(Some((found.run, numbers)))
            })
        })
        .await
    }

    /// Deletes a run with all its items; `false` if this project has none with this id.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn delete_run(&self, by: &Principal, id: &str) -> Result<bool, CatalogError> {
        let (by, id) = (by.clone(), id.to_owned());
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                let Some(found) = sql::run(connection, &by.project, &id).await? else { return Ok(false) };
                sql::delete(connection, found.number, &by.project, &id).await?;
                record(connection, &by, now, "run", &id, "delete", None).await?;
                Ok(true)
            })
        })
        .await
    }

    /// The experiments of a project; those with the latest runs first.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn experiments(&self, project: &ProjectId, limit: u32) -> Result<Vec<Experiment>, CatalogError> {
        let project = project.clone();
        self.read(move |connection| Box::pin(async move { sql::experiments(connection, &project, None, limit).await }))
            .await
    }

    /// One experiment; `None` if this project has none of this name.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn experiment(&self, project: &ProjectId, name: &str) -> Result<Option<Experiment>, CatalogError> {
        let (project, name) = (project.clone(), name.to_owned());
        self.read(move |connection| {
            Box::pin(async move { Ok(sql::experiments(connection, &project, Some(&name), 1).await?.pop()) })
        })
        .await
    }

    /// Says which run others are compared with, or that there is none.
    ///
    /// # Errors
    /// There is no such experiment, or it has no such run; or the file is in trouble.
    pub async fn set_baseline(
        &self,
        by: &Principal,
        name: &str,
        run: Option<String>,
    ) -> Result<Experiment, CatalogError> {
        let (by, name) = (by.clone(), name.to_owned());
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                if let Some(id) = &run {
                    let found = sql::run(connection, &by.project, id).await?;
                    if found.is_none_or(|found| found.run.experiment != name) {
                        return Err(CatalogError::UnknownRun(id.clone()).into());
                    }
                }
                if !sql::set_baseline(connection, &by.project, &name, run.as_deref()).await? {
                    return Err(CatalogError::UnknownExperiment(name).into());
                }
                record(connection, &by, now, "experiment", &name, "baseline", Some(json!({ "run": run }))).await?;
                let found = sql::experiments(connection, &by.project, Some(&name), 1).await?.pop();
                found.ok_or_else(|| CatalogError::UnknownExperiment(name).into())
            })
        })
        .await
    }

    /// Deletes an experiment with all its runs; `false` if this project has none of this name.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn delete_experiment(&self, by: &Principal, name: &str) -> Result<bool, CatalogError> {
        let (by, name) = (by.clone(), name.to_owned());
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                let gone = sql::delete_experiment(connection, &by.project, &name).await?;
                if gone {
                    record(connection, &by, now, "experiment", &name, "delete", None).await?;
                }
                Ok(gone)
            })
        })
        .await
    }
}

/// The run, if results can still be added to it.
async fn open_run(connection: &mut SqliteConnection, project: &ProjectId, id: &str) -> Result<sql::Found, Fault> {
    match sql::run(connection, project, id).await? {
        None => Err(CatalogError::UnknownRun(id.to_owned()).into()),
        Some(found) if found.run.status != RunStatus::Running => {
            Err(CatalogError::RunEnded { id: id.to_owned(), status: found.run.status.as_str() }.into())
        }
        Some(found) => Ok(found),
    }
}

/// The same for the same ids, whatever came out of them. They come sorted.
fn fingerprint(items: &[ItemNumbers]) -> String {
    let mut hasher = blake3::Hasher::new();
    for item in items {
        hasher.update(&(item.item_id.len() as u64).to_le_bytes());
        hasher.update(item.item_id.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}

async fn record(
    connection: &mut SqliteConnection,
    by: &Principal,
    time: Timestamp,
    resource: &str,
    id: &str,
    action: &str,
    after: Option<serde_json::Value>,
) -> Result<(), sqlx::Error> {
    let change = Change {
        time,
        actor: Some(by.key_id.clone()),
        resource: resource.to_owned(),
        resource_id: id.to_owned(),
        action: action.to_owned(),
        before: None,
        after,
    };
    history::record(connection, &by.project, &change).await
}
