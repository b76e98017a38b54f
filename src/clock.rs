//! The only source of the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Tells the time and the day, which decides what is in force.
#[derive(Clone, Debug)]
pub struct Clock {
    zone: TimeZone,
    /// Seconds since the epoch; set by tests, absent when the system's clock is asked.
    frozen: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock in a time zone.
    pub fn system(zone: TimeZone) -> Self {
        Self { zone, frozen: None }
    }

    /// A clock that stands still until it is set, for tests.
    pub fn frozen_at(now: Timestamp) -> Self {
        Self { zone: TimeZone::UTC, frozen: Some(Arc::new(AtomicI64::new(now.as_second()))) }
    }

    /// Moves a frozen clock. A system clock is left alone.
    pub fn advance(&self, by: SignedDuration) {
        if let Some(frozen) = &self.frozen {
            frozen.fetch_add(by.as_secs(), Ordering::SeqCst);
        }
    }

    /// This instant.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
    pub fn now(&self) -> Timestamp {
        match &self.frozen {
            Some(seconds) => {
                Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
            }
            None => Timestamp::now(),
        }
    }

    /// This instant in the clock's time zone.
    pub fn local(&self) -> jiff::ZonedDateTime {
        self.now().to_zoned_datetime(self.zone.clone())
    }

    /// This day in the clock's time zone.
    pub fn today(&self) -> Date {
        self.now().to_zoned_datetime(self.zone.clone()).date()
    }
}
