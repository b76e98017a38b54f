//! How many requests one may make: a bound for each person, token and address.

use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Requests to sign in, or by somebody unknown, from one address in a minute.
const UNKNOWN_PER_MINUTE: NonZeroU32 = NonZeroU32::new(600).unwrap();

/// The limits (generic cell rate algorithm: a burst of a minute's worth, then evenly).
pub struct Limits {
    known: Option<DefaultKeyedRateLimiter<String>>,
    unknown: DefaultKeyedRateLimiter<String>,
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").finish_non_exhaustive()
    }
}

impl Limits {
    /// Limits of so many requests a minute of one person or token; 0 for any number.
    pub fn new(per_minute: u32) -> Self {
        let known = NonZeroU32::new(per_minute).map(|most| RateLimiter::keyed(Quota::per_minute(most)));
        Self { known, unknown: RateLimiter::keyed(Quota::per_minute(UNKNOWN_PER_MINUTE)) }
    }

    /// Counts a request of a person or token.
    ///
    /// # Errors
    /// It comes too soon: the seconds to wait.
    pub fn count(&self, who: &str) -> Result<(), u64> {
        self.known.as_ref().map_or(Ok(()), |limiter| counted(limiter, who))
    }

    /// Counts a request of somebody unknown.
    ///
    /// # Errors
    /// It comes too soon: the seconds to wait.
    pub fn count_unknown(&self, address: &str) -> Result<(), u64> {
        counted(&self.unknown, address)
    }

    /// Forgets who has not asked for long.
    pub fn tidy(&self) {
        for limiter in self.known.iter().chain([&self.unknown]) {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

fn counted(limiter: &DefaultKeyedRateLimiter<String>, key: &str) -> Result<(), u64> {
    limiter
        .check_key(&key.to_owned())
        .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()).as_secs().max(1))
}
