//! Rows as what they say of products: every cell read by the rules of its attribute, or a problem with its place.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::content::catalog::{Attribute, AttributeType, Lang, Reading};
use crate::content::validity::Validity;
use crate::content::values::is_id;
use crate::content::yaml::parse_date;
use crate::feeds::FeedProblem;
use crate::feeds::mapping::{Part, Target};
use crate::feeds::read::Row;
use crate::settings::FeedSettings;

/// The most digits before the point of a number that anybody means.
const MAX_DIGITS: usize = 9;

/// What a source says.
#[derive(Debug, Default)]
pub struct Wishes {
    /// What rows say, in their order.
    pub rows: Vec<Wish>,
    /// What is wrong with rows that are left out.
    pub problems: Vec<FeedProblem>,
    /// How many rows are left out.
    pub bad_rows: usize,
    /// All products that are named, also by rows that are left out.
    pub named: BTreeSet<String>,
    /// Whether a row is left out of which nobody knows what product it is about.
    pub has_nameless: bool,
}

/// What one row says.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Its line.
    pub line: u32,
    /// The product.
    pub id: String,
    /// What it is called.
    pub titles: Vec<(Lang, String)>,
    /// Its values.
    pub values: Vec<Wanted>,
}

/// A value as the source has it.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The column's heading.
    pub column: String,
    /// What it is a value of.
    pub attribute: Arc<Attribute>,
    /// Of a text, in which language.
    pub lang: Lang,
    /// Where, when and for whom it holds.
    pub validity: Validity,
    /// The value.
    pub reading: Reading,
}

/// Reads rows. Rows that cannot be read are left out and told.
///
/// # Errors
/// What shows that the source as a whole is not what it should be: products named twice, prices that nobody means, no row that can be read.
pub fn validate(
    rows: &[Row],
    settings: &FeedSettings,
    targets: &[Target],
) -> Result<Wishes, Vec<FeedProblem>> {
    let mut wishes = Wishes::default();
    let mut absurd = Vec::new();
    let mut seen: HashSet<(String, String, Validity)> = HashSet::new();
    for row in rows {
        let cells = Cells { row, settings, targets };
        let id = cells.id();
        if let Ok(id) = &id {
            wishes.named.insert(id.clone());
        }
        wishes.has_nameless |= id.is_err();
        let wish = match (&row.fault, id) {
            (Some(fault), _) => {
                Err(vec![FeedProblem::at(row.line, "", format!("the row {fault}"), "correct the row")])
            }
            (None, Err(problem)) => Err(vec![*problem]),
            (None, Ok(id)) => cells.wish(id, &mut absurd),
        };
        match wish {
            Ok(wish) => {
                // A row without values still names its product once.
                let keys: Vec<(String, Validity)> = match wish.values.as_slice() {
                    [] => vec![(String::new(), Validity::default())],
                    values => values
                        .iter()
                        .map(|v| (format!("{}.{}", v.attribute.id, v.lang.code()), v.validity.clone()))
                        .collect(),
                };
                let is_twice =
                    keys.into_iter().any(|(key, validity)| !seen.insert((wish.id.clone(), key, validity)));
                if is_twice {
                    absurd.push(FeedProblem::at(
                        row.line,
                        &cells.heading(&Target::Id),
                        format!("`{}` is named twice for the same regions and days", wish.id),
                        "leave one row of them in the source",
                    ));
                }
                wishes.rows.push(wish);
            }
            Err(problems) => {
                wishes.bad_rows += 1;
                wishes.problems.extend(problems);
            }
        }
    }
    if !absurd.is_empty() {
        return Err(absurd);
    }
    if wishes.rows.is_empty() {
        return Err(wishes.problems);
    }
    Ok(wishes)
}

/// The cells of a row, by what they mean.
struct Cells<'a> {
    row: &'a Row,
    settings: &'a FeedSettings,
    targets: &'a [Target],
}

impl Cells<'_> {
    fn get(&self, target: &Target) -> &str {
        let at = self.targets.iter().position(|known| known == target);
        at.and_then(|at| self.row.cells.get(at)).map_or("", String::as_str)
    }

    fn heading(&self, target: &Target) -> String {
        let at = self.targets.iter().position(|known| known == target);
        at.and_then(|at| self.settings.columns.get(at)).map_or_else(String::new, |c| c.column.clone())
    }

    fn wrong(&self, target: &Target, message: String, hint: &str) -> Box<FeedProblem> {
        Box::new(FeedProblem::at(self.row.line, &self.heading(target), message, hint))
    }

    fn id(&self) -> Result<String, Box<FeedProblem>> {
        let id = self.get(&Target::Id).to_lowercase();
        if is_id(&id) && id.len() <= 100 {
            return Ok(id);
        }
        let message = if id.is_empty() {
            "the row names no product".to_owned()
        } else {
            format!("`{}` cannot be the id of a product", id.chars().take(100).collect::<String>())
        };
        Err(self.wrong(&Target::Id, message, "ids are Latin letters, digits and hyphens"))
    }

    /// What the row says of all its values that do not say it themselves.
    fn validity(&self) -> Result<Validity, Box<FeedProblem>> {
        let list = |text: &str| -> Vec<String> {
            text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
        };
        let day = |target: &Target| match self.get(target) {
            "" => Ok(None),
            text => {
                parse_date(text).map(Some).map_err(|why| self.wrong(target, why, "write days as 2026-12-31"))
            }
        };
        let (from, to) = (day(&Target::From)?, day(&Target::To)?);
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            let message = "ends before it begins".to_owned();
            return Err(self.wrong(&Target::To, message, "swap or correct the two days"));
        }
        let (regions, audience) = (list(self.get(&Target::Region)), list(self.get(&Target::Audience)));
        Ok(Validity { regions, audience, from, to })
    }

    fn wish(&self, id: String, absurd: &mut Vec<FeedProblem>) -> Result<Wish, Vec<FeedProblem>> {
        let of_row = self.validity().map_err(|problem| vec![*problem])?;
        let mut wish = Wish { line: self.row.line, id, titles: Vec::new(), values: Vec::new() };
        let mut problems = Vec::new();
        for ((target, column), cell) in self.targets.iter().zip(&self.settings.columns).zip(&self.row.cells) {
            if cell.is_empty() {
                continue;
            }
            match target {
                Target::Title(lang) => wish.titles.push((*lang, cell.clone())),
                Target::Value { attribute, part: Part::Value(lang), validity } => {
                    if let Some(problem) = self.absurd(attribute, &column.column, cell) {
                        absurd.push(problem);
                        continue;
                    }
                    let max = self.targets.iter().find(|end| target.begins(end)).map(|end| self.get(end));
                    let max = max.filter(|max| !max.is_empty());
                    if let Some(problem) = max.and_then(|max| self.absurd(attribute, &column.column, max)) {
                        absurd.push(problem);
                        continue;
                    }
                    if let Some(problem) = [Some(cell.as_str()), max]
                        .into_iter()
                        .flatten()
                        .find_map(|text| self.ambiguous(attribute, &column.column, text))
                    {
                        problems.push(problem);
                        continue;
                    }
                    match Reading::of(attribute, *lang, cell, max) {
                        Ok(reading) => wish.values.push(Wanted {
                            column: column.column.clone(),
                            attribute: Arc::clone(attribute),
                            lang: *lang,
                            validity: both(validity, &of_row),
                            reading,
                        }),
                        Err(why) => {
                            let (message, hint) = why.split_once("; ").unwrap_or((&why, ""));
                            problems.push(FeedProblem::at(self.row.line, &column.column, message, hint));
                        }
                    }
                }
                Target::Value { attribute, part: Part::Max, .. } => {
                    let base = self.targets.iter().find(|other| other.begins(target));
                    if base.is_none_or(|base| self.get(base).is_empty()) {
                        problems.push(FeedProblem::at(
                            self.row.line,
                            &column.column,
                            format!("`{}` ends and does not begin", attribute.id),
                            "fill in where it begins as well",
                        ));
                    }
                }
                _ => {}
            }
        }
        if problems.is_empty() { Ok(wish) } else { Err(problems) }
    }

    /// A number that nobody means: it shows that columns moved, or that points were lost.
    fn absurd(&self, attribute: &Attribute, column: &str, cell: &str) -> Option<FeedProblem> {
        if !matches!(attribute.kind, AttributeType::Money | AttributeType::Count | AttributeType::Period) {
            return None;
        }
        let number = match attribute.kind {
            // Its unit stands behind.
            AttributeType::Period => cell.trim_end_matches(|c: char| !c.is_ascii_digit()),
            _ => cell,
        };
        let compact: String = number.chars().filter(|c| !c.is_whitespace()).collect();
        let unsigned = compact.trim_start_matches(['-', '−']);
        let whole = unsigned.split(['.', ',']).next().unwrap_or_default();
        let is_number =
            unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',')) && !whole.is_empty();
        let is_small = unsigned.len() == compact.len() && whole.len() <= MAX_DIGITS;
        (is_number && !is_small).then(|| {
            let shown: String = cell.chars().take(40).collect();
            FeedProblem::at(
                self.row.line,
                column,
                format!("`{}`: nobody means {shown}", attribute.id),
                "correct the source: a number is not below 0, and has at most 9 digits before the point",
            )
        })
    }

    /// A number that is read in two ways: with a separator of thousands, or with a fraction of three digits.
    fn ambiguous(&self, attribute: &Attribute, column: &str, cell: &str) -> Option<FeedProblem> {
        if !matches!(attribute.kind, AttributeType::Money | AttributeType::Count) {
            return None;
        }
        let separators: &[char] = if self.row.is_text { &[',', '.'] } else { &[','] };
        let (whole, fraction) = cell.trim().split_once(separators)?;
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_thousands = is_digits(whole)
            && whole.len() <= 3
            && !whole.starts_with('0')
            && fraction.len() == 3
            && is_digits(fraction);
        is_thousands.then(|| {
            FeedProblem::at(
                self.row.line,
                column,
                format!("`{cell}` may be {whole}{fraction}, or {whole} and a fraction"),
                "write it without a separator of thousands, or with two digits behind the point",
            )
        })
    }
}

/// What a column says of its values, and the row where the column says nothing.
fn both(column: &Validity, row: &Validity) -> Validity {
    // In one order, so that the same regions are the same in every row.
    let list = |own: &[String], of_row: &[String]| {
        let mut names = if own.is_empty() { of_row.to_vec() } else { own.to_vec() };
        names.sort();
        names.dedup();
        names
    };
    Validity {
        regions: list(&column.regions, &row.regions),
        audience: list(&column.audience, &row.audience),
        from: column.from.or(row.from),
        to: column.to.or(row.to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::catalog::parse_family;
    use crate::feeds::mapping::targets;
    use crate::feeds::read::read;
    use crate::settings::FeedColumn;

    fn wishes(csv: &str) -> Result<Wishes, Vec<FeedProblem>> {
        let family = parse_family("f", "family: f\nattributes:\n  price: {type: money}\n  size: {type: count}\n  term: {type: period}\nproducts:\n").0.unwrap();
        let headings = csv.lines().next().unwrap().split(';');
        let columns = headings.map(|name| FeedColumn {
            column: name.to_owned(),
            sets: name.to_owned(),
            ..FeedColumn::default()
        });
        let settings = FeedSettings { columns: columns.collect(), ..FeedSettings::default() };
        let rows = read(csv.as_bytes(), &settings).unwrap();
        validate(&rows, &settings, &targets(&settings, &family.attributes).unwrap())
    }

    #[track_caller]
    fn check_bad(row: &str, line: u32, column: &str, message: &str) {
        let found = wishes(&format!("id;price;term;from;to\nok;1;1 day;;\n{row}\n")).unwrap();
        let problem = found.problems.first().unwrap_or_else(|| panic!("{row} is taken"));
        assert_eq!((problem.line, problem.column.as_str()), (line, column), "{problem:?}");
        assert!(problem.message.contains(message) && !problem.hint.is_empty(), "{problem:?}");
        assert_eq!((found.rows.len(), found.bad_rows), (1, 1));
    }

    #[test]
    fn a_bad_cell_is_told_with_its_place() {
        check_bad("a;dear;1 day;;", 3, "price", "`dear` is not a money");
        check_bad("a;1;soon;;", 3, "term", "`soon` is not a period");
        check_bad("a;1;1 day;01.12.2026;", 3, "from", "01.12.2026");
        check_bad("a;1;1 day;2026-12-02;2026-12-01", 3, "to", "before it begins");
        check_bad(";1;1 day;;", 3, "id", "names no product");
        check_bad("a b;1;1 day;;", 3, "id", "cannot be the id");
        check_bad("a;1;1 day", 3, "", "3 fields");
    }

    #[track_caller]
    fn check_absurd(csv: &str, line: u32, message: &str) {
        let problems = wishes(csv).unwrap_err();
        assert_eq!(problems[0].line, line, "{problems:?}");
        assert!(problems[0].message.contains(message), "{problems:?}");
    }

    #[test]
    fn what_nobody_means_refuses_the_whole() {
        check_absurd("id;price\nok;1\na;-1\n", 3, "nobody means");
        check_absurd("id;price\nok;1\na;1000000000\n", 3, "nobody means");
        check_absurd("id;size\nok;1\na;−1\n", 3, "nobody means");
        check_absurd("id;price\nok;1\nok;2\n", 3, "twice");
        check_absurd("id;price\nok;?\n", 2, "not a money");
        // The same product for another region is no second time.
        assert!(wishes("id;price;region\nok;1;\nok;2;moscow\nok;3;kemerovo\n").is_ok());
        assert!(wishes("id;price\nok;999999999\n").is_ok());
    }
}
