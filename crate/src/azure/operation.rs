//! Changes that take a while: waits for them as Azure Resource Manager documents it. The header
//! `azure-asyncoperation` names a status to ask for, else `location` does, else the thing itself has a
//! `provisioningState`.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::arm::{Arm, ArmResponse, Call, is_missing};
use super::error_mapping::ArmError;
use crate::error::Result;
use crate::http::retry::asked_wait;
use crate::json::Json;
use crate::waiting::{PollOptions, Poller};

/// The status of an operation.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    status: Option<String>,
}

/// What is known of a thing that is being made.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Provisioned {
    properties: Option<Properties>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Properties {
    #[serde(rename = "provisioningState")]
    state: Option<String>,
}

/// What to ask for.
enum Watched {
    /// The body tells the status.
    Status(Url),
    /// The HTTP status tells it: 202 until it is done.
    Location(Url),
    /// The thing itself tells it.
    Resource,
    Done,
}

/// The status of an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OperationStatus {
    Pending,
    Succeeded,
    Failed,
}

fn operation_status(state: &str) -> OperationStatus {
    match state.to_ascii_lowercase().as_str() {
        "succeeded" => OperationStatus::Succeeded,
        "failed" | "canceled" | "cancelled" => OperationStatus::Failed,
        _ => OperationStatus::Pending,
    }
}

impl Arm {
    /// Makes a change and waits until it is done. The final state of what was changed; `{}` of what was
    /// deleted. `what` is made or changed, for the progress.
    ///
    /// # Errors
    /// Azure refuses, at once or later; it takes longer than `time_limit`; or the user stops waiting, while
    /// Azure goes on.
    pub(super) async fn change(
        &self,
        call: &Call,
        what: &str,
        time_limit: Duration,
        polling: &PollOptions,
    ) -> Result<Json> {
        let mut wait = polling.begin(what.to_owned(), time_limit);
        let answer = self.send(call, polling).await?;
        let mut asked = asked_wait(&answer.headers, SystemTime::now());
        let mut watched = self.watched(call, &answer)?;
        let mut last = answer.body;
        loop {
            let (url, is_status) = match watched {
                Watched::Done => break,
                Watched::Status(ref url) => (url.clone(), true),
                Watched::Location(ref url) => (url.clone(), false),
                Watched::Resource => {
                    wait.report(&state_of(&last).unwrap_or_else(|| "in progress".to_owned()));
                    wait.pause(asked).await?;
                    let done = self.settled(call, what, &mut wait, polling).await?;
                    wait.end("done");
                    return Ok(done);
                }
            };
            wait.report("in progress");
            wait.pause(asked).await?;
            let look = Call {
                method: Method::GET,
                url,
                body: None,
                doing: call.doing.clone(),
            };
            let answer = match self.send(&look, polling).await {
                // What has gone may take its status along.
                Err(error) if call.method == Method::DELETE && is_missing(&error) => break,
                answer => answer?,
            };
            asked = asked_wait(&answer.headers, SystemTime::now());
            // An operation may move on to another address.
            watched = self.moved(call, &answer.headers)?.unwrap_or(watched);
            let is_over = match is_status {
                true => self.is_over(&answer.body, call, &mut wait)?,
                false => answer.status != 202,
            };
            if is_over {
                last = match is_status && call.method == Method::PUT {
                    true => self.send(&resource_request(call), polling).await?.body,
                    false => answer.body,
                };
                break;
            }
        }
        wait.end("done");
        self.check(&last, call)?;
        Ok(last)
    }

    /// Deletes something and waits until it is gone. It is no error if there is none.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub(super) async fn delete(
        &self,
        call: &Call,
        what: &str,
        time_limit: Duration,
        polling: &PollOptions,
    ) -> Result<()> {
        match self.change(call, what, time_limit, polling).await {
            Err(error) if is_missing(&error) => Ok(()),
            deleted => deleted.map(drop),
        }
    }

    /// What is at this address, once nothing changes it any more. `None` if there is nothing, or
    /// something that could not be made and is to be made again.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub(super) async fn find_settled<T: DeserializeOwned>(
        &self,
        call: &Call,
        what: &str,
        time_limit: Duration,
        polling: &PollOptions,
    ) -> Result<Option<T>> {
        let found = match self.send(call, polling).await {
            Err(error) if is_missing(&error) => return Ok(None),
            found => found?.body,
        };
        let settled = match state_of(&found).as_deref() {
            Some("Failed") => return Ok(None),
            Some("Succeeded") | None => found,
            Some(_) => {
                let mut wait = polling.begin(what.to_owned(), time_limit);
                let settled = self.settled(call, what, &mut wait, polling).await;
                match settled {
                    // It was being deleted.
                    Err(error) if is_missing(&error) => return Ok(None),
                    settled => {
                        wait.end("done");
                        settled?
                    }
                }
            }
        };
        self.parse(&settled, &call.doing).map(Some)
    }

    /// The thing at this address once nothing changes it any more.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    async fn settled(
        &self,
        call: &Call,
        what: &str,
        wait: &mut Poller,
        polling: &PollOptions,
    ) -> Result<Json> {
        let look = resource_request(call);
        loop {
            let answer = match self.send(&look, polling).await {
                Err(error) if call.method == Method::DELETE && is_missing(&error) => {
                    return Ok(Json::new("{}".to_owned()).unwrap_or_default());
                }
                answer => answer?,
            };
            let state = state_of(&answer.body);
            let status = state
                .as_deref()
                .map_or(OperationStatus::Succeeded, operation_status);
            if status != OperationStatus::Pending && call.method != Method::DELETE {
                self.check(
                    &answer.body,
                    &Call {
                        doing: format!("finish {what}"),
                        ..look
                    },
                )?;
                return Ok(answer.body);
            }
            wait.report(&state.unwrap_or_else(|| "in progress".to_owned()));
            wait.pause(asked_wait(&answer.headers, SystemTime::now()))
                .await?;
        }
    }

    fn watched(&self, call: &Call, answer: &ArmResponse) -> Result<Watched> {
        if let Some(watched) = self.moved(call, &answer.headers)? {
            // A synchronous answer may name its location too.
            let is_done = matches!(watched, Watched::Location(_)) && answer.status == 200;
            return Ok(if is_done { Watched::Done } else { watched });
        }
        let is_pending = state_of(&answer.body)
            .is_some_and(|state| operation_status(&state) == OperationStatus::Pending);
        Ok(match answer.status {
            202 => Watched::Resource,
            200 | 201 if is_pending && call.method != Method::DELETE => Watched::Resource,
            _ => Watched::Done,
        })
    }

    fn moved(&self, call: &Call, headers: &HeaderMap) -> Result<Option<Watched>> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(address) = header("azure-asyncoperation") {
            let url = self.same_host(address, &call.doing)?;
            return Ok(Some(Watched::Status(url)));
        }
        let location = header("location").map(|address| self.same_host(address, &call.doing));
        Ok(location.transpose()?.map(Watched::Location))
    }

    fn is_over(&self, body: &Json, call: &Call, wait: &mut Poller) -> Result<bool> {
        let status: Status = self.parse(body, &call.doing)?;
        let state = status.status.unwrap_or_default();
        match operation_status(&state) {
            OperationStatus::Succeeded => Ok(true),
            OperationStatus::Failed => {
                let error = ArmError::from_body(body.text().as_bytes());
                Err(error.into_error(&call.doing, self.host(), None))
            }
            OperationStatus::Pending => {
                wait.report(&state);
                Ok(false)
            }
        }
    }

    /// Refuses a thing whose making has failed.
    fn check(&self, body: &Json, call: &Call) -> Result<()> {
        match state_of(body) {
            Some(state) if operation_status(&state) == OperationStatus::Failed => {
                let error = ArmError::from_body(body.text().as_bytes());
                Err(error.into_error(&call.doing, self.host(), None))
            }
            _ => Ok(()),
        }
    }
}

/// The request for the thing itself.
fn resource_request(call: &Call) -> Call {
    Call {
        method: Method::GET,
        body: None,
        ..call.clone()
    }
}

fn state_of(body: &Json) -> Option<String> {
    let provisioned: Provisioned = serde_json::from_str(body.text()).ok()?;
    provisioned.properties?.state
}
