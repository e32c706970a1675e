//! Simulated services, which differ in how they count a quota and how they report it.

use std::time::Duration;

use crate::batch::rate_limit::cost::Cost;
use crate::batch::rate_limit::limits::Limits;
use crate::openai::RateLimits;

/// When a window begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Windows {
    /// With the first request after the last one.
    Opened,
    /// At fixed times, this long after the beginning.
    Aligned(f64),
    /// At any time: the window slides.
    Sliding,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rounding {
    Up,
    Down,
}

#[derive(Debug)]
pub(super) struct Service {
    limits: Limits,
    pub(super) windows: Windows,
    pub(super) rounding: Rounding,
    /// The period over which requests must be spread out.
    pub(super) burst: f64,
    /// Everything that arrived: the time, whether it counts as tokens, and the amount.
    requests: Vec<f64>,
    tokens: Vec<(f64, u64)>,
    opened: [f64; 3],
}

/// The service's account after a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remaining {
    tokens_left: u64,
    requests_left: u64,
    burst_left: u64,
    reset: f64,
}

impl Service {
    pub(super) fn new(tokens: u64, requests: u64) -> Self {
        Self {
            limits: Limits {
                tokens: Some(tokens),
                requests: Some(requests),
            },
            windows: Windows::Opened,
            rounding: Rounding::Up,
            burst: 10.0,
            requests: Vec::new(),
            tokens: Vec::new(),
            opened: [f64::NEG_INFINITY; 3],
        }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn charge(&self, cost: Cost) -> u64 {
        cost.prompt_bytes.div_ceil(4) + cost.max_tokens.unwrap_or(16) * cost.n
    }

    /// The start of the current window of this length.
    fn begin(&mut self, which: usize, length: f64, now: f64) -> f64 {
        match self.windows {
            Windows::Sliding => now - length,
            Windows::Aligned(offset) => ((now - offset) / length).floor() * length + offset,
            Windows::Opened => {
                if now >= self.opened[which] + length {
                    self.opened[which] = now;
                }
                self.opened[which]
            }
        }
    }

    /// Charges a request; the wait if it is refused.
    pub(super) fn admit(&mut self, now: f64, tokens: u64) -> (Option<f64>, Remaining) {
        self.requests.retain(|at| *at > now - 60.0);
        self.tokens.retain(|(at, _)| *at > now - 60.0);
        let lengths = [60.0, 60.0, self.burst];
        let [of_tokens, minute, burst] =
            [0, 1, 2].map(|which| self.begin(which, lengths[which], now));
        let sliding = self.windows == Windows::Sliding;
        let inside = |at: f64, begin: f64| if sliding { at > begin } else { at >= begin };
        let rpm = self.limits.requests.unwrap();
        let parts = 60.0 / self.burst;
        let most = match self.rounding {
            Rounding::Up => (rpm as f64 / parts).ceil() as u64,
            Rounding::Down => (rpm as f64 / parts).floor().max(1.0) as u64,
        };
        // With fixed windows, as in `evenhand serve`, a refused request counts too.
        if !sliding {
            self.requests.push(now);
        }
        let count = |begin: f64, log: &[f64]| {
            log.iter()
                .rev()
                .take_while(|at| inside(**at, begin))
                .count() as u64
        };
        let extra = u64::from(sliding);
        let in_minute = count(minute, &self.requests) + extra;
        let in_burst = count(burst, &self.requests) + extra;
        let used: u64 = self
            .tokens
            .iter()
            .rev()
            .take_while(|(at, _)| inside(*at, of_tokens))
            .map(|(_, used)| used)
            .sum();
        let tpm = self.limits.tokens.unwrap();
        let wait = |over: bool, begin: f64, length: f64, first: Option<f64>| {
            let from = if sliding { first.unwrap_or(now) } else { begin };
            over.then_some((from + length - now).max(0.001))
        };
        let first = |begin: f64, log: &[f64]| log.iter().copied().find(|at| inside(*at, begin));
        let stamps: Vec<f64> = self.tokens.iter().map(|(at, _)| *at).collect();
        let refused = wait(in_minute > rpm, minute, 60.0, first(minute, &self.requests))
            .or(wait(
                in_burst > most,
                burst,
                self.burst,
                first(burst, &self.requests),
            ))
            .or(wait(
                used + tokens > tpm,
                of_tokens,
                60.0,
                first(of_tokens, &stamps),
            ));
        let used = if refused.is_none() {
            self.tokens.push((now, tokens));
            if sliding {
                self.requests.push(now);
            }
            used + tokens
        } else {
            used
        };
        let standing = Remaining {
            tokens_left: tpm.saturating_sub(used),
            requests_left: rpm.saturating_sub(in_minute),
            burst_left: most.saturating_sub(in_burst),
            reset: (first(minute, &self.requests)
                .filter(|_| sliding)
                .unwrap_or(minute)
                + 60.0
                - now)
                .max(0.0),
        };
        (refused, standing)
    }
}

/// What the service reports about its quota.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Headers {
    /// Everything, correctly.
    Right,
    /// Nothing, except `retry-after` when it refuses.
    Missing,
    /// The same, in whole seconds.
    WholeSeconds,
    /// Nothing at all.
    Silent,
    /// As Azure did in 2024: the remaining tokens of a minute and requests of ten seconds.
    OnlyLeft,
    /// Limits and remainders, for requests of ten seconds.
    TenSeconds,
    /// Always that nothing is left.
    AlwaysZero,
    /// Always that everything is left.
    AlwaysFull,
    /// Nonsensical numbers.
    Nonsense,
    /// Ten times the limits.
    TooMuch,
    /// Counts that restart at a time in the past.
    ResetPast,
}

impl Headers {
    pub(super) const ALL: [Self; 10] = [
        Self::Right,
        Self::Missing,
        Self::Silent,
        Self::OnlyLeft,
        Self::TenSeconds,
        Self::AlwaysZero,
        Self::AlwaysFull,
        Self::Nonsense,
        Self::TooMuch,
        Self::ResetPast,
    ];

    pub(super) fn tell(
        self,
        standing: &Remaining,
        refused: Option<f64>,
        limits: Limits,
    ) -> RateLimits {
        let seconds = |wait: f64| Some(Duration::from_secs_f64(wait));
        let retry_after = refused.map(Duration::from_secs_f64);
        let tenth = limits.requests.map(|rpm| rpm / 6);
        let right = RateLimits {
            limit_requests: limits.requests,
            limit_tokens: limits.tokens,
            remaining_requests: Some(standing.requests_left),
            remaining_tokens: Some(standing.tokens_left),
            reset_requests: seconds(standing.reset),
            reset_tokens: seconds(standing.reset),
            retry_after,
        };
        let none = RateLimits {
            retry_after,
            ..RateLimits::default()
        };
        match self {
            Self::Right => right,
            Self::Missing => none,
            Self::WholeSeconds => RateLimits {
                retry_after: refused.map(|wait| Duration::from_secs_f64(wait.ceil())),
                ..none
            },
            Self::Silent => RateLimits::default(),
            Self::OnlyLeft if refused.is_some() => none,
            Self::OnlyLeft => RateLimits {
                remaining_tokens: Some(standing.tokens_left),
                remaining_requests: Some(standing.burst_left),
                ..none
            },
            Self::TenSeconds => RateLimits {
                limit_requests: tenth,
                remaining_requests: Some(standing.burst_left),
                reset_requests: None,
                ..right
            },
            Self::AlwaysZero => RateLimits {
                remaining_requests: Some(0),
                remaining_tokens: Some(0),
                reset_requests: Some(Duration::ZERO),
                reset_tokens: Some(Duration::ZERO),
                ..right
            },
            Self::AlwaysFull => RateLimits {
                remaining_requests: limits.requests,
                remaining_tokens: limits.tokens,
                ..right
            },
            Self::Nonsense => RateLimits {
                limit_requests: Some(1),
                limit_tokens: Some(1),
                remaining_requests: Some(u64::MAX),
                remaining_tokens: Some(1),
                reset_requests: Some(Duration::from_secs(86_400)),
                reset_tokens: Some(Duration::MAX),
                retry_after,
            },
            Self::TooMuch => RateLimits {
                limit_requests: limits.requests.map(|rpm| rpm * 10),
                limit_tokens: limits.tokens.map(|tpm| tpm * 10),
                remaining_requests: limits.requests.map(|rpm| rpm * 10 - 1),
                remaining_tokens: limits.tokens.map(|tpm| tpm * 10 - 1),
                ..right
            },
            Self::ResetPast => RateLimits {
                reset_requests: Some(Duration::ZERO),
                reset_tokens: Some(Duration::ZERO),
                ..right
            },
        }
    }
}
