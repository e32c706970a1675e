//! Apache Spark on this machine, as `SPARK_REMOTE=local[*]` wants it: installed and started by the
//! launcher, and ended with who asked for it.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use evenhand::spark::Session;

use crate::support::{evenhand, home, poll};

#[test]
fn a_local_master_starts_apache_spark_which_ends_with_its_parent() {
    let mut engine = evenhand()
        .args(["spark", "--for-parent", "--master", "local[2]"])
        .env("EVENHAND_HOME", home())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(engine.stdout.take().unwrap())
        .read_line(&mut address)
        .unwrap();
    let address = address.trim();
    let port = address.strip_prefix("sc://localhost:").expect(address);
    let (port, token) = port.split_once("/;token=").expect("a token");
    assert!(token.len() > 20);
    let port: u16 = port.parse().unwrap();
    let spark = Session::builder().remote(address).create().unwrap();
    let version = spark.sql("select version() as version").unwrap();
    let version = version.to_polars().unwrap();
    assert!(
        version
            .column("version")
            .unwrap()
            .str()
            .unwrap()
            .get(0)
            .unwrap()
            .starts_with("4.")
    );
    spark.range(0, 3).write().save_as_table("three").unwrap();
    assert_eq!(spark.table("three").count().unwrap(), 3);
    spark.stop().unwrap();
    // As the operating system does it when the kernel dies.
    drop(engine.stdin.take());
    engine.wait().unwrap();
    let gone = poll(Duration::from_secs(20), || {
        TcpStream::connect(("127.0.0.1", port))
            .is_err()
            .then_some(())
    });
    assert!(gone.is_some(), "the server goes on");
    assert!(!std::path::Path::new("spark-warehouse").exists());
}
