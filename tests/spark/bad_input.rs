//! What goes wrong outside of a query: ports, sizes, settings that nobody should change.

use std::net::TcpListener;

use evenhand::ErrorKind;
use evenhand::polars::df;
use evenhand::spark::Session;

use super::engines::{Engine, client_python, on_each_engine, refused_port, spark_python};

on_each_engine!(
    a_frame_that_is_too_large_to_send_is_refused_here,
    batches_that_somebody_has_compressed_end_with_an_error,
    statements_have_async_twins,
);

fn a_frame_that_is_too_large_to_send_is_refused_here(engine: &Engine) {
    let spark = engine.session();
    let large = df!["text" => vec!["x".repeat(1_000_000); 80]].unwrap();
    let error = spark.create_data_frame(&large).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument, "{error:?}");
    assert!(error.hint().unwrap().contains("spark.read()"), "{error}");
    assert_eq!(spark.range(0, 3).count().unwrap(), 3);
}

fn batches_that_somebody_has_compressed_end_with_an_error(engine: &Engine) {
    let spark = engine.session();
    let codec = "spark.sql.execution.arrow.compression.codec";
    spark.conf().set(codec, "zstd").unwrap();
    // Sail does not heed it.
    match spark.range(0, 100_000).to_polars() {
        Ok(rows) => assert!(engine.is_sail() && rows.height() == 100_000),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Response, "{error:?}");
            assert!(error.to_string().contains("compress"), "{error}");
        }
    }
    spark.conf().set(codec, "none").unwrap();
    assert_eq!(
        spark.range(0, 100_000).to_polars().unwrap().height(),
        100_000
    );
}

fn statements_have_async_twins(engine: &Engine) {
    let spark = engine.session();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let frame = spark.sql_async("select 1 as n").await.unwrap();
        frame
            .create_or_replace_temp_view_async("one")
            .await
            .unwrap();
        let columns = spark.table("one").columns_async().await.unwrap();
        assert_eq!(columns, ["n"]);
        let taken = tokio::spawn(frame.create_temp_view_async("one")).await;
        assert!(taken.unwrap().is_err());
        let conf = spark.conf();
        conf.set_async("spark.sql.session.timeZone", "UTC")
            .await
            .unwrap();
        let zone = conf.get_async("spark.sql.session.timeZone").await.unwrap();
        assert_eq!(zone.as_deref(), Some("UTC"));
        assert!(spark.interrupt_all_async().await.is_ok());
        spark.stop_async().await.unwrap();
    });
}

#[test]
fn an_engine_whose_port_is_taken_says_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (Some(sail), Some(spark)) = (client_python(), spark_python()) else {
        return;
    };
    for said in refused_port(&sail, &spark, port) {
        assert!(
            said.contains(&port.to_string()) || said.contains("in use"),
            "{said}"
        );
    }
}

#[test]
fn a_server_with_a_token_lets_nobody_in_without_it() {
    let Some(spark) = super::engines::spark() else {
        return;
    };
    for parameters in ["", "/;token=guessed"] {
        let remote = format!("sc://localhost:{}{parameters}", spark.port());
        let error = Session::builder().remote(remote).create().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication, "{error:?}");
        assert!(error.hint().unwrap().contains("token"), "{error}");
    }
}
