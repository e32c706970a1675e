//! What requests cost: an estimate instead of sending them, or a budget that ends the work.

use std::io::Read;
use std::sync::Arc;

use evenhand::batch::Requests;
use evenhand::{Batch, Client, Price};

use super::input::{self, Names};
use crate::error::{Context, Result};
use crate::terminal::{err, out};

/// The price of the tokens, and what is done with it.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Money {
    /// The price of a million tokens of prompts and of a million tokens of answers, such as 0.15,0.60
    #[arg(long, value_name = "IN,OUT", value_parser = price)]
    price: Option<Price>,
    /// Stop before the answers cost more than this, in the currency of the price
    #[arg(long, value_name = "AMOUNT", requires = "price", value_parser = amount)]
    budget: Option<f64>,
    /// Send nothing, and print what the requests would cost, as JSON
    #[arg(long, requires = "price", conflicts_with = "budget")]
    estimate: bool,
}

fn price(text: &str) -> Result<Price, String> {
    let numbers = text.split_once(',').and_then(|(input, output)| {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        Some((number(input)?, number(output)?))
    });
    let is_price = |price: &f64| price.is_finite() && *price >= 0.0;
    match numbers.filter(|(input, output)| is_price(input) && is_price(output)) {
        Some((input, output)) => Ok(Price::per_million().input(input).output(output)),
        None => Err("expected two prices, such as 0.15,0.60".to_owned()),
    }
}

fn amount(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(amount) if amount.is_finite() && amount > 0.0 => Ok(amount),
        _ => Err("expected an amount above 0, such as 5 or 0.50".to_owned()),
    }
}

impl Money {
    pub(super) fn apply(&self, batch: Batch<Requests>) -> Batch<Requests> {
        match self.budget.zip(self.price) {
            Some((amount, price)) => batch.budget(amount, price),
            None => batch,
        }
    }

    /// The price, if an estimate is wanted.
    pub(super) fn estimated_at(&self) -> Option<Price> {
        self.price.filter(|_| self.estimate)
    }
}

/// Prints what the requests would cost: as JSON, and in words unless `quiet`.
pub(super) fn estimate(
    client: &Client,
    apply: impl FnOnce(Batch<Requests>) -> Batch<Requests>,
    input: impl Read + Send + 'static,
    system: Option<String>,
    price: Price,
    quiet: bool,
) -> Result<()> {
    let requests = input::requests(input, system, Arc::default(), Names::default());
    let estimate = apply(client.batch_requests(requests)).estimate(price)?;
    let json = serde_json::to_string(&estimate);
    out!(
        "{}",
        json.with_context(|| "could not write the estimate".to_owned())?
    );
    if !quiet {
        err!("{estimate}");
    }
    Ok(())
}
