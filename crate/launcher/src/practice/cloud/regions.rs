//! The regions, and what is said of others.

use serde_json::{Value, json};

use super::{CloudResponse, SUBSCRIPTION, arm_error};

const REGIONS: [&str; 55] = [
    "australiacentral",
    "australiacentral2",
    "australiaeast",
    "australiasoutheast",
    "austriaeast",
    "brazilsouth",
    "brazilsoutheast",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "chilecentral",
    "eastasia",
    "eastus",
    "eastus2",
    "francecentral",
    "francesouth",
    "germanynorth",
    "germanywestcentral",
    "indonesiacentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "jioindiacentral",
    "jioindiawest",
    "koreacentral",
    "koreasouth",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northcentralus",
    "northeurope",
    "norwayeast",
    "norwaywest",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southafricawest",
    "southcentralus",
    "southeastasia",
    "southindia",
    "spaincentral",
    "swedencentral",
    "switzerlandnorth",
    "switzerlandwest",
    "uaecentral",
    "uaenorth",
    "uksouth",
    "ukwest",
    "westcentralus",
    "westeurope",
    "westus",
    "westus2",
    "westus3",
];

/// The regions of the subscription.
pub(super) fn listed() -> Vec<Value> {
    let told = REGIONS.iter().map(|name| {
        json!({"id": format!("/subscriptions/{SUBSCRIPTION}/locations/{name}"), "name": name,
            "displayName": name, "metadata": {"regionType": "Physical"}})
    });
    told.collect()
}

/// # Errors
/// Azure has no such region; what is asked there is a list of this type.
pub(super) fn asked(region: &str, kind: &str) -> Result<(), CloudResponse> {
    refuse_unknown(region, || {
        let words = format!(
            "No registered resource provider found for location '{region}' for type '{kind}'."
        );
        arm_error(400, "NoRegisteredProviderFound", &words)
    })
}

/// # Errors
/// Azure has no such region; what would be made there is of this type.
pub(super) fn made_in(region: &str, kind: &str) -> Result<(), CloudResponse> {
    refuse_unknown(region, || {
        let regions = REGIONS.join(",");
        let (code, what) = match kind {
            "Microsoft.Resources/resourceGroups" => (
                "LocationNotAvailableForResourceGroup",
                "resource group".to_owned(),
            ),
            kind => (
                "LocationNotAvailableForResourceType",
                format!("resource type '{kind}'"),
            ),
        };
        let words = format!(
            "The provided location '{region}' is not available for {what}. List of available regions is \
             '{regions}'."
        );
        arm_error(400, code, &words)
    })
}

/// Whether two texts mean one region: `Sweden Central` and `swedencentral` do.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    named(one) == named(other)
}

fn named(region: &str) -> String {
    region.replace(' ', "").to_ascii_lowercase()
}

fn refuse_unknown(
    region: &str,
    refusal: impl FnOnce() -> CloudResponse,
) -> Result<(), CloudResponse> {
    match REGIONS.contains(&named(region).as_str()) {
        true => Ok(()),
        false => Err(refusal()),
    }
}
