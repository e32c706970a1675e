//! Whose the launcher's folder is, and what of a reader's is for others: nothing.

mod canary;
mod place;
mod tools;
