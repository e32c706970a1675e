//! The ownership of the launcher's folder, and the privacy of the user's data.

mod canary;
mod others;
mod place;
mod search;
mod tools;
