//! Accounts that were deleted, and that keep their names for 48 hours unless they are purged.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;

use super::arm::is_missing;
use super::{Azure, COGNITIVE, PROVIDER, names};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;
use crate::text::sanitize_line;

const TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// An account that was deleted and not purged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedAccount {
    /// Its name.
    pub name: String,
    /// The region that it was in.
    pub region: String,
    /// The resource group that it was in.
    pub resource_group: String,
    /// When it was deleted, as Azure writes it.
    pub deletion_date: String,
    /// When Azure removes it by itself, as Azure writes it.
    pub scheduled_purge_date: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeletedAccountResponse {
    id: Option<String>,
    properties: Option<Properties>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Properties {
    deletion_date: Option<String>,
    scheduled_purge_date: Option<String>,
}

impl DeletedAccountResponse {
    fn into_account(self) -> Option<DeletedAccount> {
        let id = self.id?;
        // `/../locations/REGION/resourceGroups/GROUP/deletedAccounts/NAME`
        let part = |name: &str| {
            let mut parts = id
                .split('/')
                .skip_while(|part| !part.eq_ignore_ascii_case(name));
            parts.nth(1).map(|part| sanitize_line(part, 90))
        };
        let properties = self.properties.unwrap_or_default();
        let shown = |text: Option<String>| sanitize_line(&text.unwrap_or_default(), 60);
        Some(DeletedAccount {
            name: part("deletedAccounts")?,
            region: part("locations")?,
            resource_group: part("resourceGroups")?,
            deletion_date: shown(properties.deletion_date),
            scheduled_purge_date: shown(properties.scheduled_purge_date),
        })
    }
}

impl Azure {
    /// The accounts of Azure OpenAI (and of other AI services) in the subscription that were deleted and
    /// not purged.
    ///
    /// # Errors
    /// Azure refuses or can't be reached.
    pub fn deleted_accounts(&self) -> Result<Vec<DeletedAccount>> {
        runtime::wait(self.deleted_accounts_async())
    }

    /// Async version of [`deleted_accounts`](Self::deleted_accounts).
    ///
    /// # Errors
    /// As [`deleted_accounts`](Self::deleted_accounts).
    pub fn deleted_accounts_async(
        &self,
    ) -> impl Future<Output = Result<Vec<DeletedAccount>>> + Send + 'static {
        let azure = self.clone();
        runtime::run(async move { azure.all_deleted().await })
    }

    pub(super) async fn all_deleted(&self) -> Result<Vec<DeletedAccount>> {
        let path = ["providers", PROVIDER, "deletedAccounts"];
        let call = self.call(Method::GET, &path, COGNITIVE, "list the deleted accounts");
        let answers: Vec<DeletedAccountResponse> = self.arm().list(&call, self.polling()).await?;
        Ok(answers
            .into_iter()
            .filter_map(DeletedAccountResponse::into_account)
            .collect())
    }

    /// Removes a deleted account for good, so that its name can be used again. It can't be restored then.
    ///
    /// # Errors
    /// There is no such deleted account in the resource group; or the user lacks the right to purge, which
    /// is one of the subscription, not of the resource group.
    pub fn purge_deleted_account(&self, name: &str) -> Result<()> {
        runtime::wait(self.purge_deleted_account_async(name))
    }

    /// Async version of [`purge_deleted_account`](Self::purge_deleted_account).
    ///
    /// # Errors
    /// As [`purge_deleted_account`](Self::purge_deleted_account).
    pub fn purge_deleted_account_async(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<()>> + Send + 'static {
        let (azure, name) = (self.clone(), name.to_owned());
        runtime::run(async move { azure.purge_here(&name).await })
    }

    async fn purge_here(&self, name: &str) -> Result<()> {
        names::ACCOUNT.check(name)?;
        let group = self.resource_group();
        let deleted = self.all_deleted().await?;
        let is_it = |one: &DeletedAccount| {
            one.name.eq_ignore_ascii_case(name) && one.resource_group.eq_ignore_ascii_case(group)
        };
        // Its own region, which need not be that of the resource group.
        let Some(it) = deleted.into_iter().find(is_it) else {
            let message =
                format!("there is no deleted account {name} of the resource group {group}");
            return Err(Error::new(ErrorKind::NotFound, message)
                .with_hint("`azure.deleted_accounts()` lists them, with their resource groups"));
        };
        let path = [
            "providers",
            PROVIDER,
            "locations",
            &it.region,
            "resourceGroups",
            &it.resource_group,
            "deletedAccounts",
            &it.name,
        ];
        let what = format!("the deleted account {name}");
        let call = self.call(Method::DELETE, &path, COGNITIVE, &format!("purge {what}"));
        match self.arm().change(&call, &what, TIMEOUT, self.polling()).await {
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) if error.status() == Some(403) => Err(error.with_hint(
                "purging is a right of the subscription: the role Cognitive Services Contributor on it; \
                 otherwise the name is free after 48 hours",
            )),
            purged => purged.map(drop),
        }
    }
}
