//! Freshness: when an article was last verified, when it should be again, and whether readers may trust it.

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde::Serialize;
use utoipa::ToSchema;

use crate::content::front_matter::FrontMatter;

/// Days before the day on which an article should be verified again, from which on it is due.
const DUE_AHEAD: i64 = 14;

/// The longest interval, in days: a hundred years.
const MAX_DAYS: i64 = 36_500;

/// How far an article may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// It should have been verified, and never was.
    Never,
    /// It should have been verified again.
    Overdue,
    /// It should be verified again soon.
    Due,
    /// Somebody verified it, and the time is not over.
    Verified,
}

impl Trust {
    /// The states by name.
    pub const NAMES: &[(&'static str, Self)] = &[
        ("never", Self::Never),
        ("overdue", Self::Overdue),
        ("due", Self::Due),
        ("verified", Self::Verified),
    ];
}

/// How fresh an article is on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Freshness {
    /// How far it may be trusted.
    pub trust: Trust,
    /// The day it was last verified.
    #[schema(value_type = Option<String>, format = Date)]
    pub verified: Option<Date>,
    /// The last day of the time for which that holds.
    #[schema(value_type = Option<String>, format = Date)]
    pub until: Option<Date>,
}

impl Freshness {
    /// How fresh what has a head is on a day. `None`: nobody ever verified it or said that somebody should.
    pub fn of(matter: &FrontMatter, day: Date) -> Option<Self> {
        let verified = matter.verified.as_deref().and_then(|day| day.parse::<Date>().ok());
        let interval = matter.verify_every.as_deref().and_then(interval);
        let Some(verified) = verified else {
            return interval.map(|_| Self { trust: Trust::Never, verified: None, until: None });
        };
        let until = interval.and_then(|interval| verified.checked_add(interval).ok());
        let trust = match until {
            Some(until) if until < day => Trust::Overdue,
            Some(until) if until < day.saturating_add(DUE_AHEAD.days()) => Trust::Due,
            _ => Trust::Verified,
        };
        Some(Self { trust, verified: Some(verified), until })
    }
}

/// How often something should be verified, as people write it: `90 days`, `2 weeks`, `6 months`, `1 year`, `90 дней`.
pub fn interval(text: &str) -> Option<Span> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: i64 = text[..digits].parse().ok().filter(|number| (1..=MAX_DAYS).contains(number))?;
    let unit = text[digits..].trim().to_lowercase();
    let is_one_of = |words: &[&str]| words.contains(&unit.as_str());
    if is_one_of(&["d", "day", "days", "день", "дня", "дней"]) {
        Some(number.days())
    } else if is_one_of(&["w", "week", "weeks", "неделя", "недели", "недель"]) {
        Some((number * 7).min(MAX_DAYS).days())
    } else if is_one_of(&["month", "months", "месяц", "месяца", "месяцев"]) {
        Some(number.min(1_200).months())
    } else if is_one_of(&["y", "year", "years", "год", "года", "лет"]) {
        Some(number.min(100).years())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::article::Article;

    fn freshness(head: &str, day: &str) -> Option<(Trust, Option<String>)> {
        let (parsed, problems) =
            Article::parse("articles", "a.md", &format!("---\ntitle: a\n{head}---\ntext\n"));
        assert!(problems.is_empty(), "{problems:?}");
        let freshness = Freshness::of(&parsed.unwrap().article.matter, day.parse().unwrap())?;
        Some((freshness.trust, freshness.until.map(|day| day.to_string())))
    }

    #[test]
    fn trust_ends() {
        let head = "verified: 2026-01-31\nverify_every: 3 months\n";
        let until = Some("2026-04-30".to_owned());
        for (day, trust) in [
            ("2026-02-01", Trust::Verified),
            ("2026-04-16", Trust::Verified),
            ("2026-04-17", Trust::Due),
            ("2026-04-30", Trust::Due),
            ("2026-05-01", Trust::Overdue),
        ] {
            assert_eq!(freshness(head, day), Some((trust, until.clone())), "{day}");
        }
        assert_eq!(freshness("verify_every: 90 days\n", "2026-01-01"), Some((Trust::Never, None)));
        assert_eq!(freshness("verified: 2020-01-01\n", "2026-01-01"), Some((Trust::Verified, None)));
        assert_eq!(freshness("", "2026-01-01"), None);
    }

    #[test]
    fn intervals_are_read() {
        for good in ["90 days", "1 day", "2 weeks", "6 months", "1 year", "90 дней", "3 месяца", "1год"]
        {
            assert!(interval(good).is_some(), "{good}");
        }
        for bad in ["", "often", "0 days", "-3 days", "90", "90 parsecs", "99999999999 days"] {
            assert!(interval(bad).is_none(), "{bad}");
        }
    }
}
