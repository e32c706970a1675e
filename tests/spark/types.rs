//! Every type in both directions, against Apache Spark's own client on the same files.

use std::process::Command;

use evenhand::polars::df;
use evenhand::polars::prelude::*;
use serde_json::{Value, json};

use super::engines::{Engine, client_python, on_each_engine};
use crate::support::checkout;

/// A frame with every type that polars has here.
fn everything() -> DataFrame {
    let micros = TimeUnit::Microseconds;
    let numbers = |name: &str, values: [Option<i64>; 2]| Series::new(name.into(), values);
    let columns = [
        numbers("local", [Some(-1), None]).cast(&DataType::Datetime(micros, None)),
        numbers("time", [Some(1_709_209_800_001), None])
            .cast(&DataType::Datetime(TimeUnit::Milliseconds, None)),
        numbers("zoned", [Some(1_709_209_800_000_001), None])
            .cast(&DataType::Datetime(micros, Some(TimeZone::UTC))),
        Series::new("day".into(), [Some(19_782), None]).cast(&DataType::Date),
        Series::new("money".into(), [Some(-12.5), None]).cast(&DataType::Decimal(12, 3)),
        Series::new("bytes".into(), [Some("ab"), None]).cast(&DataType::Binary),
        numbers("clock", [Some(45_000_500_000_000), None]).cast(&DataType::Time),
        Series::new("kind".into(), [Some("k"), None])
            .cast(&DataType::from_categories(Categories::global())),
    ];
    let mut frame = df![
        "at" => [1, 2],
        "text" => [Some("ä\t\u{1f600}"), None],
        "truth" => [Some(true), None],
        "int" => [Some(i32::MIN), None],
        "big" => [Some(i64::MAX), None],
        "u32" => [Some(u32::MAX), None],
        "u64" => [Some(u64::MAX), None],
        "single" => [Some(1.5_f32), None],
        "double" => [Some(-0.1), None],
    ]
    .unwrap();
    let list = Series::new("".into(), [Some(1), None]);
    let lists = Series::new("list".into(), [Some(list), None]);
    let pair = StructChunked::from_series(
        "pair".into(),
        2,
        [
            Series::new("a".into(), [7, 8]),
            Series::new("b".into(), ["x", "y"]),
        ]
        .iter(),
    );
    let columns = columns.into_iter().map(Result::unwrap);
    for series in columns.chain([lists, pair.unwrap().into_series()]) {
        frame.with_column(series.into_column()).unwrap();
    }
    frame
}

on_each_engine!(apache_sparks_client_sees_what_was_written_and_its_values_are_read);

fn apache_sparks_client_sees_what_was_written_and_its_values_are_read(engine: &Engine) {
    let Some(python) = client_python() else {
        return;
    };
    let spark = engine.session();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (ours, theirs) = (path("ours"), path("theirs"));
    spark
        .create_data_frame(&everything())
        .unwrap()
        .write()
        .parquet(&ours)
        .unwrap();
    // Not with `-c`, where the client looks for a Spark of its own.
    let output = Command::new(python)
        .args(["-W", "ignore"])
        .arg(checkout().join("tests/spark/spark_client.py"))
        .args([&engine.remote(), &ours, &theirs])
        .env("TZ", "UTC")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        seen["schema"],
        "struct<at:int,text:string,truth:boolean,int:int,big:bigint,u32:bigint,u64:decimal(20,0),\
         single:float,double:double,local:timestamp_ntz,time:timestamp_ntz,zoned:timestamp,day:date,\
         money:decimal(12,3),bytes:binary,clock:string,kind:string,list:array<int>,\
         pair:struct<a:int,b:string>>"
    );
    assert_eq!(
        seen["rows"][0],
        json!([
            "1",
            "'ä\\t\u{1f600}'",
            "True",
            "-2147483648",
            "9223372036854775807",
            "4294967295",
            "Decimal('18446744073709551615')",
            "1.5",
            "-0.1",
            "datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)",
            "datetime.datetime(2024, 2, 29, 12, 30, 0, 1000)",
            "datetime.datetime(2024, 2, 29, 12, 30, 0, 1)",
            "datetime.date(2024, 2, 29)",
            "Decimal('-12.500')",
            "b'ab'",
            "'12:30:00.5'",
            "'k'",
            "[1, None]",
            "Row(a=7, b='x')",
        ])
    );
    let nulls = seen["rows"][1].as_array().unwrap();
    let of_nulls = &nulls[1..nulls.len() - 1];
    assert!(of_nulls.iter().all(|value| value == "None"), "{nulls:?}");

    let read = spark.read().parquet(&theirs).order_by(["at"]);
    let frame = read.to_polars().unwrap();
    let cell = |name: &str, at: usize| frame.column(name).unwrap().get(at).unwrap().into_static();
    assert_eq!(cell("tiny", 0), AnyValue::Int32(-128));
    assert_eq!(cell("small", 0), AnyValue::Int32(32_767));
    assert_eq!(cell("big", 0), AnyValue::Int64(i64::MAX));
    assert_eq!(cell("single", 0), AnyValue::Float32(1.5));
    assert_eq!(cell("double", 0), AnyValue::Float64(-0.1));
    assert_eq!(cell("text", 0).get_str(), Some("ä\t\u{1f600}"));
    assert_eq!(cell("truth", 0), AnyValue::Boolean(true));
    assert_eq!(cell("bytes", 0), AnyValue::BinaryOwned(vec![0, 0xff]));
    let physical = |name: &str| {
        let column = frame.column(name).unwrap().to_physical_repr();
        column.get(0).unwrap().extract::<i64>()
    };
    assert_eq!(physical("day"), Some(19_782));
    assert_eq!(physical("time"), Some(1_709_209_800_000_001));
    assert_eq!(physical("local"), Some(-1));
    let dtype = |name: &str| frame.column(name).unwrap().dtype().clone();
    assert_eq!(dtype("money"), DataType::Decimal(12, 3));
    assert_eq!(cell("money", 0).to_string(), "-12345.678");
    assert!(matches!(dtype("map"), DataType::List(_)));
    assert!(cell("list", 0).to_string().contains("null"));
    for column in &frame.columns()[1..] {
        assert_eq!(column.get(1).unwrap(), AnyValue::Null, "{}", column.name());
    }
}
