//! Signing in with Microsoft Entra, as the tools of Azure do it: one way after the other until
//! one gives a token, and a new token before the old one ends.
//!
//! - `chain`: which ways there are, in which order; `client_secret`, `managed_identity`,
//!   `azure_cli` and `device_code` are the ways.
//! - `token_cache`: one token for all requests, renewed by one of them; `access_token` says when.
//! - `token_service`: how a server that gives tokens is asked; `token_endpoint`: what it answers,
//!   and what its refusals mean; `authority`: whose server it is.
//! - `shared`: who has signed in once is signed in for all clients of the process.

mod access_token;
mod authority;
mod azure_cli;
mod chain;
mod client_secret;
mod device_code;
mod failure;
mod managed_identity;
mod shared;
mod token_cache;
mod token_endpoint;
mod token_service;

pub(crate) use access_token::AccessToken;
pub(crate) use chain::Chain;
pub(crate) use shared::tokens;
pub(crate) use token_cache::TokenCache;

/// Tells the user something while the work goes on.
pub(crate) type Tell = fn(&str);
