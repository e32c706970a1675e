//! What a cluster costs by the hour, by Azure's public list of prices, which needs no sign-in.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::http::proxy::Destination;
use crate::http::redact::Redactor;
use crate::http::transport::{self, Limits, RequestRoute};
use crate::loopback_host::is_loopback;

/// Azure Retail Prices (learn.microsoft.com/rest/api/cost-management/retail-prices). The list of China is
/// another one.
const ADDRESS: &str = "https://prices.azure.com/api/retail/prices";

/// Where prices are told otherwise.
const HINT: &str = "see https://azure.microsoft.com/pricing/calculator/";

/// How long each of the two requests may take: a price is worth no longer wait.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The meter of a cluster that people work on in a workspace of the lab.
const METER: &str = "Premium All-purpose Compute DBU";

/// For how many Databricks units machines are charged per hour, without Photon
/// (azure.microsoft.com/pricing/details/databricks): that of the lab. No service tells that.
const UNITS: [(&str, f64); 1] = [("Standard_D4ds_v5", 1.0)];

/// What a cluster of one machine is charged per hour while it runs, in US dollars and without taxes. Each
/// further machine is charged the same.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct HourlyPrice {
    /// The machine with Linux, as it is used.
    pub machine: f64,
    /// A Databricks unit (DBU) of a premium workspace.
    pub databricks_unit: f64,
    /// How many of these units the machine is charged for, where that is known.
    pub databricks_units: Option<f64>,
}

impl HourlyPrice {
    /// The sum, if it is known.
    pub fn total(&self) -> Option<f64> {
        self.databricks_units
            .map(|units| self.machine + units * self.databricks_unit)
    }
}

impl fmt::Display for HourlyPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (machine, unit) = (self.machine, self.databricks_unit);
        match self.total() {
            Some(total) => write!(
                f,
                "about {total:.2} USD per hour ({machine:.2} for its machine, {:.2} for Databricks units)",
                total - machine
            ),
            None => write!(
                f,
                "about {machine:.2} USD per hour for its machine, and {unit:.2} USD for each Databricks unit"
            ),
        }
    }
}

/// The prices of a region.
#[derive(Clone, Debug)]
pub(crate) struct PriceList {
    address: Url,
    region: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Listed {
    items: Vec<Item>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Item {
    retail_price: f64,
    currency_code: String,
    unit_of_measure: String,
    product_name: String,
    sku_name: String,
    r#type: String,
}

impl Item {
    fn is_hourly(&self) -> bool {
        let is_charged = self.retail_price.is_finite() && self.retail_price > 0.0;
        is_charged
            && self.r#type == "Consumption"
            && self.unit_of_measure == "1 Hour"
            && self.currency_code == "USD"
    }

    /// A machine with Linux that nobody may take away. The same machine is also sold with Windows and to
    /// 'Cloud Services'.
    fn is_machine(&self) -> bool {
        let product = &self.product_name;
        let is_plain = product.starts_with("Virtual Machines") && !product.contains("Windows");
        let is_kept = ["Spot", "Low Priority"]
            .iter()
            .all(|kind| !self.sku_name.contains(kind));
        is_plain && is_kept
    }
}

impl PriceList {
    /// Azure's list for this region.
    pub(crate) fn of_azure(region: &str) -> Option<Self> {
        let address = Url::parse(ADDRESS).ok()?;
        let region = region.to_owned();
        Some(Self { address, region })
    }

    /// What a cluster of one machine of this kind costs.
    ///
    /// # Errors
    /// The list can't be reached in ten seconds, or has no such machine in the region.
    pub(crate) async fn of_machine(&self, machine: &str) -> Result<HourlyPrice> {
        let region = &self.region;
        let machine_text = machine.replace('\'', "''");
        let of_machine =
            format!("serviceName eq 'Virtual Machines' and armSkuName eq '{machine_text}'");
        let of_unit = format!("serviceName eq 'Azure Databricks' and meterName eq '{METER}'");
        let host = self.address.host_str().unwrap_or_default();
        let destination = Destination {
            is_loopback: is_loopback(host),
            is_plain_http: self.address.scheme() == "http",
        };
        let limits = Limits::with_timeouts(TIMEOUT, TIMEOUT);
        let http = transport::client(destination, &limits)?;
        let route = RequestRoute {
            host,
            limits: &limits.on_the_way_to(host, destination),
            redactor: &Redactor::new([]),
        };
        let machines = self.items(&http, route, &of_machine).await?;
        let units = self.items(&http, route, &of_unit).await?;
        let machines = machines.iter().filter(|item| item.is_machine());
        let unlisted = |what: &str| {
            let message = format!("Azure's list of prices has no {what} in {region}");
            Error::new(ErrorKind::NotFound, message).with_hint(HINT)
        };
        Ok(HourlyPrice {
            machine: least(machines).ok_or_else(|| unlisted(machine))?,
            databricks_unit: least(units.iter()).ok_or_else(|| unlisted("Databricks unit"))?,
            databricks_units: units_of_machine(machine),
        })
    }

    /// What is charged by the hour, of what the filter means in this region.
    async fn items(
        &self,
        http: &reqwest::Client,
        route: RequestRoute<'_>,
        filter: &str,
    ) -> Result<Vec<Item>> {
        let mut url = self.address.clone();
        let filter = format!(
            "{filter} and armRegionName eq '{}' and priceType eq 'Consumption'",
            self.region
        );
        url.query_pairs_mut().append_pair("$filter", &filter);
        let request = http.get(url).header("accept", "application/json");
        let opened = transport::open(request, route).await;
        let response = opened.map_err(|(error, _)| error)?.read_body().await;
        let body = response.body.map_err(|(error, _)| error)?;
        let unexpected = || {
            let message = format!(
                "{} did not tell its prices: status {}",
                route.host, response.status
            );
            Error::new(ErrorKind::Response, message).with_hint(HINT)
        };
        if response.status != 200 {
            return Err(unexpected());
        }
        let listed: Listed =
            serde_json::from_slice(&body).map_err(|error| unexpected().with_source(error))?;
        let hourly = listed.items.into_iter().filter(Item::is_hourly);
        Ok(hourly.collect())
    }
}

fn units_of_machine(machine: &str) -> Option<f64> {
    let known = UNITS.iter().find(|(name, _)| *name == machine);
    known.map(|(_, units)| *units)
}

fn least<'a>(items: impl Iterator<Item = &'a Item>) -> Option<f64> {
    items.map(|item| item.retail_price).min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::{Value, json};

    use super::*;
    use crate::loopback::{Loopback, Reply};
    use crate::runtime;

    /// An item as the service documents it.
    fn item(product: &str, sku: &str, price: f64) -> Value {
        json!({
            "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price, "unitPrice": price,
            "armRegionName": "swedencentral", "location": "SE Central",
            "effectiveStartDate": "2022-04-01T00:00:00Z", "meterName": sku, "productName": product,
            "skuName": sku, "serviceFamily": "Compute", "unitOfMeasure": "1 Hour",
            "type": "Consumption", "isPrimaryMeterRegion": true,
        })
    }

    fn listed(items: &[Value]) -> Reply {
        let body = json!({"BillingCurrency": "USD", "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail", "Items": items, "NextPageLink": null, "Count": items.len()});
        Reply::json(200, body)
    }

    fn price_of(
        machine: &str,
        reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Result<HourlyPrice> {
        let loopback = Loopback::serve(move |request| {
            assert!(request.header("authorization").is_empty());
            reply(&request.target)
        });
        let list = PriceList {
            address: Url::parse(&loopback.url()).unwrap(),
            region: "swedencentral".to_owned(),
        };
        let machine = machine.to_owned();
        runtime::wait(runtime::run(async move { list.of_machine(&machine).await }))
    }

    fn usual(target: &str) -> Reply {
        assert!(
            target.contains("armRegionName+eq+%27swedencentral%27"),
            "{target}"
        );
        if target.contains("Azure+Databricks") {
            return listed(&[item(
                "Azure Databricks",
                "Premium All-purpose Compute",
                0.55,
            )]);
        }
        let mut reserved = item("Virtual Machines Ddsv5 Series", "D4ds v5", 900.0);
        reserved["type"] = "Reservation".into();
        listed(&[
            reserved,
            item("Virtual Machines Ddsv5 Series Windows", "D4ds v5", 0.41),
            item("Virtual Machines Ddsv5 Series", "D4ds v5 Spot", 0.03),
            item("Ddsv5 Series Cloud Services", "D4ds v5", 0.1),
            item("Virtual Machines Ddsv5 Series", "D4ds v5", 0.242),
        ])
    }

    #[test]
    fn a_cluster_is_charged_for_its_machine_and_its_units() {
        let price = price_of("Standard_D4ds_v5", usual).unwrap();
        assert_snapshot!(price, @"about 0.79 USD per hour (0.24 for its machine, 0.55 for Databricks units)");
        let price = price_of("Standard_D8_v4", usual).unwrap();
        assert_eq!(price.total(), None);
        assert_snapshot!(price, @"about 0.24 USD per hour for its machine, and 0.55 USD for each Databricks unit");
    }

    #[test]
    fn a_list_without_the_machine_or_with_something_else_is_an_error() {
        let error = price_of("Standard_D4ds_v5", |_| listed(&[])).unwrap_err();
        assert_snapshot!(error, @"
        Azure's list of prices has no Standard_D4ds_v5 in swedencentral
          hint: see https://azure.microsoft.com/pricing/calculator/
        ");
        for (status, body) in [(503, "busy"), (200, "<html>")] {
            let error =
                price_of("x", move |_| Reply::new(status, "application/json", body)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Response, "{status} {body}");
        }
    }
}
