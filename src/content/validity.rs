//! Where and when something is in force: region, dates, audience.

use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The audience that everybody belongs to, signed in or not: it widens what a folder restricts.
pub const EVERYONE: &str = "everyone";

/// The audience that nobody belongs to: what a folder is given whose restrictions cannot be read.
pub const NOBODY: &str = "nobody";

/// Written before the name of an audience, it shuts that audience out.
pub const EXCEPT: char = '!';

/// Which audiences' content one may read. By default only what is for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Clearance {
    /// What is for everybody.
    #[default]
    Public,
    /// What is for one of these audiences, which are in order, or for everybody.
    Member(Arc<[String]>),
    /// What everyone may read who may read what has this audience: for what is put into texts before it is known who reads them.
    ReadersOf(Arc<[String]>),
    /// Everything: for those who keep the content.
    Everything,
}

impl Clearance {
    /// The clearance of somebody who belongs to some audiences.
    pub fn member(names: impl IntoIterator<Item = String>) -> Self {
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort();
        names.dedup();
        if names.is_empty() { Self::Public } else { Self::Member(names.into()) }
    }

    /// The clearance that all readers of an audience have.
    pub fn readers_of(audience: &[String]) -> Self {
        Self::ReadersOf(audience.into())
    }

    /// Whether one may read what is for an audience. Who belongs to one that is shut out may not, whatever else he belongs to.
    pub fn admits(&self, audience: &[String]) -> bool {
        if audience.is_empty() {
            return true;
        }
        match self {
            Self::Everything => true,
            Self::Public => is_for(audience, |_| false),
            Self::Member(names) => {
                is_for(audience, |name| names.binary_search_by(|own| own.as_str().cmp(name)).is_ok())
            }
            Self::ReadersOf(outer) => {
                let shut_out = |name: &String| !name.starts_with(EXCEPT) || outer.contains(name);
                let named = outer.iter().filter(|name| !name.starts_with(EXCEPT));
                audience.iter().all(shut_out)
                    && (named.clone().count() == 0 && is_for(audience, |_| false)
                        || named.clone().count() > 0
                            && named.clone().all(|own| is_for(audience, |name| name == own)))
            }
        }
    }
}

/// Whether an audience lets somebody in who belongs to what `belongs` says.
fn is_for(audience: &[String], belongs: impl Fn(&str) -> bool) -> bool {
    let mut is_open = true;
    let mut is_in = false;
    for name in audience {
        match name.strip_prefix(EXCEPT) {
            Some(name) if name == EVERYONE || belongs(name) => return false,
            Some(_) => {}
            None => {
                is_open = false;
                is_in |= name == EVERYONE || belongs(name);
            }
        }
    }
    is_open || is_in
}

/// Where, when and as whom one asks what is in force.
#[derive(Clone, Copy, Debug)]
pub struct Standpoint<'a> {
    /// The day.
    pub day: Date,
    /// The region; without one, what is in force in any region is.
    pub region: Option<&'a str>,
    /// What one may read.
    pub clearance: &'a Clearance,
}

impl Standpoint<'static> {
    /// That of anybody, in no particular region.
    pub fn public(day: Date) -> Self {
        Self { day, region: None, clearance: &Clearance::Public }
    }

    /// That of those who keep the content.
    pub fn keeper(day: Date) -> Self {
        Self { day, region: None, clearance: &Clearance::Everything }
    }
}

impl<'a> Standpoint<'a> {
    /// The same on another day.
    #[must_use]
    pub fn on(self, day: Date) -> Self {
        Self { day, ..self }
    }

    /// The same without a region.
    #[must_use]
    pub fn anywhere(self) -> Self {
        Self { region: None, ..self }
    }
}

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

    /// Whether it limits neither regions nor days.
    pub fn is_for_all_days_and_regions(&self) -> bool {
        self.regions.is_empty() && self.from.is_none() && self.to.is_none()
    }

    /// Whether it is in force for somebody on a day, in a region; without a region all regions are.
    pub fn in_force(&self, at: Standpoint<'_>) -> bool {
        self.from.is_none_or(|from| from <= at.day)
            && self.to.is_none_or(|to| at.day <= to)
            && at.region.is_none_or(|r| self.regions.is_empty() || self.regions.iter().any(|own| own == r))
            && at.clearance.admits(&self.audience)
    }

    /// Whether another one says the same, in whatever order it names regions and audiences.
    pub fn is_alike(&self, other: &Self) -> bool {
        let is_same = |one: &[String], other: &[String]| {
            one.len() == other.len() && one.iter().all(|name| other.contains(name))
        };
        (self.from, self.to) == (other.from, other.to)
            && is_same(&self.regions, &other.regions)
            && is_same(&self.audience, &other.audience)
    }

    /// Whether both can be in force for one reader on one day. Of two audiences that have no name in common nobody is thought to be in both.
    pub fn meets(&self, other: &Self) -> bool {
        let regions = self.regions.is_empty()
            || other.regions.is_empty()
            || self.regions.iter().any(|region| other.regions.contains(region));
        let begins_in_time = |from: Option<Date>, to: Option<Date>| match (from, to) {
            (Some(from), Some(to)) => from <= to,
            _ => true,
        };
        regions
            && begins_in_time(self.from, other.to)
            && begins_in_time(other.from, self.to)
            && audiences_meet(&self.audience, &other.audience)
    }

    /// This validity inside an outer one: dates are cut to the outer dates; regions and audience, where set, must lie
    /// in both. Where regions do not meet, the inner ones are kept, as the editor wrote them; where audiences do not, nobody is let in.
    /// Who is shut out outside is shut out inside.
    #[must_use]
    pub fn within(&self, outer: &Self) -> Self {
        Self {
            regions: narrowed(&self.regions, &outer.regions),
            audience: narrowed_audience(&self.audience, &outer.audience),
            from: self.from.max(outer.from),
            to: match (self.to, outer.to) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        }
    }
}

fn audiences_meet(one: &[String], other: &[String]) -> bool {
    let named = |audience: &[String]| -> Vec<String> {
        let names = audience.iter().filter(|name| !name.starts_with(EXCEPT) && *name != EVERYONE);
        names.cloned().collect()
    };
    let (ones, others) = (named(one), named(other));
    let is_shut_out = |names: &[String], by: &[String]| {
        let is_out =
            |name: &String| name == NOBODY || by.iter().any(|b| b.strip_prefix(EXCEPT) == Some(name));
        !names.is_empty() && names.iter().all(is_out)
    };
    let have_common = ones.is_empty() || others.is_empty() || ones.iter().any(|name| others.contains(name));
    have_common && !is_shut_out(&ones, other) && !is_shut_out(&others, one)
}

fn narrowed(inner: &[String], outer: &[String]) -> Vec<String> {
    if inner.is_empty() || outer.is_empty() {
        return if inner.is_empty() { outer.to_vec() } else { inner.to_vec() };
    }
    let both: Vec<String> = inner.iter().filter(|r| outer.contains(r)).cloned().collect();
    if both.is_empty() { inner.to_vec() } else { both }
}

fn narrowed_audience(inner: &[String], outer: &[String]) -> Vec<String> {
    let parts = |audience: &[String]| -> (Vec<String>, Vec<String>) {
        audience.iter().filter(|name| *name != EVERYONE).cloned().partition(|name| name.starts_with(EXCEPT))
    };
    let ((mut shut_out, inner), (outer_shut_out, outer)) = (parts(inner), parts(outer));
    let mut audience = narrowed(&inner, &outer);
    if !audience.is_empty() && !outer.is_empty() && !audience.iter().any(|name| outer.contains(name)) {
        // Where the two do not meet, nobody is let in: who may not read what is around may not read what is inside.
        audience = vec![NOBODY.to_owned()];
    }
    shut_out.extend(outer_shut_out);
    shut_out.sort();
    shut_out.dedup();
    audience.extend(shut_out);
    audience
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
            let at = Standpoint { region, ..Standpoint::public(day(when)) };
            assert_eq!(december.in_force(at), expected, "{when} {region:?}");
        }
    }

    #[test]
    fn what_nobody_sees_together_does_not_meet() {
        let of = |regions: &[&str], audience: &[&str], from: Option<&str>, to: Option<&str>| Validity {
            regions: regions.iter().map(|name| (*name).to_owned()).collect(),
            audience: audience.iter().map(|name| (*name).to_owned()).collect(),
            from: from.map(day),
            to: to.map(day),
        };
        let always = Validity::default();
        for (one, other, expected) in [
            (of(&["moscow"], &[], None, None), of(&["tula"], &[], None, None), false),
            (of(&["moscow"], &[], None, None), of(&["tula", "moscow"], &[], None, None), true),
            (of(&[], &[], None, Some("2026-11-30")), of(&[], &[], Some("2026-12-01"), None), false),
            (of(&[], &[], None, Some("2026-12-01")), of(&[], &[], Some("2026-12-01"), None), true),
            (of(&[], &["b2b"], None, None), of(&[], &["legal"], None, None), false),
            (of(&[], &["b2b"], None, None), of(&[], &["!b2b"], None, None), false),
            (of(&[], &["b2b"], None, None), of(&[], &["!legal"], None, None), true),
            (of(&[], &["nobody"], None, None), always.clone(), false),
            (of(&["moscow"], &["b2b"], Some("2026-12-01"), None), always, true),
        ] {
            assert_eq!(one.meets(&other), expected, "{one:?} {other:?}");
            assert_eq!(other.meets(&one), expected, "{other:?} {one:?}");
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

    #[track_caller]
    fn check_audience(audience: &[&str], clearance: &Clearance, expected: bool) {
        let audience: Vec<String> = audience.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(clearance.admits(&audience), expected, "{audience:?} for {clearance:?}");
    }

    #[test]
    fn an_audience_lets_in_and_shuts_out() {
        let of = |names: &[&str]| Clearance::member(names.iter().map(|name| (*name).to_owned()));
        let (b2b, both) = (of(&["b2b"]), of(&["b2b", "partners"]));
        for (audience, public, b2b_in, both_in) in [
            (&[][..], true, true, true),
            (&["b2b"], false, true, true),
            (&["legal", "b2b"], false, true, true),
            (&["legal"], false, false, false),
            (&["!partners"], true, true, false),
            (&["b2b", "!partners"], false, true, false),
            (&[EVERYONE], true, true, true),
            (&[NOBODY], false, false, false),
        ] {
            check_audience(audience, &Clearance::Public, public);
            check_audience(audience, &b2b, b2b_in);
            check_audience(audience, &both, both_in);
            check_audience(audience, &Clearance::Everything, true);
        }
    }

    #[test]
    fn what_is_put_into_a_text_may_be_read_by_all_its_readers() {
        let of = |names: &[&str]| {
            Clearance::readers_of(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        check_audience(&["b2b"], &of(&[]), false);
        check_audience(&["!partners"], &of(&[]), false);
        check_audience(&[EVERYONE], &of(&[]), true);
        check_audience(&["b2b"], &of(&["b2b"]), true);
        check_audience(&["b2b", "legal"], &of(&["b2b"]), true);
        check_audience(&["b2b"], &of(&["b2b", "legal"]), false);
        check_audience(&["!partners"], &of(&["b2b"]), false);
        check_audience(&["!partners"], &of(&["!partners"]), true);
        check_audience(&["b2b", "!partners"], &of(&["b2b", "!partners"]), true);
        check_audience(&["b2b"], &of(&["!partners"]), false);
        check_audience(&[EVERYONE], &of(&["!partners"]), true);
    }

    #[test]
    fn an_inner_audience_narrows_the_outer() {
        let of = |names: &[&str]| Validity {
            audience: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Validity::default()
        };
        for (inner, outer, expected) in [
            (&[][..], &["a"][..], &["a"][..]),
            (&["a"], &["a", "b", "!x"], &["a", "!x"]),
            (&["!y"], &["a", "!x"], &["a", "!x", "!y"]),
            (&["everyone"], &["a"], &["a"]),
            (&["b"], &["a"], &[NOBODY]),
        ] {
            assert_eq!(of(inner).within(&of(outer)), of(expected), "{inner:?} in {outer:?}");
        }
    }
}
