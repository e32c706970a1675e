//! The budget of a batch: money is set aside before a request is sent, and what is not needed comes
//! back with the answer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::rate_limit::{Cost, Expected, RateLimiter};
use super::totals::{Price, Totals};
use super::{Batch, Prompts};
use crate::error::{Error, ErrorKind, Result};
use crate::openai::{ChatRequest, Usage};

/// How much a batch may cost, and the price of its tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Budget {
    pub(crate) amount: f64,
    pub(crate) price: Price,
}

impl Budget {
    /// The amount and the prices of one token.
    ///
    /// # Errors
    /// No amount, or no price.
    fn limit(self) -> Result<(f64, [f64; 2])> {
        let per_token = self.price.per_token()?;
        if self.amount.is_finite() && self.amount > 0.0 {
            return Ok((self.amount, per_token));
        }
        let message = format!("a budget of {} pays for nothing", self.amount);
        Err(Error::new(ErrorKind::Argument, message).with_hint(
            "give the amount in the currency of the price, such as `.budget(5.0, price)`",
        ))
    }
}

impl<A: Clone> Batch<A> {
    /// Ends the batch before it costs more than this amount, in the currency of the price. As with a
    /// deadline, the batch returns the answers it has; the remaining rows have an error of the kind
    /// [`Cancelled`](crate::ErrorKind::Cancelled). Answers from the journal cost nothing.
    ///
    /// A request is sent only if its longest possible answer can be paid for, so each request needs
    /// a limit, such as [`max_tokens`](Self::max_tokens). The tokens of a prompt are estimated, as
    /// the quota's are, until the service has counted them. An answer without a reported usage, and
    /// a request whose connection broke, count with their highest possible cost.
    ///
    /// ```
    /// # use evenhand::prelude::*;
    /// # let client = Client::builder()
    /// #     .endpoint("https://contoso.openai.azure.com").api_key("key").build()?;
    /// let price = Price::per_million().input(0.15).output(0.60);
    /// let batch = client.batch(["Describe a nurse."]).max_tokens(100).budget(5.0, price);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Default
    /// No budget.
    pub fn budget(&self, amount: f64, price: Price) -> Self {
        self.set(|options| options.budget = Some(Budget { amount, price }))
    }
}

impl Batch<Prompts> {
    /// This batch, with what an earlier one cost taken off its budget.
    ///
    /// # Errors
    /// The budget has an invalid price.
    pub(crate) fn after_spending(&self, totals: &Totals) -> Result<Self> {
        let Some(Budget { amount, price }) = self.options.budget else {
            return Ok(self.clone());
        };
        // A batch without any money left still has its answers from the journal.
        let left = (amount - totals.cost(price)?).max(f64::MIN_POSITIVE);
        Ok(self.budget(left, price))
    }
}

/// Keeps to the budget while a batch runs.
#[derive(Debug)]
pub(crate) struct Spending {
    /// The amount and the prices of one token, if there is a budget.
    limit: Option<(f64, [f64; 2])>,
    spent: Mutex<Spent>,
    /// Notified when money comes back.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Spent {
    paid: f64,
    /// Set aside for requests in flight.
    reserved: f64,
    /// A request could not be paid for, so the batch ends.
    is_over: bool,
}

/// A budget that the next request might exceed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct UsedUp {
    pub(super) amount: f64,
    pub(super) paid: f64,
}

/// Whether a request may be sent.
pub(crate) enum Decision<'a> {
    Go(Reserved<'a>),
    /// The money is used up: the batch ends.
    Over,
}

impl Spending {
    /// # Errors
    /// No amount, or no price.
    pub(crate) fn new(budget: Option<Budget>) -> Result<Self> {
        let limit = budget.map(Budget::limit);
        Ok(Self {
            limit: limit.transpose()?,
            spent: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Sets the highest cost of a request aside, as soon as there is enough money left. Waits while
    /// requests in flight may still return some.
    ///
    /// # Errors
    /// The request alone may cost more than the whole budget, or has no highest cost.
    pub(crate) async fn reserve(
        &self,
        rate_limiter: &RateLimiter,
        request: &ChatRequest,
    ) -> Result<Decision<'_>> {
        match self.limit {
            Some((amount, _)) => {
                let expected = rate_limiter.expected(Cost::from(request));
                self.reserve_of(amount, expected).await
            }
            None => Ok(Decision::Go(self.reserved(0.0))),
        }
    }

    async fn reserve_of(&self, amount: f64, expected: Expected) -> Result<Decision<'_>> {
        let Some(answers) = expected.longest_answers else {
            return Err(unlimited());
        };
        let most = self.cost(expected.prompt, answers);
        if most > amount {
            return Err(too_large(most, amount));
        }
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // From here on, no change is missed.
            changed.as_mut().enable();
            {
                let mut spent = self.spent();
                if spent.is_over {
                    return Ok(Decision::Over);
                }
                if spent.paid + spent.reserved + most <= amount {
                    spent.reserved += most;
                    return Ok(Decision::Go(self.reserved(most)));
                }
                if spent.reserved <= 0.0 {
                    spent.is_over = true;
                    self.changed.notify_waiters();
                    return Ok(Decision::Over);
                }
            }
            changed.await;
        }
    }

    /// How much was paid, if a request could not be paid for.
    pub(crate) fn used_up(&self) -> Option<UsedUp> {
        let (amount, _) = self.limit?;
        let spent = self.spent();
        let paid = spent.paid;
        spent.is_over.then_some(UsedUp { amount, paid })
    }

    fn reserved(&self, most: f64) -> Reserved<'_> {
        Reserved {
            spending: self,
            most,
        }
    }

    /// The cost of these tokens; 0 without a budget.
    fn cost(&self, prompt: u64, answers: u64) -> f64 {
        let (_, [input, output]) = self.limit.unwrap_or_default();
        prompt as f64 * input + answers as f64 * output
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The money that is set aside for a request. Dropped, it comes back.
#[derive(Debug)]
#[must_use = "what the request cost must be reported"]
pub(crate) struct Reserved<'a> {
    spending: &'a Spending,
    most: f64,
}

impl Reserved<'_> {
    /// The request was answered, or refused, or nobody knows.
    pub(crate) fn settle(self, usage: Option<Usage>, error: Option<&Error>) {
        let cost = match (usage, error) {
            (Some(usage), _) => self
                .spending
                .cost(usage.prompt_tokens, usage.completion_tokens),
            (None, Some(error)) if is_free(error) => 0.0,
            (None, _) => self.most,
        };
        self.spending.spent().paid += cost;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        {
            let mut spent = self.spending.spent();
            spent.reserved -= self.most;
            // Sums of floats leave remainders.
            if spent.reserved < 1e-12 {
                spent.reserved = 0.0;
            }
        }
        self.spending.changed.notify_waiters();
    }
}

/// Whether the service has refused the request, so that it generated nothing.
fn is_free(error: &Error) -> bool {
    error.status().is_some()
        || !matches!(
            error.kind(),
            ErrorKind::Timeout
                | ErrorKind::Connection
                | ErrorKind::Response
                | ErrorKind::TokenLimit
        )
}

/// The error of a batch whose answers have no longest length.
pub(crate) fn unlimited() -> Error {
    Error::new(
        ErrorKind::Argument,
        "a request without `max_tokens` has no maximum cost, so no budget can cover it",
    )
    .with_hint("limit the answers: `.max_tokens(100)`")
}

fn too_large(most: f64, amount: f64) -> Error {
    let (most, amount) = (money(most), money(amount));
    let message =
        format!("the request may cost {most}, which is more than the whole budget of {amount}");
    Error::new(ErrorKind::Argument, message)
        .with_hint("raise the budget, lower `max_tokens`, or shorten the prompt")
}

/// An amount with two significant digits, at least two decimals: `12.00`, `0.05`, `0.00012`.
pub(crate) fn money(amount: f64) -> String {
    if !amount.is_finite() || amount >= 0.1 || amount <= 0.0 {
        return format!("{amount:.2}");
    }
    let decimals = (1.0 - amount.log10().floor()).clamp(2.0, 12.0) as usize;
    format!("{amount:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spending(amount: f64) -> Spending {
        let price = Price::per_million().input(1e6).output(1e6);
        Spending::new(Some(Budget { amount, price })).unwrap()
    }

    fn limit(spending: &Spending) -> f64 {
        spending.limit.unwrap().0
    }

    fn expected(prompt: u64, answers: u64) -> Expected {
        Expected {
            prompt,
            longest_answers: Some(answers),
            charged: prompt + answers,
        }
    }

    fn usage(prompt_tokens: u64, completion_tokens: u64) -> Usage {
        Usage {
            prompt_tokens,
            completion_tokens,
            ..Usage::default()
        }
    }

    async fn go(spending: &Spending, prompt: u64, answers: u64) -> Option<Reserved<'_>> {
        match spending
            .reserve_of(limit(spending), expected(prompt, answers))
            .await
            .unwrap()
        {
            Decision::Go(reserved) => Some(reserved),
            Decision::Over => None,
        }
    }

    #[tokio::test]
    async fn money_that_an_answer_does_not_need_pays_for_the_next() {
        let spending = spending(30.0);
        let first = go(&spending, 5, 10).await.unwrap();
        let second = go(&spending, 5, 10).await.unwrap();
        let (third, ()) = tokio::join!(go(&spending, 5, 10), async {
            first.settle(Some(usage(5, 1)), None);
            second.settle(Some(usage(5, 2)), None);
        });
        third.unwrap().settle(Some(usage(5, 10)), None);
        assert!(spending.used_up().is_none());
        assert!(go(&spending, 5, 10).await.is_none());
        let paid = UsedUp {
            amount: 30.0,
            paid: 28.0,
        };
        assert_eq!(spending.used_up(), Some(paid));
    }

    #[tokio::test]
    async fn rejections_are_free_and_unknown_ends_are_not() {
        let spending = spending(100.0);
        let paid = |spending: &Spending| spending.spent().paid;
        let refused = Error::new(ErrorKind::Argument, "x");
        go(&spending, 5, 10)
            .await
            .unwrap()
            .settle(None, Some(&refused));
        drop(go(&spending, 5, 10).await);
        assert_eq!(paid(&spending), 0.0);
        let broken = Error::new(ErrorKind::Connection, "x");
        go(&spending, 5, 10)
            .await
            .unwrap()
            .settle(None, Some(&broken));
        assert_eq!(paid(&spending), 15.0);
        go(&spending, 5, 10).await.unwrap().settle(None, None);
        assert_eq!((paid(&spending), spending.spent().reserved), (30.0, 0.0));
    }

    #[tokio::test]
    async fn a_request_that_no_budget_can_pay_is_told() {
        let error = spending(10.0)
            .reserve_of(10.0, expected(5, 10))
            .await
            .err()
            .unwrap();
        insta::assert_snapshot!(error, @"
        the request may cost 15.00, which is more than the whole budget of 10.00
          hint: raise the budget, lower `max_tokens`, or shorten the prompt
        ");
        for amount in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let price = Price::per_million().input(1.0).output(1.0);
            let error = Spending::new(Some(Budget { amount, price })).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Argument);
        }
    }

    #[test]
    fn amounts_keep_two_digits() {
        let amounts = [0.0, 0.000_123_4, 0.05, 0.5, 12.0, 1234.567].map(money);
        assert_eq!(
            amounts,
            ["0.00", "0.00012", "0.050", "0.50", "12.00", "1234.57"]
        );
    }
}
