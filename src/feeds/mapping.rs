//! What the columns of a feed mean in a family of the catalogue.

use std::sync::Arc;

use crate::content::catalog::{Attribute, AttributeType, Lang};
use crate::content::problem::did_you_mean;
use crate::content::validity::Validity;
use crate::content::yaml::parse_date;
use crate::feeds::FeedProblem;
use crate::settings::{FeedColumn, FeedSettings};

/// Which part of a value a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The value; of a text, the one in a language.
    Value(Lang),
    /// The other end of a range.
    Max,
}

/// What a column sets.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Which product the row is about.
    Id,
    /// What it is called.
    Title(Lang),
    /// The regions of all values of the row that name none themselves, parted by commas.
    Region,
    /// The audience of them.
    Audience,
    /// Their first day.
    From,
    /// Their last day.
    To,
    /// A value.
    Value {
        /// Of which attribute.
        attribute: Arc<Attribute>,
        /// Which part of it.
        part: Part,
        /// Where, when and for whom it holds.
        validity: Validity,
    },
}

impl Target {
    /// Whether it is where a range begins that another one ends.
    pub fn begins(&self, end: &Self) -> bool {
        match (self, end) {
            (
                Self::Value { attribute, part: Part::Value(_), validity },
                Self::Value { attribute: own, part: Part::Max, validity: of },
            ) => own.id == attribute.id && of == validity,
            _ => false,
        }
    }
}

/// Reads what columns mean, in the order of the settings.
///
/// # Errors
/// All that does not fit the family.
pub fn targets(
    settings: &FeedSettings,
    attributes: &[Arc<Attribute>],
) -> Result<Vec<Target>, Vec<FeedProblem>> {
    let mut problems = Vec::new();
    let mut targets: Vec<Target> = Vec::new();
    for column in &settings.columns {
        match target(column, attributes) {
            Ok(target) if targets.contains(&target) => problems.push(FeedProblem::at(
                0,
                &column.column,
                format!("`{}` is set by two columns for the same regions and days", column.sets),
                "remove one of them from `columns` of the feed, or give it `regions`, `audience`, `from` or `to`",
            )),
            Ok(target) => targets.push(target),
            Err(problem) => problems.push(*problem),
        }
    }
    for (target, column) in targets.iter().zip(&settings.columns) {
        let Target::Value { attribute, part: Part::Max, .. } = target else { continue };
        if !targets.iter().any(|other| other.begins(target)) && problems.is_empty() {
            problems.push(FeedProblem::at(
                0,
                &column.column,
                format!("`{}` has no column that sets where it begins", column.sets),
                format!("add one with `sets = \"{}\"` and the same regions and days", attribute.id),
            ));
        }
    }
    if problems.is_empty() { Ok(targets) } else { Err(problems) }
}

fn target(column: &FeedColumn, attributes: &[Arc<Attribute>]) -> Result<Target, Box<FeedProblem>> {
    let wrong = |message: String, hint: &str| Box::new(FeedProblem::at(0, &column.column, message, hint));
    let plain = match column.sets.as_str() {
        "id" => Some(Target::Id),
        "title" | "title.ru" => Some(Target::Title(Lang::Ru)),
        "title.en" => Some(Target::Title(Lang::En)),
        "region" => Some(Target::Region),
        "audience" => Some(Target::Audience),
        "from" => Some(Target::From),
        "to" => Some(Target::To),
        _ => None,
    };
    if let Some(plain) = plain {
        return Ok(plain);
    }
    let (id, part) = column.sets.split_once('.').unwrap_or((&column.sets, ""));
    let Some(attribute) = attributes.iter().find(|attribute| attribute.id == id) else {
        let near = did_you_mean(id, attributes.iter().map(|attribute| attribute.id.as_str()));
        return Err(wrong(
            format!("the family has no attribute `{id}`{near}"),
            "correct `sets` of the feed's column, or declare the attribute in the family's file",
        ));
    };
    let is_range =
        matches!(attribute.kind, AttributeType::Money | AttributeType::Count | AttributeType::Period);
    let part = match part {
        "" => Part::Value(Lang::Ru),
        "ru" | "en" if attribute.kind == AttributeType::Text => {
            Part::Value(Lang::of(part).unwrap_or_default())
        }
        "max" if is_range => Part::Max,
        _ => {
            return Err(wrong(
                format!("`{}` is no part of `{id}`", column.sets),
                "a range has `.max`, a text `.ru` and `.en`",
            ));
        }
    };
    let day = |text: &str| match text {
        "" => Ok(None),
        day => parse_date(day).map(Some).map_err(|why| wrong(why, "write days as 2026-12-31")),
    };
    let (regions, audience) = (column.regions.clone(), column.audience.clone());
    let validity = Validity { regions, audience, from: day(&column.from)?, to: day(&column.to)? };
    Ok(Target::Value { attribute: Arc::clone(attribute), part, validity })
}
