//! Batches against deployments that accept different parameters, or refuse requests.

mod allowance_room;
mod deployments;
mod first_row;
mod mixed_models;
mod one_row;
mod optional_fields;
mod rejections;
mod several_choices;
mod steering;
mod thinking;
mod too_large;
mod untried;
mod used_up;

use crate::Client;
use crate::loopback::Loopback;

/// A client that retries nothing but rejections.
fn client(loopback: &Loopback) -> Client {
    let builder = Client::builder().endpoint(loopback.url()).api_key("key");
    builder.deployment("class").max_retries(0).build().unwrap()
}
