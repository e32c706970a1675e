//! The service's published quota rules, implemented independently of the engine and of
//! `evenhand serve`.
//!
//! A request is charged on receipt with its prompt's tokens and `max_tokens`. Tokens are
//! counted over a minute, requests over a minute and over ten seconds. A refused request
//! counts as a request, but its tokens do not count.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::loopback::{Loopback, Reply};
use crate::server::{ANSWER, response};

const MINUTE: Duration = Duration::from_secs(60);
const BURST: Duration = Duration::from_secs(10);
pub(crate) const LATENCY: Duration = Duration::from_millis(200);

/// The quota: 5K tokens per minute, and the requests that Azure grants with them.
pub(crate) const TOKENS: u64 = 5_000;
const REQUESTS: usize = 30;
pub(crate) const REQUESTS_IN_BURST: usize = 5;

/// How a service behaves.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) windows: Windows,
    pub(crate) headers: Headers,
    /// Another client sends half of the requests that the quota allows, one every four seconds.
    pub(crate) shared: bool,
}

/// The intervals over which the service counts.
#[derive(Clone, Copy)]
pub(crate) enum Windows {
    /// From one full minute (ten seconds) of the service's own clock to the next.
    Fixed,
    /// The last minute (ten seconds).
    Sliding,
}

/// What the headers report about the quota.
#[derive(Clone, Copy)]
pub(crate) enum Headers {
    Right,
    Missing,
    /// A hundred times the quota.
    TooMuch,
    /// Values observed from real gateways: -1 and 0.
    Nonsense,
}

/// How many requests were answered and refused.
#[derive(Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) answered: usize,
    pub(crate) refused: usize,
}

/// The service's record of requests.
pub(crate) struct Books {
    rules: Rules,
    opened: Instant,
    /// When each request arrived, and how many tokens it was charged.
    received: Vec<(Duration, u64)>,
    others: u32,
    count: Count,
}

/// How much of the quota is used.
struct Used {
    tokens: u64,
    requests: usize,
    burst: usize,
}

/// A service with these rules, and its record of requests.
pub(crate) fn open(rules: Rules) -> (Loopback, Arc<Mutex<Books>>) {
    let books = Arc::new(Mutex::new(Books {
        rules,
        opened: Instant::now(),
        received: Vec::new(),
        others: 0,
        count: Count::default(),
    }));
    let kept = Arc::clone(&books);
    let server = Loopback::serve(move |request| {
        let mut books = kept.lock().unwrap_or_else(PoisonError::into_inner);
        books.receive(charge(&request.body))
    });
    (server, books)
}

/// The tokens that a request is charged. A token is about four characters.
fn charge(body: &[u8]) -> u64 {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let messages = body["messages"].as_array().into_iter().flatten();
    let texts = messages.filter_map(|message| message["content"].as_str());
    let characters: usize = texts.map(str::len).sum();
    characters.div_ceil(4) as u64 + body["max_tokens"].as_u64().unwrap_or(16)
}

impl Books {
    pub(crate) fn count(&self) -> Count {
        self.count
    }

    fn receive(&mut self, tokens: u64) -> Reply {
        let now = self.opened.elapsed();
        self.receive_others(now, tokens);
        let used = self.used(now);
        let over_requests = used.requests >= REQUESTS || used.burst >= REQUESTS_IN_BURST;
        let over_tokens = used.tokens + tokens > TOKENS;
        let refused = over_requests || over_tokens;
        self.received.push((now, if refused { 0 } else { tokens }));
        let mut headers = self.headers(now);
        if !refused {
            self.count.answered += 1;
            return response(200, &headers, ANSWER).late(LATENCY);
        }
        self.count.refused += 1;
        let wait = self.until_room(now, tokens);
        headers.extend(self.retry_after(wait));
        let seconds = wait.as_secs() + 1;
        let body = json!({"error": {"code": "429", "message": format!(
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version \
             2024-10-21 have exceeded call rate limit of your current OpenAI S0 pricing tier. \
             Please retry after {seconds} seconds."
        )}});
        response(429, &headers, &body.to_string())
    }

    /// Records what another client has sent in the meantime.
    fn receive_others(&mut self, now: Duration, tokens: u64) {
        let pace = MINUTE * 2 / REQUESTS as u32;
        while self.rules.shared && pace * self.others <= now {
            self.received.push((pace * self.others, tokens));
            self.others += 1;
        }
    }

    fn window(&self, now: Duration, length: Duration) -> impl Iterator<Item = &(Duration, u64)> {
        let sliding = matches!(self.rules.windows, Windows::Sliding);
        let number = move |at: Duration| at.as_nanos() / length.as_nanos();
        self.received.iter().filter(move |(at, _)| match sliding {
            true => *at + length > now,
            false => number(*at) == number(now),
        })
    }

    fn used(&self, now: Duration) -> Used {
        Used {
            tokens: self.window(now, MINUTE).map(|(_, tokens)| tokens).sum(),
            requests: self.window(now, MINUTE).count(),
            burst: self.window(now, BURST).count(),
        }
    }

    /// How long until a request of this many tokens would pass, if no other came before it.
    fn until_room(&self, now: Duration, tokens: u64) -> Duration {
        let passes = |now: Duration| {
            let used = self.used(now);
            used.requests < REQUESTS
                && used.burst < REQUESTS_IN_BURST
                && used.tokens + tokens <= TOKENS
        };
        let ends = self.received.iter().flat_map(|(at, _)| {
            [MINUTE, BURST].map(|length| match self.rules.windows {
                Windows::Sliding => *at + length,
                Windows::Fixed => next_multiple(*at, length),
            })
        });
        let room = ends.filter(|end| *end > now && passes(*end)).min();
        room.map_or(MINUTE, |room| room - now)
    }

    /// How long until the oldest request of the last minute no longer counts.
    fn until_reset(&self, now: Duration) -> Duration {
        let oldest = self.window(now, MINUTE).map(|(at, _)| *at).min();
        match self.rules.windows {
            Windows::Sliding => (oldest.unwrap_or(now) + MINUTE).saturating_sub(now),
            Windows::Fixed => next_multiple(now, MINUTE) - now,
        }
    }

    fn headers(&self, now: Duration) -> Vec<(String, String)> {
        let used = self.used(now);
        let left = [
            (REQUESTS.saturating_sub(used.requests)).to_string(),
            (TOKENS.saturating_sub(used.tokens)).to_string(),
        ];
        let [limits, left] = match self.rules.headers {
            Headers::Right => [[REQUESTS.to_string(), TOKENS.to_string()], left],
            Headers::Missing => return Vec::new(),
            Headers::TooMuch => {
                let much = [REQUESTS as u64 * 100, TOKENS * 100].map(|limit| limit.to_string());
                [much.clone(), much]
            }
            Headers::Nonsense => [["-1", "-1"], ["0", "-1"]].map(|pair| pair.map(str::to_owned)),
        };
        let mut headers = Vec::new();
        for (what, values) in [("limit", limits), ("remaining", left)] {
            for (name, value) in ["requests", "tokens"].iter().zip(values) {
                headers.push((format!("x-ratelimit-{what}-{name}"), value));
            }
        }
        if matches!(self.rules.headers, Headers::Right) {
            for name in ["requests", "tokens"] {
                let reset = self.until_reset(now).as_secs() + 1;
                headers.push((format!("x-ratelimit-reset-{name}"), reset.to_string()));
            }
        }
        headers
    }

    fn retry_after(&self, wait: Duration) -> Vec<(String, String)> {
        let header = |name: &str, value: u128| (name.to_owned(), value.to_string());
        match self.rules.headers {
            Headers::Right => vec![
                header("retry-after-ms", wait.as_millis() + 1),
                header("retry-after", u128::from(wait.as_secs()) + 1),
            ],
            Headers::Nonsense => vec![header("retry-after", 0)],
            Headers::Missing | Headers::TooMuch => Vec::new(),
        }
    }
}

/// The next multiple of `length` after `at`.
fn next_multiple(at: Duration, length: Duration) -> Duration {
    let count = at.as_nanos() / length.as_nanos() + 1;
    Duration::from_nanos_u128(count * length.as_nanos())
}
