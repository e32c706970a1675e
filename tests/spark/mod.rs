//! Sessions and data frames on Sail and on Apache Spark, the real ones, as the launcher starts them;
//! and what Apache Spark's own client makes of the same tables.

mod bad_input;
mod cuts;
mod engines;
mod frames;
mod proxy;
mod tables;
mod types;
