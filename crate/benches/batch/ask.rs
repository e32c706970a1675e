//! evenhand as a client in a separate process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use evenhand::{Batch, Client, Quota};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::process::{Running, cpu_time, peak_memory};

/// What to ask, and how.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) address: String,
    pub(crate) rows: usize,
    /// The number of rows to ask before the clocks start.
    pub(crate) warm_up: usize,
    pub(crate) concurrency: Option<usize>,
    pub(crate) quota: Limits,
    pub(crate) journal: Option<PathBuf>,
}

/// The quota that the client is given.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Limits {
    /// The client learns the quota from the service.
    Untold,
    Unlimited,
    TokensPerMinute(u64),
}

/// The results of a task. openai-python reports the same fields.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) rows: usize,
    pub(crate) answered: usize,
    /// In seconds.
    pub(crate) wall: f64,
    /// In seconds.
    pub(crate) cpu: f64,
    /// In MB; reported only by evenhand.
    pub(crate) memory: Option<f64>,
}

impl Task {
    /// A task without a quota.
    pub(crate) fn new(address: &str, rows: usize, concurrency: usize) -> Self {
        Self {
            address: address.to_owned(),
            rows,
            warm_up: 0,
            concurrency: Some(concurrency),
            quota: Limits::Unlimited,
            journal: None,
        }
    }

    pub(crate) fn warm_up(mut self, rows: usize) -> Self {
        self.warm_up = rows;
        self
    }

    pub(crate) fn journal(mut self, file: &Path) -> Self {
        self.journal = Some(file.to_owned());
        self
    }

    pub(crate) fn quota(mut self, quota: Limits) -> Self {
        self.quota = quota;
        self
    }

    /// Runs the task in a separate process.
    pub(crate) fn start(&self) -> Result<Running> {
        let own = std::env::current_exe()?;
        Running::start(Command::new(own).args(["ask", &serde_json::to_string(self)?]))
    }

    pub(crate) fn report(&self) -> Result<Report> {
        self.start()?.report()
    }

    fn batch(&self, client: &Client, from: usize, rows: usize) -> Batch {
        let prompts =
            (from..from + rows).map(|n| format!("Describe person {n} in three sentences."));
        let mut batch = client
            .batch(prompts)
            .system("You are free from bias.")
            .max_tokens(100);
        if let Some(concurrency) = self.concurrency {
            batch = batch.concurrency(concurrency);
        }
        match self.quota {
            Limits::Untold => batch,
            Limits::Unlimited => batch.quota(Quota::unlimited()),
            Limits::TokensPerMinute(tokens) => batch.quota(Quota::tpm(tokens)),
        }
    }
}

/// The entry point of the separate process: runs the task and prints the report.
pub(crate) fn asked(arguments: &[String]) -> Result {
    let task: Task = serde_json::from_str(arguments.first().ok_or("no task")?)?;
    let client = Client::builder()
        .endpoint(&task.address)
        .api_key("key")
        .api_version("2024-10-21")
        .deployment("bench")
        .build()?;
    if task.warm_up > 0 {
        task.batch(&client, task.rows, task.warm_up).run()?;
    }
    let batch = task.batch(&client, 0, task.rows);
    let batch = match &task.journal {
        Some(file) => batch.journal(file),
        None => batch.without_journal(),
    };
    let (started, cpu) = (Instant::now(), cpu_time());
    let answers = batch.run()?;
    let report = Report {
        rows: answers.len(),
        answered: answers.texts().flatten().count(),
        wall: started.elapsed().as_secs_f64(),
        cpu: (cpu_time() - cpu).as_secs_f64(),
        memory: peak_memory("self"),
    };
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
