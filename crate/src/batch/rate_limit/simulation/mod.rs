//! Runs the state machine against simulated services, in simulated time. A seed determines
//! everything, so that times can be asserted.

mod competing_client;
mod service;
mod tests;
mod unknown_quota;
mod unrelated;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::cost::Cost;
use super::decision::{Decision, Reservation};
use super::limits::Limits;
use super::state::State;
use crate::openai::{RateLimits, Usage};
use competing_client::CompetingClient;
use service::{Headers, Service};
use unrelated::UnrelatedRejections;

/// When the batch begins. Other clients may have started before.
const BEGINNING: f64 = 120.0;

#[derive(Debug)]
pub(super) struct Simulation {
    given: Limits,
    service: Service,
    headers: Headers,
    rows: usize,
    concurrency: usize,
    cost: Cost,
    latency: f64,
    jitter: f64,
    competing_client: Option<CompetingClient>,
    /// Rejections that have nothing to do with a quota.
    unrelated: Option<UnrelatedRejections>,
    /// The number of clients of this kind, each with its own rows.
    clients: usize,
    /// Nothing is paced: only a refused row waits. This is the best possible with this concurrency for
    /// a client that knows that all rejections are unrelated.
    unpaced: bool,
    seed: u64,
}

/// One client at work.
struct Client {
    state: State,
    to_send: usize,
    busy: usize,
}

#[derive(Debug, Default)]
pub(super) struct Outcome {
    answered: usize,
    /// When each rejection came.
    refused: Vec<f64>,
    wall: f64,
}

enum Event {
    Pump(usize),
    Arrive(usize, Option<Reservation>),
    Answer(usize, Option<Reservation>, bool, RateLimits),
    /// A refused row has waited.
    Rested(usize),
    Other,
}

impl Simulation {
    /// 40 prompts, 100 tokens per answer, at 5K tokens per minute.
    pub(super) fn forty_prompts() -> Self {
        Self {
            given: Limits {
                tokens: Some(5_000),
                requests: Some(30),
            },
            service: Service::new(5_000, 30),
            headers: Headers::Right,
            rows: 40,
            concurrency: 8,
            cost: Cost {
                prompt_bytes: 60,
                messages: 2,
                images: 0,
                max_tokens: Some(100),
                n: 1,
            },
            latency: 0.2,
            jitter: 0.04,
            competing_client: None,
            unrelated: None,
            clients: 1,
            unpaced: false,
            seed: 1,
        }
    }

    /// The shortest possible time, by the formula.
    pub(super) fn floor(&self) -> f64 {
        let windows = |part: u64| self.rows.div_ceil(part as usize) as f64 - 1.0;
        let charge = self.service.charge(self.cost);
        let limits = self.service.limits();
        let burst = limits.requests.map_or(u64::MAX, |rpm| (rpm / 6).max(1));
        let tokens = limits.tokens.map_or(u64::MAX, |tpm| tpm / charge);
        let requests = limits.requests.unwrap_or(u64::MAX);
        [
            self.latency * self.rows.div_ceil(self.concurrency) as f64,
            10.0 * windows(burst) + self.latency,
            60.0 * windows(tokens.min(requests)) + self.latency,
        ]
        .into_iter()
        .fold(0.0, f64::max)
    }

    pub(super) fn run(mut self) -> Outcome {
        let mut dice = fastrand::Rng::with_seed(self.seed);
        let mut clients: Vec<_> = (0..self.clients)
            .map(|_| Client {
                state: State::new(self.given, true),
                to_send: self.rows,
                busy: 0,
            })
            .collect();
        let mut events: BTreeMap<Reverse<(u64, u64)>, Event> = BTreeMap::new();
        let mut order = 0;
        let mut at = |events: &mut BTreeMap<_, _>, time: f64, event| {
            order += 1;
            events.insert(Reverse(((time * 1e6).ceil() as u64, order)), event);
        };
        let all = self.rows * self.clients;
        let mut outcome = Outcome::default();
        for client in 0..self.clients {
            at(&mut events, BEGINNING, Event::Pump(client));
        }
        let mut others = 0;
        let mut in_work = 0;
        if let Some(competing_client) = self.competing_client {
            let begins = if competing_client.before {
                0.0
            } else {
                BEGINNING
            };
            at(
                &mut events,
                begins + competing_client.phase(&mut dice),
                Event::Other,
            );
        }
        while let Some((Reverse((time, _)), event)) = events.pop_last() {
            let now = Duration::from_micros(time);
            let seconds = now.as_secs_f64();
            assert!(
                seconds < 100_000.0,
                "stalled: {} answered, {} refused",
                outcome.answered,
                outcome.refused.len()
            );
            let number = match event {
                Event::Arrive(number, charge) => {
                    let unrelated = self.unrelated.as_mut();
                    let unrelated = unrelated.and_then(|unrelated| {
                        unrelated.refuses(seconds - BEGINNING, in_work, &mut dice)
                    });
                    let (passed, rate_limits) = match unrelated {
                        Some(rate_limits) => (false, rate_limits),
                        None => {
                            let (refused, standing) =
                                self.service.admit(seconds, self.service.charge(self.cost));
                            let limits = self.service.limits();
                            let rate_limits = self.headers.tell(&standing, refused, limits);
                            (refused.is_none(), rate_limits)
                        }
                    };
                    in_work += u64::from(passed);
                    let latency = if passed {
                        self.latency - self.jitter / 2.0
                    } else {
                        self.latency.min(0.02)
                    };
                    let time = seconds + latency + self.jitter * dice.f64() / 2.0;
                    let answer = Event::Answer(number, charge, passed, rate_limits);
                    at(&mut events, time, answer);
                    continue;
                }
                Event::Answer(number, charge, passed, rate_limits) => {
                    let client = &mut clients[number];
                    if passed {
                        in_work -= 1;
                        client.busy -= 1;
                        outcome.answered += 1;
                        outcome.wall = seconds - BEGINNING;
                        let usage = Usage {
                            prompt_tokens: self.cost.prompt_bytes / 4 + 8,
                            ..Usage::default()
                        };
                        if let Some(charge) = charge {
                            client
                                .state
                                .answered(now, charge, &rate_limits, Some(&usage));
                        }
                        if outcome.answered == all {
                            return outcome;
                        }
                    } else {
                        outcome.refused.push(seconds - BEGINNING);
                        let wait = match charge {
                            Some(charge) => client.state.refused(now, charge, &rate_limits),
                            None => rate_limits.retry_after.unwrap_or(Duration::from_secs(1)),
                        };
                        let time = seconds + wait.as_secs_f64();
                        at(&mut events, time, Event::Rested(number));
                    }
                    number
                }
                Event::Rested(number) => {
                    clients[number].busy -= 1;
                    clients[number].to_send += 1;
                    number
                }
                Event::Other => {
                    if let Some(competing_client) = self.competing_client {
                        others += 1;
                        let (refused, _) = self.service.admit(seconds, competing_client.tokens);
                        let pause = competing_client.pause(others, refused.is_some(), &mut dice);
                        at(&mut events, seconds + pause, Event::Other);
                    }
                    continue;
                }
                Event::Pump(number) => number,
            };
            let client = &mut clients[number];
            while client.to_send > 0 && client.busy < self.concurrency {
                let decision = match self.unpaced {
                    true => None,
                    false => Some(client.state.decide(now, self.cost)),
                };
                match decision {
                    None | Some(Decision::Go(_)) => {
                        client.to_send -= 1;
                        client.busy += 1;
                        let arrival = seconds + self.jitter * dice.f64() / 2.0;
                        let charge = match decision {
                            Some(Decision::Go(charge)) => Some(charge),
                            _ => None,
                        };
                        at(&mut events, arrival, Event::Arrive(number, charge));
                    }
                    Some(Decision::Wait(wait)) => {
                        if let Some(until) = wait.until {
                            assert!(until > now, "waits for the past: {wait:?}");
                            at(&mut events, until.as_secs_f64(), Event::Pump(number));
                        } else {
                            let busy = client.busy;
                            assert!(busy > 0, "waits for nothing: {:?}", client.state);
                        }
                        break;
                    }
                    Some(Decision::Never { .. }) => panic!("never fits"),
                }
            }
        }
        outcome
    }
}
