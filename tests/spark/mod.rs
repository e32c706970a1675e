//! Sessions and data frames on the local engine, the real one, as the launcher starts it; and what
//! Apache Spark's own client makes of the same tables.

mod cuts;
mod frames;
mod proxy;
mod sail;
mod types;
