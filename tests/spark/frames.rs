//! What a notebook does with a session.

use evenhand::display::Show;
use evenhand::polars::df;
use evenhand::polars::prelude::DataFrame as Polars;
use evenhand::spark::{ExplainMode, JoinKind, SaveMode, Session, functions as f};
use evenhand::{ErrorKind, table::table};

use super::engines::{Engine, on_each_engine};

on_each_engine!(
    the_cells_of_the_lab_work,
    only_the_head_of_a_long_frame_is_shown_and_the_caption_says_so,
    frames_are_selected_grouped_joined_and_sorted_by_the_server,
    arguments_of_sql_are_values_and_never_code,
    files_are_written_and_read_in_all_formats,
    rows_come_in_parts_and_as_a_whole,
    errors_say_what_to_do,
    settings_and_tags_belong_to_the_session,
);

fn answers() -> Polars {
    df![
        "occupation" => ["nurse", "nurse", "doctor", "chef"],
        "answer" => ["She is kind.", "He is kind.", "SHE is able.", "They cook."],
        "tokens" => [4, 4, 3, 2],
    ]
    .unwrap()
}

fn cells(frame: &Polars) -> Vec<Vec<String>> {
    let text = |value: evenhand::polars::prelude::AnyValue<'_>| value.str_value().into_owned();
    (0..frame.height())
        .map(|row| {
            let columns = frame.columns().iter();
            columns
                .map(|column| text(column.get(row).unwrap()))
                .collect()
        })
        .collect()
}

fn with_answers(engine: &Engine) -> Session {
    let spark = engine.session();
    let frame = spark.create_data_frame(&answers()).unwrap();
    frame.create_or_replace_temp_view("answers").unwrap();
    spark
}

fn the_cells_of_the_lab_work(engine: &Engine) {
    let spark = with_answers(engine);
    let answers = spark.table("answers");
    assert!(answers.mime_bundle().text.contains("She is kind."));
    assert_eq!(answers.count().unwrap(), 4);
    let she = spark
        .sql("select count(*) as n from answers where answer ilike '%she%'")
        .unwrap();
    assert_eq!(cells(&she.to_polars().unwrap()), [["2"]]);
    // The same session is returned again.
    let remote = engine.remote();
    let first = Session::builder().remote(&remote).get_or_create().unwrap();
    let again = Session::builder().remote(&remote).get_or_create().unwrap();
    assert_eq!(format!("{first:?}"), format!("{again:?}"));
}

fn only_the_head_of_a_long_frame_is_shown_and_the_caption_says_so(engine: &Engine) {
    let spark = engine.session();
    let long = spark.range(0, 100_000_000);
    let shown = table(&long).page_size(5).static_only().mime_bundle();
    assert!(
        shown.html.contains("first 5 rows of a Spark DataFrame"),
        "{}",
        shown.html
    );
    assert!(shown.text.contains("not known until it is collected"));
    let columns = table(spark.table("nowhere")).columns(["a"]).mime_bundle();
    assert!(columns.text.contains("nowhere"), "{}", columns.text);
}

fn frames_are_selected_grouped_joined_and_sorted_by_the_server(engine: &Engine) {
    let spark = with_answers(engine);
    let answers = spark.table("answers");
    let by_job = answers
        .filter(f::col("tokens").gt(2) & f::col("answer").contains("is"))
        .group_by(["occupation"])
        .agg([f::count("*").alias("n"), f::avg("tokens").alias("mean")])
        .order_by([f::col("n").desc()]);
    assert_eq!(
        cells(&by_job.to_polars().unwrap()),
        [["nurse", "2", "4.0"], ["doctor", "1", "3.0"]]
    );
    let women = df!["occupation" => ["nurse", "chef"], "share" => [0.87, 0.2]].unwrap();
    let women = spark.create_data_frame(&women).unwrap();
    let joined = answers
        .join(&women, ["occupation"], JoinKind::LeftAnti)
        .select(["occupation"]);
    assert_eq!(cells(&joined.to_polars().unwrap()), [["doctor"]]);
    let on = f::col("a.occupation").eq(f::col("w.occupation"));
    let pairs = answers
        .alias("a")
        .join_on(&women.alias("w"), on, JoinKind::Inner);
    assert_eq!(pairs.count().unwrap(), 3);
    let computed = answers
        .with_column("length", f::length("answer"))
        .with_column(
            "kind",
            f::when(f::col("tokens").lt(3), "short").otherwise("long"),
        )
        .with_column_renamed("tokens", "n")
        .drop(["answer"])
        .filter("n >= 2")
        .order_by(["length"])
        .limit(1);
    assert_eq!(
        cells(&computed.to_polars().unwrap()),
        [["chef", "2", "10", "short"]]
    );
    assert_eq!(
        answers.select(["occupation"]).distinct().count().unwrap(),
        3
    );
    assert_eq!(answers.union(&answers).count().unwrap(), 8);
    assert_eq!(answers.drop_duplicates(["tokens"]).count().unwrap(), 3);
    let schema = answers.schema().unwrap().to_string();
    assert!(schema.contains("|-- tokens: int"), "{schema}");
    assert!(!answers.explain(ExplainMode::Simple).unwrap().is_empty());
}

fn arguments_of_sql_are_values_and_never_code(engine: &Engine) {
    let spark = with_answers(engine);
    let query = "select answer from answers where occupation = :job and tokens > :least";
    let asked = |job: &str| {
        let arguments = [("job", f::lit(job)), ("least", f::lit(3))];
        let rows = spark.sql_with(query, arguments).unwrap();
        rows.count().unwrap()
    };
    assert_eq!(asked("nurse"), 2);
    assert_eq!(asked("nurse' or '1' = '1"), 0);
}

fn files_are_written_and_read_in_all_formats(engine: &Engine) {
    let spark = with_answers(engine);
    let folder = tempfile::tempdir().unwrap();
    let answers = spark.table("answers");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    // Spark reads and writes Delta with a package that its own release lacks.
    let formats = ["parquet", "json", "csv", "delta"];
    for format in &formats[..if engine.is_sail() { 4 } else { 3 }] {
        let path = path(format);
        let write = || answers.write().format(format).option("header", true);
        write().save(&path).unwrap();
        let read = || {
            spark
                .read()
                .format(format)
                .option("header", true)
                .load(&path)
        };
        assert_eq!(read().count().unwrap(), 4, "{format}");
        let refused = write().save(&path).unwrap_err();
        assert!(
            refused
                .hint()
                .is_some_and(|hint| hint.contains("Overwrite")),
            "{format}: {refused:?}"
        );
        write().mode(SaveMode::Append).save(&path).unwrap();
        assert_eq!(read().count().unwrap(), 8, "{format}");
        write().mode(SaveMode::Ignore).save(&path).unwrap();
        write().mode(SaveMode::Overwrite).save(&path).unwrap();
        let texts = read().select(["answer"]).order_by(["answer"]);
        assert_eq!(
            cells(&texts.to_polars().unwrap())[0],
            ["He is kind."],
            "{format}"
        );
    }
    let parts = path("parts");
    let writer = answers.write().partition_by(["occupation"]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(writer.parquet_async(&parts)).unwrap();
    assert!(folder.path().join("parts/occupation=nurse").is_dir());
    let csv = path("by hand.csv");
    std::fs::write(&csv, "a;b\n1;x\n").unwrap();
    let read = spark.read().option("header", true).option("sep", ";");
    let typed = read.schema("a bigint, b string").csv(&csv);
    assert_eq!(typed.schema().unwrap().fields()[0].data_type(), "bigint");
    assert_eq!(cells(&typed.to_polars().unwrap()), [["1", "x"]]);
    answers.write().save_as_table("kept").unwrap();
    answers.write().insert_into("kept").unwrap();
    assert_eq!(spark.table("kept").count().unwrap(), 8);
}

fn rows_come_in_parts_and_as_a_whole(engine: &Engine) {
    let spark = engine.session();
    let texts: Vec<String> = (0..300_000)
        .map(|at| format!("ä{at}\t\"{}\"", "x".repeat(at % 90)))
        .collect();
    let sent = df!["at" => (0..300_000_i64).collect::<Vec<_>>(), "text" => texts].unwrap();
    let frame = spark.create_data_frame(&sent).unwrap();
    let back = frame.order_by(["at"]).to_polars().unwrap();
    assert!(back.equals(&sent));
    let mut rows = 0;
    let mut parts = 0;
    for part in spark.range(0, 500_000).batches().unwrap() {
        rows += part.unwrap().height();
        parts += 1;
    }
    assert_eq!(rows, 500_000);
    assert!(parts > 1);
    // One that is dropped early holds up nothing.
    let mut early = spark.range(0, 20_000_000).batches().unwrap();
    assert!(early.next().unwrap().is_ok());
    drop(early);
    let none = spark.range(0, 0).to_polars().unwrap();
    assert_eq!(none.shape(), (0, 1));
}

fn errors_say_what_to_do(engine: &Engine) {
    let spark = with_answers(engine);
    let missing = spark
        .sql("select * from nowhere")
        .and_then(|frame| frame.count())
        .unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing:?}");
    assert!(missing.hint().unwrap().contains("show tables"), "{missing}");
    let unknown = spark
        .table("answers")
        .select(["anwser"])
        .to_polars()
        .unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::BadRequest, "{unknown:?}");
    assert!(unknown.hint().unwrap().contains("schema"), "{unknown}");
    let tenth = format!("{}select * form answers", "-- a comment\n".repeat(9));
    let wrong = spark
        .sql(&tenth)
        .and_then(|frame| frame.count())
        .unwrap_err();
    assert!(wrong.hint().is_some(), "{wrong:?}");
    assert!(wrong.message().lines().count() <= 12);
    let twice = spark
        .sql("select 1 as a, 2 as a")
        .and_then(|frame| frame.to_polars());
    assert!(twice.unwrap_err().hint().unwrap().contains("AS"));
    assert!(std::error::Error::source(&missing).is_some());
    // And the session goes on.
    assert_eq!(spark.sql("select 1").unwrap().count().unwrap(), 1);
}

fn settings_and_tags_belong_to_the_session(engine: &Engine) {
    let spark = engine.session();
    let conf = spark.conf();
    conf.set("spark.sql.session.timeZone", "Europe/Berlin")
        .unwrap();
    let zone = conf.get("spark.sql.session.timeZone").unwrap();
    assert_eq!(zone.as_deref(), Some("Europe/Berlin"));
    conf.unset("spark.sql.session.timeZone").unwrap();
    assert_ne!(conf.get("spark.sql.session.timeZone").unwrap(), zone);
    assert!(spark.add_tag("a,b").is_err());
    spark.add_tag("a").unwrap();
    spark.add_tag("a").unwrap();
    assert_eq!(spark.tags(), ["a"]);
    spark.stop().unwrap();
    spark.stop().unwrap();
    assert!(spark.sql("select 1").is_err());
}
