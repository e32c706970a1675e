//! Batches over a frame of Spark, whose answers go to a table; and journals as tables.

use std::process::Command;
use std::time::Duration;

use evenhand::polars::df;
use evenhand::spark::{Session, functions as f};
use evenhand::{Client, ErrorKind};

use super::engines::{Engine, on_each_engine, spark_python};
use crate::support::{Echo, poll};

on_each_engine!(
    the_answers_of_a_frame_go_to_a_table_and_no_row_is_asked_twice,
    rows_that_fail_are_asked_again_the_next_time,
    a_table_that_has_other_rows_of_others_is_only_added_to,
    an_id_that_tells_no_rows_apart_is_refused,
    a_journal_is_a_table,
    executors_that_can_not_ask_leave_it_to_this_machine,
);

fn people(spark: &Session, rows: i64) -> evenhand::spark::DataFrame {
    spark
        .range(0, rows)
        .with_column("prompt", f::expr("concat('person ', cast(id as string))"))
}

fn name(what: &str) -> String {
    format!("{what}_{}", std::process::id())
}

fn drop_table(spark: &Session, name: &str) {
    spark.sql(&format!("drop table if exists {name}")).unwrap();
}

fn client(echo: &Echo) -> Client {
    echo.client()
}

fn the_answers_of_a_frame_go_to_a_table_and_no_row_is_asked_twice(engine: &Engine) {
    let spark = engine.session();
    let (echo, table) = (Echo::start(), name("answers"));
    let people = people(&spark, 300);
    let ask = |rows: &evenhand::spark::DataFrame| {
        let batch = client(&echo).batch_frame(rows, "prompt");
        batch.system("Be fair.").concurrency(16).to_table(&table)
    };
    let totals = ask(&people.filter("id < 200")).unwrap();
    assert_eq!((totals.rows, totals.answered), (200, 200));
    let totals = ask(&people).unwrap();
    assert_eq!((totals.rows, totals.answered), (100, 100));
    let batch = client(&echo).batch_frame(&people, "prompt");
    let again = batch.system("Be fair.").to_table_async(&table);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    assert_eq!(runtime.block_on(again).unwrap().rows, 0);
    assert_eq!(echo.requests(), 300);
    let answers = spark.table(&table);
    let joined = people.join(&answers, ["id"], evenhand::spark::JoinKind::Inner);
    assert_eq!(joined.count().unwrap(), 300);
    let right = f::concat([f::lit("2 messages: "), f::col("prompt")]);
    assert_eq!(
        joined.filter(f::col("answer").eq(right)).count().unwrap(),
        300
    );
    let schema = answers.schema().unwrap();
    let columns: Vec<&str> = schema.fields().iter().map(|field| field.name()).collect();
    assert_eq!(
        columns,
        [
            "id",
            "answer",
            "finish_reason",
            "model",
            "prompt_tokens",
            "completion_tokens"
        ]
    );
    // Only a table that has `merge` can be deleted from.
    let deleted = spark.sql(&format!("delete from {table} where id < 0"));
    assert_eq!(deleted.is_ok(), engine.is_sail());
    drop_table(&spark, &table);
}

fn rows_that_fail_are_asked_again_the_next_time(engine: &Engine) {
    let spark = engine.session();
    let (echo, table) = (Echo::start(), name("failing"));
    let folder = tempfile::tempdir().unwrap();
    let rows = df![
        "who" => ["a", "b", "c", "d"],
        "prompt" => [Some("one"), Some("filter me"), None, Some("two")],
    ];
    let rows = spark.create_data_frame(&rows.unwrap()).unwrap();
    let ask = || {
        let batch = client(&echo).batch_frame(&rows, "prompt").id("who");
        let journal = folder.path().join("journal.jsonl");
        batch.journal(journal).to_table(&table).unwrap()
    };
    let totals = ask();
    assert_eq!((totals.rows, totals.answered, totals.failed), (4, 2, 2));
    let totals = ask();
    assert_eq!((totals.rows, totals.answered, totals.failed), (2, 0, 2));
    assert_eq!(spark.table(&table).count().unwrap(), 2);
    // A table that is lost costs nothing: the journal has the answers.
    drop_table(&spark, &table);
    let before = echo.requests();
    let totals = ask();
    assert_eq!((totals.answered, totals.from_journal), (2, 2));
    // The row that the filter refused.
    assert_eq!(echo.requests(), before + 1);
    assert_eq!(spark.table(&table).count().unwrap(), 2);
    drop_table(&spark, &table);
}

fn a_table_that_has_other_rows_of_others_is_only_added_to(engine: &Engine) {
    let spark = engine.session();
    let (echo, table) = (Echo::start(), name("shared"));
    let columns = "extra string, answer string, id bigint, finish_reason string, model string, \
                   completion_tokens bigint, prompt_tokens bigint";
    let format = if engine.is_sail() { "delta" } else { "parquet" };
    spark
        .sql(&format!("create table {table} ({columns}) using {format}"))
        .unwrap();
    spark
        .sql(&format!(
            "insert into {table} values ('kept', 'theirs', 0, 'stop', 'm', 1, 2)"
        ))
        .unwrap();
    let batch = client(&echo).batch_frame(&people(&spark, 3), "prompt");
    let totals = batch.to_table(&table).unwrap();
    assert_eq!(totals.answered, 2);
    let rows = spark.table(&table).order_by(["id"]).to_polars().unwrap();
    let texts = |name: &str| -> Vec<Option<String>> {
        let column = rows.column(name).unwrap().str().unwrap();
        column.iter().map(|text| text.map(str::to_owned)).collect()
    };
    assert_eq!(texts("extra"), [Some("kept".to_owned()), None, None]);
    assert_eq!(
        texts("answer"),
        ["theirs", "1 messages: person 1", "1 messages: person 2"]
            .map(|text| Some(text.to_owned()))
    );
    drop_table(&spark, &table);
    let other = name("other");
    spark
        .sql(&format!("create table {other} (id bigint, note string)"))
        .unwrap();
    let error = client(&echo)
        .batch_frame(&people(&spark, 3), "prompt")
        .to_table(&other)
        .unwrap_err();
    assert!(error.message().contains("lacks answer"), "{error}");
    drop_table(&spark, &other);
}

fn an_id_that_tells_no_rows_apart_is_refused(engine: &Engine) {
    let spark = engine.session();
    let echo = Echo::start();
    let rows = df![
        "id" => ["a", "a"], "some" => [Some("a"), None], "share" => [0.1, 0.2], "prompt" => ["x", "y"],
    ];
    let rows = spark.create_data_frame(&rows.unwrap()).unwrap();
    for (id, words) in [
        ("id", "2 rows have 1 different"),
        ("some", "null in 1 row"),
        ("share", "of the type double"),
        ("nowhere", "no column"),
    ] {
        let batch = client(&echo).batch_frame(&rows, "prompt").id(id);
        let error = batch.to_table("never").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert!(error.message().contains(words), "{error}");
    }
    assert_eq!(echo.requests(), 0);
}

fn a_journal_is_a_table(engine: &Engine) {
    let spark = engine.session();
    let echo = Echo::start();
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("a study.jsonl");
    let prompts = ["one", "two \"quoted\" ä\n", "filter me"];
    let batch = client(&echo)
        .batch(prompts)
        .system("Be fair.")
        .journal(&journal);
    batch.run().unwrap();
    let path = journal.to_string_lossy().into_owned();
    // By Spark's own reader, without help.
    let raw = spark.read().json(&path).filter("custom_id is not null");
    let read = raw.select_expr(["response.body.choices[0].message.content as answer"]);
    assert_eq!(read.filter("answer is not null").count().unwrap(), 2);
    let thinking = r#"{"custom_id": "thinking", "response": {"body": {"choices": [{"message":
        {"content": "\n<Think>hm,\nhm</think>\n\nKind. <think>no</think>"}}]}}}"#;
    let thinking = thinking.replace("\n        ", " ") + "\n";
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&journal)
        .unwrap();
    // The last line is one that a crash has cut off.
    let lines = thinking + "{\"id\": \"x\", \"cust";
    std::io::Write::write_all(&mut file, lines.as_bytes()).unwrap();
    let table = spark.read_journal(&path);
    let thinking = table.filter("custom_id = 'thinking'").to_polars().unwrap();
    let answer = thinking.column("answer").unwrap().str().unwrap().get(0);
    assert_eq!(answer, Some("Kind. <think>no</think>"));
    let answered = table
        .filter("prompt is not null")
        .filter("answer is not null")
        .order_by(["prompt"]);
    let rows = answered.to_polars().unwrap();
    let texts = |name: &str| -> Vec<String> {
        let column = rows.column(name).unwrap().str().unwrap();
        column.iter().map(|text| text.unwrap().to_owned()).collect()
    };
    assert_eq!(texts("prompt"), prompts[..2]);
    assert_eq!(texts("system"), ["Be fair."; 2]);
    assert_eq!(
        texts("answer"),
        prompts[..2]
            .iter()
            .map(|prompt| format!("2 messages: {prompt}"))
            .collect::<Vec<_>>()
    );
    let tokens = rows.column("completion_tokens").unwrap().i64().unwrap();
    assert!(
        tokens
            .iter()
            .all(|tokens| tokens.is_some_and(|tokens| tokens > 0))
    );
    assert_eq!(rows.column("asked_at").unwrap().null_count(), 0);
}

fn executors_that_can_not_ask_leave_it_to_this_machine(engine: &Engine) {
    let spark = engine.session();
    let (echo, table) = (Echo::start(), name("unable"));
    let folder = tempfile::tempdir().unwrap();
    // Sail takes no files, and Spark can't run this one.
    let worker = folder.path().join("worker");
    std::fs::write(&worker, "no program").unwrap();
    let batch = client(&echo).batch_frame(&people(&spark, 5), "prompt");
    let batch = batch.on_executors(2).worker(&worker);
    assert_eq!(batch.to_table(&table).unwrap().answered, 5);
    assert_eq!(echo.requests(), 5);
    drop_table(&spark, &table);
}

#[test]
fn executors_ask_every_prompt_once_and_their_journals_outlive_a_table() {
    let Some(python) = spark_python() else { return };
    let (echo, journals) = (Echo::start(), tempfile::tempdir().unwrap());
    let variables = [
        ("AZURE_OPENAI_ENDPOINT", echo.url()),
        ("AZURE_OPENAI_API_KEY", "a-key-of-the-executors".to_owned()),
    ];
    let engine = Engine::start_cluster(&python, &variables);
    let spark = engine.session();
    // This machine has no key.
    let client = Client::builder()
        .endpoint(echo.url())
        .api_key("not-sent")
        .deployment("echo")
        .build()
        .unwrap();
    let odd = "case when id = 7 then 'filter \"me\"' when id = 8 then null else concat('a\t\"b\" \u{1f600}\n', id) end";
    let rows = spark.range(0, 2_000).with_column("prompt", f::expr(odd));
    let ask = || {
        let batch = client.batch_frame(&rows, "prompt").system("Be fair.");
        let batch = batch
            .journal(journals.path())
            .max_tokens(20)
            .quota(evenhand::Quota::rpm(60_000_000));
        let batch = batch
            .on_executors(2)
            .worker(crate::support::evenhand().get_program());
        batch.to_table("answers").unwrap()
    };
    let totals = ask();
    assert_eq!(
        (totals.rows, totals.answered, totals.failed),
        (2_000, 1_998, 2)
    );
    // The row that the filter refuses is asked once, too.
    assert_eq!(echo.requests(), 1_999);
    let answers = spark.table("answers");
    let right = "answer = concat('2 messages: a\t\"b\" \u{1f600}\n', id)";
    assert_eq!(answers.filter(right).count().unwrap(), 1_998);
    assert_eq!(answers.select(["id"]).distinct().count().unwrap(), 1_998);
    let totals = ask();
    assert_eq!((totals.rows, totals.answered), (2, 0));
    assert_eq!(echo.requests(), 2_000);
    spark.sql("drop table answers").unwrap();
    let totals = ask();
    assert_eq!((totals.rows, totals.answered), (2_000, 1_998));
    assert_eq!(
        echo.requests(),
        2_001,
        "only the refused one is asked again"
    );
    a_killed_executor_costs_the_rows_in_flight(&engine, &echo, &client);
    for file in std::fs::read_dir(journals.path()).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("a-key-of-the-executors"));
    }
}

fn a_killed_executor_costs_the_rows_in_flight(engine: &Engine, echo: &Echo, client: &Client) {
    let executors = engine.executors();
    if executors.is_empty() {
        // Found by `/proc` alone.
        return;
    }
    let rows = engine.session().range(0, 3_000);
    let rows = rows.with_column("prompt", f::expr("concat('wait 20 ', cast(id as string))"));
    let (before, at_once) = (echo.requests(), 8);
    let journals = tempfile::tempdir().unwrap();
    let batch = client.batch_frame(&rows, "prompt").concurrency(at_once);
    let batch = batch.journal(journals.path());
    let batch = batch
        .on_executors(2)
        .worker(crate::support::evenhand().get_program());
    let asking = std::thread::spawn(move || batch.to_table("killed"));
    let begun = poll(Duration::from_secs(60), || {
        (echo.requests() > before + 600).then_some(())
    });
    assert!(begun.is_some() && !asking.is_finished());
    let killed = Command::new("kill")
        .args(["-9", &executors[0].to_string()])
        .status();
    assert!(killed.unwrap().success());
    let totals = asking.join().unwrap().unwrap();
    assert_eq!((totals.rows, totals.answered), (3_000, 3_000));
    let twice = echo.requests() - before - 3_000;
    assert!(twice <= 2 * at_once, "{twice} were asked twice");
}
