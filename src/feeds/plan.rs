//! What a feed would change in a family: product by product, with old and new values, and what of it waits for a person.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::content::catalog::{Attribute, AttributeType, Family, Lang, Localized, Product, Reading};
use crate::content::front_matter::Status;
use crate::content::validity::Validity;
use crate::feeds::FeedProblem;
use crate::feeds::validate::{Wanted, Wish, Wishes};
use crate::settings::{FeedSettings, MissingProducts};

/// What happens to a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeedChangeKind {
    /// It is new.
    Added,
    /// A value or its title is different.
    Changed,
    /// It is archived: the feed names it no more.
    Archived,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeedChange {
    /// What happens.
    pub change: FeedChangeKind,
    /// The product's id.
    pub product: String,
    /// What it is called.
    pub title: String,
    /// The attribute's id, or `title.ru`, `title.en`; empty: the product as a whole.
    pub attribute: String,
    /// What that is called.
    pub label: String,
    /// Where, when and for whom the value holds.
    pub validity: Validity,
    /// What it was; none: there was none.
    pub old: Option<String>,
    /// What it becomes.
    pub new: Option<String>,
    /// By how many per cent a price moves.
    pub percent: Option<f64>,
    /// Whether that is more than it may.
    pub beyond: bool,
    /// The line of the source; 0: none.
    pub line: u32,
}

/// A value to be written.
#[derive(Clone, Debug)]
pub struct NewValue {
    /// Of which attribute.
    pub attribute: Arc<Attribute>,
    /// Where, when and for whom it holds.
    pub validity: Validity,
    /// Of a text, in which language.
    pub lang: Lang,
    /// The value.
    pub reading: Reading,
}

/// What is to be written of one product.
#[derive(Clone, Debug)]
pub struct ProductEdit {
    /// Whether it is not in the file yet.
    pub is_new: bool,
    /// Its titles that become others.
    pub titles: Vec<(Lang, String)>,
    /// Its values that become others, or are new.
    pub values: Vec<NewValue>,
    /// Whether it is archived.
    pub archive: bool,
    /// The product as it is meant to be.
    pub meant: Product,
}

/// All that a feed would change.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Products to be written, by the path of their file.
    pub files: BTreeMap<String, Vec<ProductEdit>>,
    /// The differences, in the order of the source.
    pub changes: Vec<FeedChange>,
    /// Why a person has to look at it first; empty: nobody has to.
    pub reasons: Vec<String>,
    /// What is wrong with single rows.
    pub problems: Vec<FeedProblem>,
    /// Rows that are left out.
    pub bad_rows: usize,
}

/// A product while the rows about it are read.
struct Work {
    path: String,
    edit: ProductEdit,
    /// The product as it is.
    origin: Option<Arc<Product>>,
}

/// Compares what a source says with a family. New products go into the last of its files.
/// What `others` name are products of other families.
pub fn plan(
    wishes: Wishes,
    rows: usize,
    files: &[(String, Arc<Family>)],
    others: &HashMap<String, String>,
    settings: &FeedSettings,
) -> Plan {
    let mut plan = Plan { problems: wishes.problems, bad_rows: wishes.bad_rows, ..Plan::default() };
    let known: HashMap<&str, (&String, &Arc<Product>)> = files
        .iter()
        .flat_map(|(path, family)| family.products.iter().map(move |p| (p.id.as_str(), (path, p))))
        .collect();
    let mut works: Vec<Work> = Vec::new();
    let mut by_id: HashMap<String, usize> = HashMap::new();
    let Some((last, family)) = files.last() else { return plan };
    for wish in &wishes.rows {
        if let Some(other) = others.get(&wish.id).filter(|_| !known.contains_key(wish.id.as_str())) {
            plan.bad_rows += 1;
            plan.problems.push(FeedProblem::at(
                wish.line,
                "",
                format!("`{}` is a product of another family: {other}", wish.id),
                "leave it out of this feed, or give it another id",
            ));
            continue;
        }
        let at = *by_id.entry(wish.id.clone()).or_insert_with(|| {
            works.push(work(&wish.id, known.get(wish.id.as_str()), last, &family.id));
            works.len() - 1
        });
        let work = &mut works[at];
        if settings.missing == MissingProducts::Archive && work.edit.meant.status == Status::Archived {
            plan.problems.push(FeedProblem::at(
                wish.line,
                "",
                format!("`{}` is archived here, and the source names it", wish.id),
                "take `status: archived` out of its file if it is offered again",
            ));
        }
        match compare(work, wish, settings) {
            Ok(changes) => plan.changes.extend(changes),
            Err(problem) => {
                plan.bad_rows += 1;
                plan.problems.push(problem);
            }
        }
    }
    if settings.missing == MissingProducts::Archive {
        archive(&mut plan, &mut works, files, &wishes.named, wishes.has_nameless, settings);
    }
    for work in works {
        let Work { path, edit, .. } = work;
        if edit.is_new || edit.archive || !edit.titles.is_empty() || !edit.values.is_empty() {
            plan.files.entry(path).or_default().push(edit);
        }
    }
    reasons(&mut plan, rows, settings);
    plan
}

fn work(id: &str, known: Option<&(&String, &Arc<Product>)>, last: &str, family: &str) -> Work {
    let (path, meant, origin) = match known {
        Some((path, product)) => ((*path).clone(), Product::clone(product), Some(Arc::clone(product))),
        None => (last.to_owned(), Product::new(id, family, last), None),
    };
    let edit = ProductEdit {
        is_new: origin.is_none(),
        titles: Vec::new(),
        values: Vec::new(),
        archive: false,
        meant,
    };
    Work { path, edit, origin }
}

/// Puts what a row says into a product, and tells what is different. A row is taken whole or not at all.
fn compare(work: &mut Work, wish: &Wish, settings: &FeedSettings) -> Result<Vec<FeedChange>, FeedProblem> {
    let is_first = work.edit.is_new && work.edit.titles.is_empty() && work.edit.values.is_empty();
    let mut readings = Vec::new();
    for wanted in &wish.values {
        if let Some(found) = different(&work.edit.meant, wanted, wish.line)? {
            readings.push((wanted, found));
        }
    }
    let (edit, origin) = (&mut work.edit, work.origin.as_deref());
    let mut changes = Vec::new();
    for (lang, title) in &wish.titles {
        let old = edit.meant.title.written(*lang).map(str::to_owned);
        if old.as_deref() == Some(title) {
            continue;
        }
        if edit.is_new && edit.titles.is_empty() {
            edit.meant.title = Localized::default();
        }
        edit.meant.title.set(*lang, title);
        edit.titles.retain(|(own, _)| own != lang);
        edit.titles.push((*lang, title.clone()));
        if !edit.is_new {
            let attribute = format!("title.{}", lang.code());
            changes.push(FeedChange { old, new: Some(title.clone()), ..change(edit, &attribute, wish.line) });
        }
    }
    for (wanted, (old, reading)) in readings {
        let (attribute, lang) = (&wanted.attribute, wanted.lang);
        let before = before(origin, wanted, old.as_ref());
        let percent = percent(before.as_deref().unwrap_or_default(), &reading);
        // From nothing to something is further than any per cent, and so is a price that none can be compared with.
        let is_beyond_all = before.is_some_and(|before| before.is_empty() || before.iter().any(is_nothing));
        let beyond = is_beyond_all
            || percent.is_some_and(|percent| percent.abs() > f64::from(settings.max_price_change));
        changes.push(FeedChange {
            label: attribute.label.get(Lang::Ru).to_owned(),
            validity: wanted.validity.clone(),
            old: old.as_ref().map(|old| old.show(attribute, lang)),
            new: Some(reading.show(attribute, lang)),
            percent,
            beyond,
            ..change(edit, &attribute.id, wish.line)
        });
        edit.meant.set(attribute, &wanted.validity, reading.clone());
        edit.values.push(NewValue {
            attribute: Arc::clone(attribute),
            validity: wanted.validity.clone(),
            lang,
            reading,
        });
    }
    if is_first {
        changes.insert(0, FeedChange { new: None, ..change(edit, "", wish.line) });
    }
    Ok(changes)
}

fn change(edit: &ProductEdit, attribute: &str, line: u32) -> FeedChange {
    FeedChange {
        change: if edit.is_new { FeedChangeKind::Added } else { FeedChangeKind::Changed },
        product: edit.meant.id.clone(),
        title: edit.meant.title.get(Lang::Ru).to_owned(),
        attribute: attribute.to_owned(),
        label: String::new(),
        validity: Validity::default(),
        old: None,
        new: None,
        percent: None,
        beyond: false,
        line,
    }
}

/// A value that is not as it is: what it was, and what it becomes.
fn different(
    product: &Product,
    wanted: &Wanted,
    line: u32,
) -> Result<Option<(Option<Reading>, Reading)>, FeedProblem> {
    let Some(old) = product.reading(&wanted.attribute.id, &wanted.validity) else {
        return Ok(Some((None, wanted.reading.clone())));
    };
    let new = wanted.reading.clone().with_end_of(&old).ok_or_else(|| {
        FeedProblem::at(
            line,
            &wanted.column,
            format!("`{}` would end before it begins", wanted.attribute.id),
            "let a column set the other end as well (`.max`)",
        )
    })?;
    let new = new.over(&old, wanted.lang);
    Ok((!new.is_same(&old)).then_some((Some(old), new)))
}

/// The prices that a new one stands in the place of: the one for the same regions, days and audience, or else all that hold together with it.
/// `None`: it is no price, or the first one of a product.
fn before(origin: Option<&Product>, wanted: &Wanted, old: Option<&Reading>) -> Option<Vec<Reading>> {
    let origin = origin.filter(|_| wanted.attribute.kind == AttributeType::Money)?;
    match old {
        Some(old) => Some(vec![old.clone()]),
        None => origin.readings_meeting(&wanted.attribute.id, &wanted.validity),
    }
}

/// By how many per cent a price moves, at the furthest.
fn percent(before: &[Reading], new: &Reading) -> Option<f64> {
    let (low, high) = new.thousandths()?;
    let moved = |new: i64, old: i64| {
        #[expect(clippy::cast_precision_loss, reason = "a per cent is shown, and compared with a bound")]
        let (new, old) = (new as f64, old as f64);
        (old != 0.0).then(|| (new - old) / old * 100.0)
    };
    let olds = before.iter().filter_map(Reading::thousandths);
    // What is no range ends where it begins.
    let ends = olds.flat_map(|(old_low, old_high)| {
        [moved(low, old_low), moved(high.unwrap_or(low), old_high.unwrap_or(old_low))]
    });
    let furthest = ends.flatten().max_by(|one, other| one.abs().total_cmp(&other.abs()));
    furthest.map(|percent| (percent * 10.0).round() / 10.0)
}

fn is_nothing(price: &Reading) -> bool {
    price.thousandths().is_some_and(|(low, _)| low == 0)
}

fn archive(
    plan: &mut Plan,
    works: &mut Vec<Work>,
    files: &[(String, Arc<Family>)],
    named: &std::collections::BTreeSet<String>,
    has_nameless: bool,
    settings: &FeedSettings,
) {
    let all = files.iter().flat_map(|(path, family)| family.products.iter().map(move |p| (path, p)));
    let offered: Vec<(&String, &Arc<Product>)> = all.filter(|(_, p)| p.status == Status::Active).collect();
    let mut missing = 0;
    for (path, product) in &offered {
        if named.contains(&product.id) {
            continue;
        }
        missing += 1;
        let mut work = work(&product.id, Some(&(path, product)), path, "");
        work.edit.archive = true;
        work.edit.meant.status = Status::Archived;
        let mut told = change(&work.edit, "", 0);
        told.change = FeedChangeKind::Archived;
        plan.changes.push(told);
        works.push(work);
    }
    if missing * 100 > offered.len() * settings.max_removed as usize {
        plan.reasons.push(format!(
            "{missing} of {} products are missing: more than {} %",
            offered.len(),
            settings.max_removed
        ));
    }
    if missing > 0 && has_nameless {
        plan.reasons.push("products are missing, and there are rows that name none".to_owned());
    }
}

fn reasons(plan: &mut Plan, rows: usize, settings: &FeedSettings) {
    let beyond = plan.changes.iter().filter(|change| change.beyond).count();
    if beyond > 0 {
        plan.reasons.push(format!(
            "{beyond} prices move by more than {} %, or there is none to compare them with",
            settings.max_price_change
        ));
    }
    if plan.bad_rows * 100 > rows * settings.max_bad_rows as usize {
        plan.reasons.push(format!(
            "{} of {rows} rows are wrong: more than {} %",
            plan.bad_rows, settings.max_bad_rows
        ));
    }
}
