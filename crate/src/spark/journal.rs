//! A batch's journal as a data frame, read by the server.

use super::frame::DataFrame;
use super::session::Session;
use crate::batch::journal::requests_path;
use std::path::Path;

/// What is read of an answer's line. Fields that a line lacks are null.
const ANSWER: &str = "custom_id string, \
    response struct<body: struct<model: string, \
        choices: array<struct<finish_reason: string, message: struct<content: string>>>, \
        usage: struct<prompt_tokens: bigint, completion_tokens: bigint>>>, \
    error struct<code: string, message: string>, \
    evenhand struct<deployment: string, attempts: int, latency_ms: bigint, asked_at: bigint>";

/// What is read of a request's line.
const REQUEST: &str = "custom_id string, \
    body struct<messages: array<struct<role: string, content: string>>>";

/// The columns, as computed from both.
const COLUMNS: [&str; 13] = [
    "custom_id",
    "case when messages[0].role in ('system', 'developer') then messages[0].content end as system",
    "element_at(messages, -1).content as prompt",
    // Without the thinking before it, as the library reads it (`openai::shown_thinking`).
    "regexp_replace(response.body.choices[0].message.content, \
        '(?is)^([ \n]*<(think|thinking)>.*?</(think|thinking)>[ \n]*)+', '') as answer",
    "response.body.choices[0].finish_reason as finish_reason",
    "response.body.model as model",
    "evenhand.deployment as deployment",
    "response.body.usage.prompt_tokens as prompt_tokens",
    "response.body.usage.completion_tokens as completion_tokens",
    "evenhand.attempts as attempts",
    "evenhand.latency_ms as latency_ms",
    "cast(evenhand.asked_at as timestamp) as asked_at",
    "error.message as error",
];

impl Session {
    /// A journal of a batch as a table, one row per line: prompts, answers, tokens, times.
    ///
    /// The columns are `custom_id` (a hash of the request), `system`, `prompt`, `answer`,
    /// `finish_reason`, `model`, `deployment`, `prompt_tokens`, `completion_tokens`, `attempts`,
    /// `latency_ms`, `asked_at` and `error`. `prompt` is the last message; `system` and `prompt` are
    /// null if `NAME.requests.jsonl` lacks the request. A line that was cut off by a crash is left
    /// out. A question that was asked [again](crate::Batch::fresh) has several rows.
    ///
    /// Both files are read by the server: a path is one of its machine, or of a storage that it knows.
    /// Any Spark reads them with `json` too.
    ///
    /// ```no_run
    /// # let spark = evenhand::spark::Session::builder().get_or_create()?;
    /// let answers = spark.read_journal(".evenhand/study.jsonl");
    /// answers.group_by(["model"]).count();
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn read_journal(&self, path: &str) -> DataFrame {
        let requests = requests_path(Path::new(path));
        let requests = self
            .scan_lines(&requests.to_string_lossy(), REQUEST)
            .select_expr(["custom_id", "body.messages as messages"])
            .drop_duplicates(["custom_id"]);
        let answers = self.scan_lines(path, ANSWER);
        answers
            .filter("custom_id is not null")
            .join(&requests, ["custom_id"], super::JoinKind::Left)
            .select_expr(COLUMNS)
    }

    /// The lines of a file as columns. They are read as texts, since Sail's reader of JSON refuses a
    /// file with a line that is cut off.
    fn scan_lines(&self, path: &str, schema: &str) -> DataFrame {
        let parsed = format!("from_json(value, '{schema}') as line");
        let lines = self.read().format("text").load(path);
        lines.select_expr([parsed.as_str()]).select_expr(["line.*"])
    }
}
