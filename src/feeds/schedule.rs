//! When a feed is due: every so many minutes, or at times of day.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use crate::settings::FeedSettings;

/// Whether a feed is due, which was tried last at a moment; never tried, it is due at once if it runs at intervals.
pub fn is_due(settings: &FeedSettings, last: Option<Timestamp>, now: &ZonedDateTime) -> bool {
    if settings.every_minutes > 0 {
        let pause = SignedDuration::from_mins(i64::from(settings.every_minutes));
        if last.is_none_or(|last| now.timestamp().duration_since(last) >= pause) {
            return true;
        }
    }
    let times = settings.at.iter().filter_map(|time| Time::strptime("%H:%M", time).ok());
    let moments = times.filter_map(|time| {
        let today = now.date().to_datetime(time).to_zoned_datetime(now.time_zone().clone()).ok()?;
        if today <= *now {
            return Some(today);
        }
        now.date().yesterday().ok()?.to_datetime(time).to_zoned_datetime(now.time_zone().clone()).ok()
    });
    // A time of day that passed since the last try.
    let Some(passed) = moments.max() else { return false };
    last.is_some_and(|last| last < passed.timestamp())
}

/// Whether a feed is taken up when its file changes: one that has no schedule is.
pub fn is_watched(settings: &FeedSettings) -> bool {
    !settings.is_remote() && settings.every_minutes == 0 && settings.at.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(every: u32, at: &[&str], last: Option<&str>, now: &str, expected: bool) {
        let at = at.iter().map(|time| (*time).to_owned()).collect();
        let settings = FeedSettings { every_minutes: every, at, ..FeedSettings::default() };
        let last = last.map(|last| last.parse().unwrap());
        assert_eq!(is_due(&settings, last, &now.parse().unwrap()), expected, "{settings:?} {last:?} {now}");
    }

    #[test]
    fn a_feed_is_due_when_its_time_has_passed() {
        let noon = "2026-11-23T12:00:00+03:00[Europe/Moscow]";
        check(0, &[], None, noon, false);
        check(10, &[], None, noon, true);
        check(10, &[], Some("2026-11-23T08:50:00Z"), noon, true);
        check(10, &[], Some("2026-11-23T08:51:00Z"), noon, false);
        check(0, &["11:59", "18:00"], Some("2026-11-23T08:58:59Z"), noon, true);
        check(0, &["11:59", "18:00"], Some("2026-11-23T08:59:01Z"), noon, false);
        check(0, &["12:01"], Some("2026-11-22T09:00:59Z"), noon, true);
        check(0, &["12:01"], Some("2026-11-22T09:01:01Z"), noon, false);
        // A server that was just started waits for the time.
        check(0, &["06:00"], None, noon, false);
    }
}
