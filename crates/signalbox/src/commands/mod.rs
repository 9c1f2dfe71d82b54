//! The command line: one file a verb.

mod backup;
mod check;
mod dataset;
mod demo;
mod eval;
mod eval_calibrate;
mod eval_judge;
mod export;
mod import;
mod init;
mod monitors;
mod objectives;
mod place;
mod push;
mod query;
mod reindex;
mod restore;
mod scan;
mod simulate;
mod up;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use up::client_key;

/// The control room for LLM applications: gateway, traces, guardrails, one process.
///
/// Start with `signalbox up`, or `signalbox demo` to see every page full without any key.
#[derive(Debug, Parser)]
#[command(name = "signalbox", version, max_term_width = 100)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// Sorted as a newcomer meets them.
#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Up),
    Demo(demo::Demo),
    Init(init::Init),
    Check(check::Check),
    Query(query::Query),
    Scan(scan::Scan),
    Eval(eval::Eval),
    Dataset(dataset::Dataset),
    Monitors(monitors::Monitors),
    Objectives(objectives::Objectives),
    Export(export::Export),
    Import(import::Import),
    Reindex(reindex::Reindex),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Verify(verify::Verify),
    Simulate(simulate::Simulate),
}

impl CommandLine {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Up(up) => up.run(),
            Command::Demo(demo) => demo.run(),
            Command::Init(init) => init.run(),
            Command::Check(check) => check.run(),
            Command::Query(query) => query.run(),
            Command::Scan(scan) => scan.run(),
            Command::Eval(eval) => eval.run(),
            Command::Dataset(dataset) => dataset.run(),
            Command::Monitors(monitors) => monitors.run(),
            Command::Objectives(objectives) => objectives.run(),
            Command::Export(export) => export.run(),
            Command::Import(import) => import.run(),
            Command::Reindex(reindex) => reindex.run(),
            Command::Backup(backup) => backup.run(),
            Command::Restore(restore) => restore.run(),
            Command::Verify(verify) => verify.run(),
            Command::Simulate(simulate) => simulate.run(),
        }
    }
}

/// An end with a status of its own.
#[derive(Debug)]
pub(crate) struct Ended {
    status: u8,
    message: String,
}

impl Ended {
    pub(crate) fn told(status: u8, message: String) -> Self {
        Self { status, message }
    }

    /// An error with its causes.
    pub(crate) fn with(status: u8, error: &anyhow::Error) -> Self {
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        Self { status, message: causes.join("\n  because: ") }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Ended {}

/// The status that a command ends with.
pub(crate) fn status_of(error: &anyhow::Error) -> ExitCode {
    error.downcast_ref::<Ended>().map_or(ExitCode::FAILURE, |ended| ExitCode::from(ended.status))
}

/// Prints an error and its causes. A closed stderr is nobody's problem.
pub(crate) fn say_error(error: &anyhow::Error) {
    let mut message = format!("error: {error}");
    for cause in error.chain().skip(1) {
        message.push_str(&format!("\n  because: {cause}"));
    }
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// Prints to stdout; a reader that went away (`| head`) is no failure.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The runtime that servers and clients run on.
pub(crate) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}
