//! Signing in with Microsoft Entra, in the order of Azure's own tools: the first credential that
//! works provides the tokens, and each token is renewed before it expires.
//!
//! - `chain` tries the credentials `client_secret`, `managed_identity`, `azure_cli` and
//!   `device_code` in this order.
//! - `token_cache` keeps one token for all requests and renews it once for all of them;
//!   `access_token` decides when.
//! - `token_service` sends token requests, `token_endpoint` reads the responses, `authority` checks
//!   the address of the identity provider.
//! - `workspace_application` signs in at a Databricks workspace, which issues tokens itself.
//! - `shared` keeps the tokens of the process, so that a new client does not sign in again.

mod access_token;
mod authority;
mod azure_cli;
mod chain;
mod client_secret;
mod device_code;
mod error_mapping;
mod managed_identity;
mod shared;
mod token_cache;
mod token_endpoint;
mod token_service;
mod workspace_application;

pub(crate) use access_token::AccessToken;
pub(crate) use chain::{Chain, NO_CREDENTIAL};
pub(crate) use shared::tokens;
pub(crate) use token_cache::{HeldToken, TokenCache};
pub(crate) use workspace_application::WorkspaceApplication;

/// Shows a message to the user while work is in progress.
pub(crate) type Notify = fn(&str);
