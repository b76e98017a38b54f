//! Where and when something is in force: region, dates, audience.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Regions, dates and audience in which something is in force; empty means everywhere, always, for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Validity {
    /// Regions it holds in; empty means all.
    pub regions: Vec<String>,
    /// Who it is for; empty means everybody.
    pub audience: Vec<String>,
    /// First day in force.
    #[schema(value_type = Option<String>, format = Date)]
    pub from: Option<Date>,
    /// Last day in force.
    #[schema(value_type = Option<String>, format = Date)]
    pub to: Option<Date>,
}

impl Validity {
    /// Whether it limits nothing.
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it is in force on a day, for a region; without a region all regions are.
    pub fn in_force(&self, day: Date, region: Option<&str>) -> bool {
        self.from.is_none_or(|from| from <= day)
            && self.to.is_none_or(|to| day <= to)
            && region.is_none_or(|r| self.regions.is_empty() || self.regions.iter().any(|own| own == r))
    }

    /// This validity inside an outer one: dates are cut to the outer dates; regions and audience, where set, must lie
    /// in both, and where they do not meet, the inner one is kept, as the editor wrote it.
    #[must_use]
    pub fn within(&self, outer: &Self) -> Self {
        Self {
            regions: narrowed(&self.regions, &outer.regions),
            audience: narrowed(&self.audience, &outer.audience),
            from: self.from.max(outer.from),
            to: match (self.to, outer.to) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        }
    }
}

fn narrowed(inner: &[String], outer: &[String]) -> Vec<String> {
    if inner.is_empty() || outer.is_empty() {
        return if inner.is_empty() { outer.to_vec() } else { inner.to_vec() };
    }
    let both: Vec<String> = inner.iter().filter(|r| outer.contains(r)).cloned().collect();
    if both.is_empty() { inner.to_vec() } else { both }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn both_ends_are_in_force() {
        let december = Validity {
            regions: vec!["moscow".into()],
            from: Some(day("2026-12-01")),
            to: Some(day("2026-12-31")),
            ..Validity::default()
        };
        for (when, region, expected) in [
            ("2026-11-30", None, false),
            ("2026-12-01", None, true),
            ("2026-12-31", Some("moscow"), true),
            ("2026-12-31", Some("kemerovo"), false),
            ("2027-01-01", None, false),
        ] {
            assert_eq!(december.in_force(day(when), region), expected, "{when} {region:?}");
        }
    }

    #[test]
    fn an_inner_validity_narrows_the_outer() {
        let outer =
            Validity { from: Some(day("2026-01-01")), to: Some(day("2026-06-30")), ..Validity::default() };
        let inner =
            Validity { from: Some(day("2025-01-01")), to: Some(day("2026-03-31")), ..Validity::default() };
        let both = inner.within(&outer);
        assert_eq!((both.from, both.to), (outer.from, inner.to));
    }
}
