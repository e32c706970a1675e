//! The pacing of one deployment as a state machine without a clock.
//!
//! Every request is charged when it goes. It may go when it fits into each window: tokens
//! over a minute, requests over a minute and over ten seconds (and over one second, once a
//! refusal showed that the service counts so). Bursts are right: the service counts in
//! windows, and a batch is done soonest when each of them is filled at its beginning.

use std::time::Duration;

use super::cost::{Cost, Estimator};
use super::limits::{Limits, MINUTE, Own, SECOND, TEN_SECONDS, Told};
use super::watch::{Account, Watch};
use super::window::{Used, Window};
use crate::client::{RateLimits, Usage};

/// Requests on the network overtake one another by about so much.
const GUARD: Duration = Duration::from_millis(50);
const WIDEST_GUARD: Duration = Duration::from_millis(400);
/// The longest wait that a service may ask for.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How much of the quota is used after an unexpected refusal, of what was used before.
const SLOWER: f64 = 0.6;
const SLOWEST: f64 = 0.2;
/// What comes back of it with each minute without a refusal.
const RECOVERY: f64 = 0.05;
/// A limit that is guessed may be too low by any factor.
const MOST_RECOVERY: f64 = 1000.0;
/// After so long without a refusal the service is taken to count over ten seconds again.
const FORGIVEN: Duration = Duration::from_secs(600);
/// Others' tokens are kept free for so long in advance.
const AHEAD: u64 = 2;

/// May the request go?
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// Yes, and it is charged.
    Go(Charge),
    /// Not yet.
    Wait(Wait),
    /// It is larger than all that the deployment may use in a minute.
    Never { estimate: u64, limit: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) cause: Cause,
    /// When to ask again; `None` is after the next answer.
    pub(super) until: Option<Duration>,
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Tokens of the quota, which has so many a minute.
    Tokens { per_minute: u64 },
    /// Requests of the quota, which has so many a minute.
    Requests { per_minute: u64 },
    /// The service refused, and asked to wait so long, if it said so.
    Service { asked: Option<Duration> },
    /// The answer to a request that was sent alone, to learn from it.
    Answer,
}

/// A request under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Charge {
    at: Duration,
    cost: Cost,
    tokens: u64,
    /// It went although the service had said that nothing was left.
    against: Against,
}

/// Which of the service's two counts left no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Against {
    tokens: bool,
    requests: bool,
}

impl Charge {
    pub(super) fn tokens(self) -> u64 {
        self.tokens
    }
}

impl Cause {
    /// Is it the quota, or what the service makes of it?
    pub(super) fn is_quota(self) -> bool {
        self != Self::Answer
    }
}

/// What the processes that share a quota did.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    /// When, how many requests, how many tokens.
    pub(super) charges: Vec<(Duration, u64, u64)>,
    pub(super) closed_until: Option<Duration>,
}

/// When the windows have room.
#[derive(Clone, Copy, Debug)]
struct Ready {
    tokens: Duration,
    requests: Duration,
}

impl Ready {
    fn last(self) -> Duration {
        self.tokens.max(self.requests)
    }
}

/// The service said no, and until when.
#[derive(Clone, Copy, Debug)]
struct Closed {
    until: Duration,
    asked: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct State {
    given: Limits,
    told: Told,
    /// From refusals, where nothing better is known.
    guessed: Limits,
    estimator: Estimator,

    tokens: Window,
    minute: Window,
    ten_seconds: Window,
    second: Window,
    tokens_ever: Used,
    requests_ever: Used,
    token_watch: Watch,
    request_watch: Watch,

    in_flight: u64,
    /// The next request goes alone: its answer tells whether the others may follow.
    alone: bool,
    closed: Option<Closed>,
    refused_at: Option<Duration>,
    refusals_in_a_row: u32,
    /// How many of the requests that were under way together were refused.
    refusals: u64,
    /// These refusals are the first sign of a limit.
    is_guessing: bool,
    /// The last change of `share`, or the last refusal.
    calm_since: Duration,
    share: f64,
    per_second: bool,
    guard: Duration,
    last_answer: Duration,
    /// The largest charge, as far as it is sure, that the service let pass.
    accepted: u64,
}

impl State {
    /// Of a deployment with these limits. `ramp` is whether, where none are known, the
    /// first request goes alone.
    pub(super) fn new(given: Limits, ramp: bool) -> Self {
        Self {
            given,
            told: Told::default(),
            guessed: Limits::default(),
            estimator: Estimator::new(),
            tokens: Window::new(MINUTE),
            minute: Window::new(MINUTE),
            ten_seconds: Window::new(TEN_SECONDS),
            second: Window::new(SECOND),
            tokens_ever: Used::default(),
            requests_ever: Used::default(),
            token_watch: Watch::new(),
            request_watch: Watch::new(),
            in_flight: 0,
            alone: ramp && given.is_unknown(),
            closed: None,
            refused_at: None,
            refusals_in_a_row: 0,
            refusals: 0,
            is_guessing: false,
            calm_since: Duration::ZERO,
            share: 1.0,
            per_second: false,
            guard: GUARD,
            last_answer: Duration::ZERO,
            accepted: 0,
        }
    }

    /// Other limits from now on; what was used and learnt stays.
    pub(super) fn give(&mut self, limits: Limits) {
        self.given = limits;
    }

    /// The first request need not go alone.
    pub(super) fn skip_ramp(&mut self) {
        self.alone &= self.refused_at.is_some();
    }

    /// As [`ask`](Self::ask), where what is used is used together with others. Returns, too,
    /// until when all have to wait.
    pub(super) fn ask_shared(
        &mut self,
        now: Duration,
        cost: Cost,
        shared: Shared,
    ) -> (Verdict, Option<Duration>) {
        let tokens = shared.charges.iter().map(|(at, _, tokens)| (*at, *tokens));
        let more = self.tokens.replace_own(now, self.guard, tokens);
        self.tokens_ever.add(Used {
            own: more,
            others: 0,
        });
        for window in [&mut self.ten_seconds, &mut self.second, &mut self.minute] {
            let requests = shared
                .charges
                .iter()
                .map(|(at, requests, _)| (*at, *requests));
            let more = window.replace_own(now, self.guard, requests);
            if window.is_of(MINUTE) {
                self.requests_ever.add(Used {
                    own: more,
                    others: 0,
                });
            }
        }
        let ours = self.closed.map(|closed| closed.until);
        if let Some(until) = shared
            .closed_until
            .filter(|until| ours.is_none_or(|ours| ours < *until))
        {
            self.closed = Some(Closed { until, asked: None });
        }
        (self.ask(now, cost), self.closed.map(|closed| closed.until))
    }

    /// Charges the request if it may go. `now` must not go back.
    pub(super) fn ask(&mut self, now: Duration, cost: Cost) -> Verdict {
        self.recover(now);
        let tokens = self.estimator.estimate(cost);
        // What headers tell does not overrule what the user knows.
        let whole = self.given.or(self.told.limits).tokens;
        if let Some(limit) = whole.filter(|limit| tokens > *limit) {
            return Verdict::Never {
                estimate: tokens,
                limit,
            };
        }
        if let Some(Closed { until, asked }) = self.closed {
            if now < until {
                return Verdict::Wait(Wait {
                    cause: Cause::Service { asked },
                    until: Some(until),
                });
            }
            self.closed = None;
        }
        let answer = Verdict::Wait(Wait {
            cause: Cause::Answer,
            until: None,
        });
        if self.alone && self.in_flight > 0 {
            return answer;
        }
        let ours = self.ready(now, tokens, Counted::Own);
        if ours.last() > now {
            return Verdict::Wait(self.wait_for(ours, ours.last()));
        }
        let all = self.ready(now, tokens, Counted::All);
        if all.last() <= now {
            return Verdict::Go(self.charge(now, cost, tokens, Against::default()));
        }
        // Only what others took is in the way: the service may be wrong about that.
        let against = Against {
            tokens: all.tokens > now,
            requests: all.requests > now,
        };
        let tried = self.last_answer.saturating_add(self.patience(against));
        if now < tried {
            return Verdict::Wait(self.wait_for(all, all.last().min(tried)));
        }
        if self.in_flight > 0 {
            return answer;
        }
        Verdict::Go(self.charge(now, cost, tokens, against))
    }

    fn wait_for(&self, ready: Ready, until: Duration) -> Wait {
        let kept = self.kept();
        let cause = if ready.tokens > ready.requests {
            Cause::Tokens {
                per_minute: kept.tokens.unwrap_or_default(),
            }
        } else {
            Cause::Requests {
                per_minute: kept.requests.unwrap_or_default(),
            }
        };
        Wait {
            cause,
            until: Some(until),
        }
    }

    fn patience(&self, against: Against) -> Duration {
        let tokens = against.tokens.then(|| self.token_watch.patience());
        let requests = against.requests.then(|| self.request_watch.patience());
        tokens.into_iter().chain(requests).max().unwrap_or_default()
    }

    fn charge(&mut self, at: Duration, cost: Cost, tokens: u64, against: Against) -> Charge {
        self.in_flight += 1;
        self.add_tokens(
            at,
            Used {
                own: tokens,
                others: 0,
            },
        );
        self.add_requests(at, Used { own: 1, others: 0 });
        Charge {
            at,
            cost,
            tokens,
            against,
        }
    }

    fn add_tokens(&mut self, now: Duration, used: Used) {
        self.tokens.add(now, used);
        self.tokens_ever.add(used);
    }

    fn add_requests(&mut self, now: Duration, used: Used) {
        for window in [&mut self.minute, &mut self.ten_seconds, &mut self.second] {
            window.add(now, used);
        }
        self.requests_ever.add(used);
    }

    /// The limits as they are known.
    fn known(&self) -> Limits {
        self.given.lower(self.told.limits).completed()
    }

    /// The limits that our own use keeps to.
    fn kept(&self) -> Limits {
        let known = self.known();
        let limits = if known.is_unknown() {
            self.guessed
        } else {
            known
        };
        limits.scaled(self.share)
    }

    /// The limits that hold for all clients together: a given quota may be a part of these.
    fn whole(&self) -> Limits {
        let told = self.told.limits.completed().scaled(self.share);
        let kept = self.kept();
        Limits {
            tokens: told.tokens.or(kept.tokens),
            requests: told.requests.or(kept.requests),
        }
    }

    /// When the windows have room for one more request.
    fn ready(&mut self, now: Duration, tokens: u64, counted: Counted) -> Ready {
        let guard = self.guard;
        let (limits, reserve) = match counted {
            Counted::Own => (self.kept(), Reserve::default()),
            Counted::All => (self.whole(), self.reserve(now)),
        };
        let count = match counted {
            Counted::Own => |used: Used| used.own,
            Counted::All => Used::all,
        };
        let mut ready = match counted {
            Counted::Own => Ready {
                tokens: now,
                requests: now,
            },
            Counted::All => self.ready_by_word(now, tokens),
        };
        if let Some(limit) = limits.tokens {
            let limit = limit.saturating_sub(reserve.tokens);
            let room = self.tokens.ready(now, guard, tokens, limit, count);
            ready.tokens = ready.tokens.max(room);
        }
        let ten_seconds = limits.requests_in(TEN_SECONDS);
        let second = limits.requests_in(SECOND).filter(|_| self.per_second);
        let windows = [
            (&mut self.minute, limits.requests, reserve.minute),
            (&mut self.ten_seconds, ten_seconds, reserve.ten_seconds),
            (&mut self.second, second, 0),
        ];
        for (window, limit, reserve) in windows {
            if let Some(limit) = limit {
                let limit = limit.saturating_sub(reserve).max(1);
                let room = window.ready(now, guard, 1, limit, count);
                ready.requests = ready.requests.max(room);
            }
        }
        ready
    }

    /// When there is room by the service's word, where others use the quota too.
    fn ready_by_word(&mut self, now: Duration, tokens: u64) -> Ready {
        let guard = self.guard;
        let others = self.tokens.used(now, guard).others;
        let of_tokens = match others {
            0 => now,
            _ => self
                .token_watch
                .ready(now, tokens, self.tokens_ever.own, others, guard),
        };
        let others = self.minute.used(now, guard).others;
        let of_requests = match others {
            0 => now,
            _ => self
                .request_watch
                .ready(now, 1, self.requests_ever.own, others, guard),
        };
        Ready {
            tokens: of_tokens,
            requests: of_requests,
        }
    }

    /// What is kept free for other clients that were seen in the last minute.
    fn reserve(&mut self, now: Duration) -> Reserve {
        let tokens = self.tokens.used(now, self.guard).others;
        let minute = self.minute.used(now, self.guard).others;
        let ten_seconds = self.ten_seconds.used(now, self.guard).others;
        Reserve {
            tokens: tokens * AHEAD / MINUTE.as_secs(),
            minute: (minute * AHEAD).div_ceil(MINUTE.as_secs()),
            ten_seconds: minute.div_ceil(6).saturating_sub(ten_seconds),
        }
    }

    /// The service answered the request.
    pub(super) fn answered(
        &mut self,
        now: Duration,
        charge: Charge,
        said: &RateLimits,
        usage: Option<&Usage>,
    ) {
        if let Some(usage) = usage {
            self.estimator.learn(charge.cost, usage);
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        self.last_answer = now;
        let surely = charge.cost.answers().max(charge.tokens / 2);
        self.accepted = self.accepted.max(surely);
        self.hear(now, said);
        self.judge(now, charge, said);
        if self.refused_at.is_none_or(|refused| charge.at > refused) {
            self.alone = false;
            self.refusals_in_a_row = 0;
        }
    }

    /// The request failed for a reason that is not the quota.
    pub(super) fn failed(&mut self, now: Duration, said: &RateLimits) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.last_answer = now;
        self.hear(now, said);
        // Before any refusal it was only the first of all that went alone.
        self.alone &= self.refused_at.is_some();
    }

    /// Nobody waits for the answer any more; the charge stays.
    pub(super) fn dropped(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// A request that passed may show that the service was wrong about what is left.
    fn judge(&mut self, now: Duration, charge: Charge, said: &RateLimits) {
        let (tokens, requests) = self.accounts(now);
        if charge.against.tokens {
            self.token_watch.proved_wrong();
        }
        if charge.against.requests {
            self.request_watch.proved_wrong();
        }
        let left = said.remaining_tokens.unwrap_or(u64::MAX);
        if self.token_watch.passed(charge.cost.answers(), left, tokens) {
            self.tokens.forget_others();
        }
        let left = said.remaining_requests.unwrap_or(u64::MAX);
        if self.request_watch.passed(1, left, requests) {
            for window in [&mut self.minute, &mut self.ten_seconds, &mut self.second] {
                window.forget_others();
            }
        }
    }

    /// What is used of tokens, and of requests over the time that the header is about.
    fn accounts(&mut self, now: Duration) -> (Account, Account) {
        let quiet = self.in_flight == 0;
        let account = |used: Used, ever: Used| Account {
            own: used.own,
            others: used.others,
            own_ever: ever.own,
            others_ever: ever.others,
            quiet,
        };
        let requests = match self.told.period {
            Some(TEN_SECONDS) => &mut self.ten_seconds,
            _ => &mut self.minute,
        };
        (
            account(self.tokens.used(now, self.guard), self.tokens_ever),
            account(requests.used(now, self.guard), self.requests_ever),
        )
    }

    /// 429. The whole deployment waits, and then one request goes alone.
    pub(super) fn refused(&mut self, now: Duration, charge: Charge, said: &RateLimits) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.last_answer = now;
        self.hear(now, said);
        let asked = asked_wait(said);
        let new = self.refused_at.is_none_or(|refused| charge.at > refused);
        self.refusals += 1;
        if new {
            self.refusals = 1;
            self.react(now, charge);
        }
        if self.is_guessing {
            self.guess(now, asked);
        }
        let wait = match asked {
            Some(asked) => asked.min(LONGEST_WAIT),
            None => backoff(self.refusals_in_a_row),
        };
        let until = now.saturating_add(wait + self.guard);
        let later = self.closed.is_none_or(|closed| closed.until < until);
        if later {
            self.closed = Some(Closed { until, asked });
        }
    }

    /// The first refusal of several that were under way together.
    fn react(&mut self, now: Duration, charge: Charge) {
        self.refused_at = Some(now);
        self.refusals_in_a_row += 1;
        self.calm_since = now;
        self.alone = true;
        if charge.against.tokens {
            self.token_watch.proved_right();
        }
        if charge.against.requests {
            self.request_watch.proved_right();
        }
        self.is_guessing = false;
        if charge.against != Against::default() {
            return;
        }
        self.is_guessing = self.known().is_unknown() && self.guessed.is_unknown();
        if self.is_guessing {
            self.share = 1.0;
        } else if !self.per_second && self.minute.used(now, self.guard).others == 0 {
            self.per_second = true;
            self.guard = (self.guard * 2).min(WIDEST_GUARD);
        } else {
            self.share = (self.share * SLOWER).max(SLOWEST);
        }
    }

    /// What passed until the refusals tells the limit. It is one over ten seconds, unless
    /// the service asks for a longer wait after a longer time.
    fn guess(&mut self, now: Duration, asked: Option<Duration>) {
        let minute = self.minute.used(now, self.guard).own;
        let ten_seconds = self.ten_seconds.used(now, self.guard).own;
        let long = asked.is_some_and(|asked| asked > TEN_SECONDS) && minute > ten_seconds;
        let (used, times) = if long { (minute, 1) } else { (ten_seconds, 6) };
        let passed = used.saturating_sub(self.refusals).max(1);
        self.guessed.requests = Some(passed.saturating_mul(times));
    }

    fn hear(&mut self, now: Duration, said: &RateLimits) {
        let guard = self.guard;
        let tokens = self.tokens.used(now, guard);
        let minute = self.minute.used(now, guard);
        let ten_seconds = self.ten_seconds.used(now, guard);
        let counted = ten_seconds.own.saturating_sub(self.in_flight);
        let own = Own {
            tokens: tokens.own,
            requests: minute.own,
            counted,
            passed: if self.refused_at.is_none() {
                counted
            } else {
                0
            },
            accepted: self.accepted,
        };
        self.told.hear(said, own, self.given);
        let whole = self.told.limits.or(self.known());
        let (tokens, requests) = self.accounts(now);
        if let (Some(limit), Some(left)) = (whole.tokens, said.remaining_tokens) {
            let others = self.token_watch.unseen(limit, left, tokens);
            // Our own charges are guesses: a small difference is nobody's.
            if others > tokens.own / 10 + 16 {
                self.add_tokens(now, Used { own: 0, others });
            }
            let charge = tokens.own / minute.own.max(1);
            let in_flight = self.in_flight.saturating_mul(charge);
            self.token_watch
                .note(now, left, said.reset_tokens, in_flight, tokens);
        }
        let limit = match self.told.period {
            Some(TEN_SECONDS) => whole.requests_in(TEN_SECONDS),
            _ => whole.requests,
        };
        if let (Some(limit), Some(left)) = (limit, said.remaining_requests) {
            let others = self.request_watch.unseen(limit, left, requests);
            if others > 0 {
                self.add_requests(now, Used { own: 0, others });
            }
            let in_flight = self.in_flight;
            self.request_watch
                .note(now, left, said.reset_requests, in_flight, requests);
        }
    }

    /// Time without refusals gives back what they took.
    fn recover(&mut self, now: Duration) {
        let is_guessed = self.known().is_unknown() && !self.guessed.is_unknown();
        let most = if is_guessed { MOST_RECOVERY } else { 1.0 };
        while now.saturating_sub(self.calm_since) >= MINUTE && self.share < most {
            self.share = (self.share + RECOVERY).min(most);
            self.calm_since += MINUTE;
        }
        let forgiven = |refused: Duration| now.saturating_sub(refused) >= FORGIVEN;
        if self.per_second && self.refused_at.is_none_or(forgiven) {
            self.per_second = false;
            self.guard = GUARD;
        }
    }
}

/// Whose use counts against the limits.
#[derive(Clone, Copy, Debug)]
enum Counted {
    Own,
    All,
}

/// What is not used although the windows have room for it.
#[derive(Clone, Copy, Debug, Default)]
struct Reserve {
    tokens: u64,
    minute: u64,
    ten_seconds: u64,
}

/// How long the service asked to wait: as it said, else until its counts begin anew.
fn asked_wait(said: &RateLimits) -> Option<Duration> {
    let spent = |left: Option<u64>, reset: Option<Duration>| {
        reset.filter(|_| left.is_none_or(|left| left == 0))
    };
    let reset = [
        spent(said.remaining_tokens, said.reset_tokens),
        spent(said.remaining_requests, said.reset_requests),
    ];
    let reset = reset.into_iter().flatten().max();
    said.retry_after
        .into_iter()
        .chain(reset)
        .find(|wait| !wait.is_zero())
}

/// 1, 2, 4, 8.. seconds.
fn backoff(refusals_in_a_row: u32) -> Duration {
    let doubled = 1_u64 << refusals_in_a_row.saturating_sub(1).min(6);
    Duration::from_secs(doubled).min(LONGEST_WAIT)
}
