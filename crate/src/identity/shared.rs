//! The tokens of the process. Clients with the same identity and resource share them, also when a
//! cell creates its client again.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Chain, Notify, TokenCache};
use crate::error::Result;
use crate::settings::IdentitySettings;

/// How many sign-ins are kept although nobody uses them.
const MAX_COUNT: usize = 64;

/// The identity, the resource and the tokens.
type SignedIn = (IdentitySettings, String, Arc<TokenCache<Chain>>);

static SIGNED_IN: Mutex<Vec<SignedIn>> = Mutex::new(Vec::new());

/// The tokens of this identity for a resource such as `https://ai.azure.com`.
///
/// # Errors
/// A setting is malformed, or a part of a service principal is missing; the message names it.
pub(crate) fn tokens(
    settings: &IdentitySettings,
    resource: &str,
    notify: Notify,
) -> Result<Arc<TokenCache<Chain>>> {
    let mut all = SIGNED_IN.lock().unwrap_or_else(PoisonError::into_inner);
    let same = |known: &&SignedIn| known.0 == *settings && known.1 == resource;
    if let Some((_, _, tokens)) = all.iter().find(same) {
        tokens.start_anew();
        return Ok(Arc::clone(tokens));
    }
    if all.len() >= MAX_COUNT {
        // Those that no client uses any more.
        all.retain(|(_, _, tokens)| Arc::strong_count(tokens) > 1);
    }
    let chain = Chain::new(settings, resource, notify)?;
    let tokens = Arc::new(TokenCache::new(chain, notify));
    all.push((settings.clone(), resource.to_owned(), Arc::clone(&tokens)));
    Ok(tokens)
}
