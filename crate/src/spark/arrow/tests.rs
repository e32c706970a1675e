//! Frames to Arrow and back, without a server.

use polars::prelude::*;
use polars_arrow::array::{
    Array, ArrayRef, Int8Array, Int16Array, MapArray, StructArray, Utf8Array,
};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field as ArrowField, IntervalUnit};
use polars_arrow::io::ipc::write::{StreamWriter, WriteOptions};
use polars_arrow::record_batch::RecordBatchT;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{Assembly, encode};

/// The frame after the way to Spark and back, and what was told.
fn there_and_back(frame: &DataFrame) -> (DataFrame, Vec<String>) {
    let encoded = encode(frame).unwrap();
    let mut assembly = Assembly::default();
    assert_eq!(assembly.add(&encoded.bytes).unwrap(), frame.height());
    (assembly.take_frame().unwrap(), encoded.changes)
}

fn stream(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let schema: ArrowSchema = columns
        .iter()
        .map(|(name, array)| {
            let field = ArrowField::new((*name).into(), array.dtype().clone(), true);
            (PlSmallStr::from(*name), field)
        })
        .collect();
    let schema = std::sync::Arc::new(schema);
    let mut writer = StreamWriter::new(Vec::new(), WriteOptions { compression: None });
    writer.start(&schema, None).unwrap();
    let arrays: Vec<ArrayRef> = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatchT::try_new(arrays[0].len(), schema, arrays).unwrap();
    writer.write(&batch, None).unwrap();
    writer.finish().unwrap();
    writer.into_inner()
}

fn column(name: &str, of: Series) -> Column {
    of.with_name(name.into()).into_column()
}

#[test]
fn types_that_both_have_stay_as_they_are() {
    let micros = TimeUnit::Microseconds;
    let frame = df![
        "text" => [Some("ä\t\n"), None, Some("")],
        "truth" => [Some(true), None, Some(false)],
        "int" => [Some(i32::MIN), None, Some(7)],
        "bigint" => [i64::MIN, 0, i64::MAX],
        "float" => [1.5_f32, f32::INFINITY, -0.0],
        "double" => [Some(f64::MAX), None, Some(f64::NEG_INFINITY)],
    ]
    .unwrap();
    let more = [
        Series::new("date".into(), [Some(0), None, Some(20_000)])
            .cast(&DataType::Date)
            .unwrap(),
        Series::new(
            "time".into(),
            [Some(0_i64), None, Some(1_700_000_000_000_001)],
        )
        .cast(&DataType::Datetime(micros, None))
        .unwrap(),
        Series::new("zoned".into(), [Some(0_i64), None, Some(1)])
            .cast(&DataType::Datetime(
                micros,
                TimeZone::opt_try_new(Some("Europe/Berlin")).unwrap(),
            ))
            .unwrap(),
        Series::new("lasting".into(), [Some(-1_i64), None, Some(1)])
            .cast(&DataType::Duration(micros))
            .unwrap(),
        Series::new("money".into(), [Some(1.25), None, Some(-3.5)])
            .cast(&DataType::Decimal(10, 2))
            .unwrap(),
        Series::new("bytes".into(), ["a", "b", "c"])
            .cast(&DataType::Binary)
            .unwrap(),
        Series::full_null("nothing".into(), 3, &DataType::Null),
    ];
    let mut columns = frame.columns().to_vec();
    columns.extend(more.map(IntoColumn::into_column));
    let frame = DataFrame::new(3, columns).unwrap();
    let (back, told) = there_and_back(&frame);
    assert_eq!(back.schema(), frame.schema());
    assert!(back.equals_missing(&frame), "{back}");
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn types_that_spark_lacks_are_converted_and_told() {
    let frame = DataFrame::new(
        3,
        vec![
            column(
                "u32",
                Series::new("".into(), [Some(u32::MAX), None, Some(0)]),
            ),
            column(
                "u64",
                Series::new("".into(), [Some(u64::MAX), None, Some(0)]),
            ),
            column(
                "ms",
                Series::new("".into(), [Some(1_i64), None, Some(-1)])
                    .cast(&DataType::Datetime(TimeUnit::Milliseconds, None))
                    .unwrap(),
            ),
            column(
                "ns",
                Series::new("".into(), [Some(1_999_i64), None, Some(-1)])
                    .cast(&DataType::Datetime(TimeUnit::Nanoseconds, None))
                    .unwrap(),
            ),
            column(
                "clock",
                Series::new("".into(), [Some(45_000_500_000_000_i64), None, Some(0)])
                    .cast(&DataType::Time)
                    .unwrap(),
            ),
            column(
                "kind",
                Series::new("".into(), [Some("b"), None, Some("a")])
                    .cast(&DataType::from_categories(Categories::global()))
                    .unwrap(),
            ),
        ],
    )
    .unwrap();
    let (back, told) = there_and_back(&frame);
    insta::assert_snapshot!(told.join("\n"), @r"
    column `u32`: u32 is bigint in Spark
    column `u64`: u64 is decimal(20,0) in Spark
    column `ns`: Spark's times have microseconds, so its nanoseconds are cut off
    column `clock`: time is string in Spark
    column `kind`: cat is string in Spark
    ");
    let texts = |name: &str| -> Vec<String> {
        let column = back.column(name).unwrap();
        (0..3)
            .map(|at| column.get(at).unwrap().to_string())
            .collect()
    };
    assert_eq!(texts("u32"), ["4294967295", "null", "0"]);
    assert_eq!(
        back.column("u64").unwrap().dtype(),
        &DataType::Decimal(20, 0)
    );
    assert_eq!(texts("u64"), ["18446744073709551615", "null", "0"]);
    assert_eq!(texts("clock"), ["\"12:30:00.5\"", "null", "\"00:00:00\""]);
    assert_eq!(texts("kind"), ["\"b\"", "null", "\"a\""]);
    let micros = |name: &str| {
        back.column(name)
            .unwrap()
            .to_physical_repr()
            .get(2)
            .unwrap()
            .to_string()
    };
    assert_eq!(micros("ms"), "-1000");
    assert_eq!(micros("ns"), "-1");
}

#[test]
fn lists_and_structs_hold_the_same_at_any_depth() {
    let inner = Series::new("".into(), [Some(1_u32), None, Some(3), Some(4)]);
    let lists = Series::new(
        "lists".into(),
        [inner.slice(0, 2), inner.slice(2, 0), inner.slice(2, 2)],
    );
    let nested = Series::new(
        "nested".into(),
        [lists.slice(0, 1), lists.slice(1, 2), lists.slice(0, 0)],
    );
    let pairs = StructChunked::from_series(
        "pairs".into(),
        3,
        [
            Series::new("a".into(), [1_i32, 2, 3]),
            Series::new("b".into(), [Some("x"), None, Some("z")]),
            lists.clone(),
        ]
        .iter(),
    )
    .unwrap()
    .into_series();
    let frame = DataFrame::new(
        3,
        [lists, nested, pairs].map(IntoColumn::into_column).to_vec(),
    )
    .unwrap();
    // Also where the columns begin in the middle of others.
    for frame in [
        frame.clone(),
        frame.slice(1, 2),
        frame.slice(2, 1),
        frame.head(Some(0)),
    ] {
        let (back, told) = there_and_back(&frame);
        assert_eq!(told.len(), 3);
        assert_eq!(all_rows(&back), all_rows(&frame));
    }
}

fn all_rows(frame: &DataFrame) -> Vec<Vec<String>> {
    let columns = frame.columns().iter();
    columns
        .map(|column| rows(column.as_materialized_series()))
        .collect()
}

fn rows(series: &Series) -> Vec<String> {
    series.iter().map(|value| value.to_string()).collect()
}

#[test]
fn columns_cut_into_chunks_at_different_rows_stay_together() {
    let mut a = Series::new("a".into(), [1, 2]);
    a.append(&Series::new("a".into(), [3])).unwrap();
    let b = Series::new("b".into(), ["x", "y", "z"]);
    let frame = DataFrame::new(3, vec![a.into_column(), b.into_column()]).unwrap();
    assert!(there_and_back(&frame).0.equals(&frame));
    let tall = frame.vstack(&frame).unwrap();
    assert!(there_and_back(&tall).0.equals(&tall));
    let one = DataFrame::new(3, vec![Column::new_scalar("s".into(), 7_i32.into(), 3)]).unwrap();
    assert_eq!(there_and_back(&one).0.height(), 3);
}

#[test]
fn what_can_not_be_sent_is_refused_by_name() {
    let refused = |frame: &DataFrame| encode(frame).err().unwrap().to_string();
    insta::assert_snapshot!(refused(&DataFrame::empty()), @"a frame without columns can't be sent");
    let late = Series::new("late".into(), [i64::MAX])
        .cast(&DataType::Datetime(TimeUnit::Milliseconds, None))
        .unwrap();
    let late = DataFrame::new(1, vec![late.into_column()]).unwrap();
    insta::assert_snapshot!(refused(&late), @r"
    column `late`: a time is outside of Spark's range: 9223372036854775807 Milliseconds
      hint: filter it out, or send it as a number
    ");
    let large = Series::new("large".into(), vec![0_i64; 9_000_000]);
    let large = DataFrame::new(9_000_000, vec![large.into_column()]).unwrap();
    insta::assert_snapshot!(refused(&large), @r"
    the frame has 72 MB, and at most 67 MB are sent as one
      hint: write it to a file that the server can read, and use `spark.read()`; or send it in parts and append them to a table
    ");
}

#[test]
fn small_integers_and_maps_are_widened_and_told() {
    let map = {
        let entries = StructArray::new(
            ArrowDataType::Struct(vec![
                ArrowField::new("key".into(), ArrowDataType::Utf8, false),
                ArrowField::new("value".into(), ArrowDataType::Int8, true),
            ]),
            2,
            vec![
                Utf8Array::<i32>::from_slice(["a", "b"]).boxed(),
                Int8Array::from([Some(1), None]).boxed(),
            ],
            None,
        );
        let field = ArrowField::new("entries".into(), entries.dtype().clone(), false);
        MapArray::new(
            ArrowDataType::Map(Box::new(field), false),
            vec![0, 2, 2].try_into().unwrap(),
            entries.boxed(),
            None,
        )
    };
    let bytes = stream(vec![
        ("tiny", Int8Array::from([Some(-128), None]).boxed()),
        ("small", Int16Array::from([Some(i16::MAX), None]).boxed()),
        ("map", map.boxed()),
    ]);
    let mut assembly = Assembly::default();
    assembly.add(&bytes).unwrap();
    insta::assert_snapshot!(assembly.changes().join("\n"), @r"
    column `tiny`: its small integers are Int32 in polars
    column `small`: its small integers are Int32 in polars
    column `map`: its small integers are Int32 in polars
    ");
    let frame = assembly.take_frame().unwrap();
    let texts = all_rows(&frame);
    assert_eq!(texts[0], ["-128", "null"]);
    assert_eq!(texts[1], ["32767", "null"]);
    assert_eq!(texts[2].len(), 2);
    assert!(
        texts[2][0].contains("\"a\"") && texts[2][0].contains('1'),
        "{texts:?}"
    );
}

#[test]
fn what_polars_lacks_is_refused_by_name() {
    let refused = |bytes: &[u8]| Assembly::default().add(bytes).unwrap_err().to_string();
    let months = polars_arrow::array::PrimitiveArray::<i32>::from([Some(1)])
        .to(ArrowDataType::Interval(IntervalUnit::YearMonth));
    insta::assert_snapshot!(refused(&stream(vec![("months", months.boxed())])), @r"
    column `months`: polars has no type for an interval of months (Interval(YearMonth))
      hint: cast it in the query: `cast(x as string)`
    ");
    let one = Int16Array::from([Some(1)]).boxed();
    // A schema of polars can't hold two, so the second name is changed in the stream.
    let mut bytes = stream(vec![("same", one.clone()), ("samf", one)]);
    let at = bytes.windows(4).position(|part| part == b"samf").unwrap();
    bytes[at + 3] = b'e';
    insta::assert_snapshot!(refused(&bytes), @r"
    two columns of the result have the same name
      hint: give them different names with AS, or `.alias(..)`; or select only one of them
    ");
}

#[test]
fn an_answer_without_rows_has_columns() {
    let bytes = stream(vec![("a", Int8Array::from([None; 0]).boxed())]);
    let mut assembly = Assembly::default();
    assert_eq!(assembly.add(&bytes).unwrap(), 0);
    let frame = assembly.take_frame().unwrap();
    assert_eq!((frame.height(), frame.width()), (0, 1));
    // And without an answer, there is an empty frame.
    assert_eq!(Assembly::default().take_frame().unwrap().shape(), (0, 0));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _ = Assembly::default().add(&bytes);
    }

    #[test]
    fn no_damage_makes_it_panic(at in 0_usize..2_000, byte: u8, cut in 0_usize..2_000) {
        let frame = df!["a" => [1, 2, 3], "b" => ["x", "y", "z"]].unwrap();
        let mut bytes = encode(&frame).unwrap().bytes;
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % 8);
        let mut assembly = Assembly::default();
        if assembly.add(&bytes).is_ok() {
            let _ = assembly.take_frame();
        }
    }

    #[test]
    fn any_values_come_back(
        rows in proptest::collection::vec(
            (any::<Option<i64>>(), any::<Option<String>>(), any::<Option<f64>>(), any::<Option<u32>>()),
            0..50,
        ),
    ) {
        let frame = df![
            "a" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
            "b" => rows.iter().map(|row| row.1.clone()).collect::<Vec<_>>(),
            "c" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
        ].unwrap();
        let (back, _) = there_and_back(&frame);
        prop_assert!(back.equals_missing(&frame));
        let narrow = df!["d" => rows.iter().map(|row| row.3).collect::<Vec<_>>()].unwrap();
        let (wide, _) = there_and_back(&narrow);
        let expected: Vec<Option<i64>> = rows.iter().map(|row| row.3.map(i64::from)).collect();
        let found: Vec<Option<i64>> = wide.column("d").unwrap().i64().unwrap().iter().collect();
        prop_assert_eq!(found, expected);
    }
}
