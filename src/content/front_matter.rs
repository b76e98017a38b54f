//! The head of an article: what it is, who and when it is for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::content::catalog::Lang;
use crate::content::problem::{Position, Report};
use crate::content::validity::Validity;
use crate::content::yaml::{self, Fields};

/// What sort of article it is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// About a product.
    Product,
    /// How to do a thing.
    Procedure,
    /// Anything to be read at length.
    #[default]
    Manual,
    /// Questions and answers.
    Faq,
    /// What is new.
    News,
    /// What to say.
    Script,
}

impl Kind {
    /// The kinds by name.
    pub const NAMES: &[(&'static str, Self)] = &[
        ("product", Self::Product),
        ("procedure", Self::Procedure),
        ("manual", Self::Manual),
        ("faq", Self::Faq),
        ("news", Self::News),
        ("script", Self::Script),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, k)| *k == self).map_or("", |(name, _)| name)
    }
}

/// Whether readers get it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Never served.
    Draft,
    /// In force.
    #[default]
    Active,
    /// Found, marked, below what is in force.
    Archived,
}

impl Status {
    /// The statuses by name.
    pub const NAMES: &[(&'static str, Self)] =
        &[("draft", Self::Draft), ("active", Self::Active), ("archived", Self::Archived)];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, s)| *s == self).map_or("", |(name, _)| name)
    }
}

/// A text of the head and where it stands, to be checked against the rest of the library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    /// The text.
    pub text: Box<str>,
    /// Where it stands.
    pub at: Position,
}

/// The front matter of an article.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrontMatter {
    /// The title as written, with references to catalogue values.
    pub title: Option<Located>,
    /// What sort of article it is.
    pub kind: Kind,
    /// The language it says it is in.
    pub lang: Option<Lang>,
    /// Products it is about.
    pub products: Vec<Located>,
    /// Where, when and for whom it holds.
    pub validity: Validity,
    /// Tags.
    pub tags: Vec<String>,
    /// Other names readers search by.
    pub aliases: Vec<String>,
    /// Whether readers get it.
    pub status: Status,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The day it was last verified.
    pub verified: Option<String>,
    /// How often it should be verified.
    pub verify_every: Option<String>,
    /// The article that replaced it.
    pub replaced_by: Option<Located>,
    /// Articles worth reading next.
    pub related: Vec<Located>,
    /// Anchor of the first step, when it is a guided flow.
    pub flow: Option<Located>,
}

impl FrontMatter {
    /// Reads the YAML of a head that begins on `first_line`; `None` when it is no YAML.
    /// Errors are in the report; what could not be read is left at its default.
    pub fn parse(text: &str, first_line: u32, report: &mut Report) -> Option<Self> {
        let node = yaml::parse(text, first_line, report)?;
        let mut fields = Fields::of(node, "front matter", report);
        let matter = Self {
            title: located(fields.text("title")),
            kind: fields.choice("kind", Kind::NAMES).unwrap_or_default(),
            lang: fields.choice("lang", Lang::NAMES),
            products: fields.list("products").into_iter().filter_map(|t| located(Some(t))).collect(),
            validity: fields.validity_of_file(),
            tags: fields.texts("tags"),
            aliases: fields.texts("aliases"),
            status: fields.choice("status", Status::NAMES).unwrap_or_default(),
            owner: fields.text("owner").map(|t| t.0),
            verified: fields.date("verified").map(|day| day.to_string()),
            verify_every: fields.interval("verify_every"),
            replaced_by: located(fields.text("replaced_by")),
            related: fields.list("related").into_iter().filter_map(|t| located(Some(t))).collect(),
            flow: located(fields.text("flow")),
        };
        fields.finish("front matter");
        Some(matter)
    }
}

fn located(text: Option<(String, Position)>) -> Option<Located> {
    text.map(|(text, at)| Located { text: text.into(), at })
}

/// A text whose head says something of some keys, a line each; everything else stays as it is.
pub fn with_keys(text: &str, keys: &[(&str, &str)]) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let line = |(key, value): &(&str, &str)| format!("{key}: {value}{end}");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_mark = |line: &str| line.trim_end() == "---";
    let close = match lines.first() {
        Some(first) if is_mark(first) => lines.iter().skip(1).position(|line| is_mark(line)).map(|at| at + 1),
        _ => None,
    };
    let Some(close) = close else {
        let head: String = keys.iter().map(line).collect();
        return format!("---{end}{head}---{end}{text}");
    };
    let mut missing: Vec<&(&str, &str)> = keys.iter().collect();
    let mut out = String::with_capacity(text.len() + 64);
    for (at, old) in lines.iter().enumerate() {
        let said = keys.iter().find(|(key, _)| {
            at < close && old.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'))
        });
        if let Some(said) = said {
            out.push_str(&line(said));
            missing.retain(|one| one.0 != said.0);
            continue;
        }
        if at == close {
            missing.iter().for_each(|one| out.push_str(&line(one)));
        }
        out.push_str(old);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_of_the_keys_are_different() {
        let verified: &[(&str, &str)] = &[("verified", "2026-11-25")];
        let archived: &[(&str, &str)] = &[("status", "archived"), ("replaced_by", "b/c")];
        for (text, keys, wanted) in [
            (
                "---\ntitle: a\nverified: 2025-01-01\n---\nverified: x\n",
                verified,
                "---\ntitle: a\nverified: 2026-11-25\n---\nverified: x\n",
            ),
            ("---\ntitle: a\n---\nb\n", verified, "---\ntitle: a\nverified: 2026-11-25\n---\nb\n"),
            (
                "---\r\ntitle: a\r\n---\r\nb\r\n",
                verified,
                "---\r\ntitle: a\r\nverified: 2026-11-25\r\n---\r\nb\r\n",
            ),
            ("# a\n", verified, "---\nverified: 2026-11-25\n---\n# a\n"),
            ("---\ntitle: a\n", verified, "---\nverified: 2026-11-25\n---\n---\ntitle: a\n"),
            (
                "---\nstatus : active # so far\ntitle: a\nstatuses: b\n---\nb\n",
                archived,
                "---\nstatus: archived\ntitle: a\nstatuses: b\nreplaced_by: b/c\n---\nb\n",
            ),
        ] {
            assert_eq!(with_keys(text, keys), wanted);
        }
    }
}
