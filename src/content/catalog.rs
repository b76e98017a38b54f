//! The catalogue: products and their typed values, the single source of every number and code.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::content::eligibility::TariffRule;
use crate::content::files::Stamp;
use crate::content::folders::FolderFiles;
use crate::content::front_matter::Status;
use crate::content::problem::{Position, Problem, Report, did_you_mean};
use crate::content::product_names::ProductNames;
use crate::content::synonyms::{Synonyms, SynonymsFile};
use crate::content::validity::{Clearance, Standpoint, Validity};
use crate::content::values;
use crate::content::yaml::{self, Fields, Node, Value as Yaml};
use crate::language::codes;

/// The language of a text or a reader.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Russian.
    #[default]
    Ru,
    /// English.
    En,
}

impl Lang {
    /// One of two texts, by the language.
    pub fn either(self, russian: &'static str, english: &'static str) -> &'static str {
        match self {
            Self::Ru => russian,
            Self::En => english,
        }
    }

    /// Every language, in the order of preference.
    pub const ALL: [Self; 2] = [Self::Ru, Self::En];

    /// The languages by code.
    pub const NAMES: &[(&'static str, Self)] = &[("ru", Self::Ru), ("en", Self::En)];

    /// `ru` or `en`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// The language of a code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code() == code)
    }
}

/// A text in one or both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Localized {
    ru: Option<String>,
    en: Option<String>,
}

impl Localized {
    /// The text in a language, or in the other one.
    pub fn get(&self, lang: Lang) -> &str {
        let (first, second) = match lang {
            Lang::Ru => (&self.ru, &self.en),
            Lang::En => (&self.en, &self.ru),
        };
        first.as_deref().or(second.as_deref()).unwrap_or_default()
    }

    /// The different texts of all languages.
    pub fn all(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = self.ru.iter().chain(&self.en).map(String::as_str).collect();
        texts.dedup();
        texts
    }

    /// The text in a language, if it is written in that one.
    pub fn written(&self, lang: Lang) -> Option<&str> {
        match lang {
            Lang::Ru => self.ru.as_deref(),
            Lang::En => self.en.as_deref(),
        }
    }

    /// Puts a text in the place of that in its language.
    pub fn set(&mut self, lang: Lang, text: &str) {
        let place = match lang {
            Lang::Ru => &mut self.ru,
            Lang::En => &mut self.en,
        };
        *place = Some(text.to_owned());
    }

    /// Reads a text, or one in each language.
    pub fn read(node: Node, what: &str, report: &mut Report) -> Self {
        if let Some(text) = node.text() {
            return Self { ru: Some(text), en: None };
        }
        let mut fields = Fields::of(node, what, report);
        let localized = Self { ru: fields.text("ru").map(|t| t.0), en: fields.text("en").map(|t| t.0) };
        fields.finish(what);
        localized
    }
}

/// What sort of value an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AttributeType {
    /// An amount in a currency.
    Money,
    /// A number, with a unit or without.
    Count,
    /// A span of time.
    Period,
    /// A USSD code or phone number.
    Code,
    /// Words.
    Text,
    /// Yes or no.
    #[serde(rename = "yes/no")]
    YesNo,
}

const ATTRIBUTE_TYPES: &[(&str, AttributeType)] = &[
    ("money", AttributeType::Money),
    ("count", AttributeType::Count),
    ("period", AttributeType::Period),
    ("code", AttributeType::Code),
    ("text", AttributeType::Text),
    ("yes/no", AttributeType::YesNo),
];

/// An attribute that the products of a family have.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub label: Localized,
    /// What its values are.
    pub kind: AttributeType,
    /// What is counted.
    pub unit: Localized,
    /// ISO 4217 code of the money.
    currency: String,
}

/// A number with up to three decimals, in thousandths: prices are never floating point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(i64);

impl Amount {
    /// Reads `100`, `0.50`, `1 500`, `0,5`.
    fn parse(text: &str) -> Option<Self> {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (whole, decimals) = compact.split_once(['.', ',']).unwrap_or((&compact, ""));
        let (sign, whole) = whole.strip_prefix('-').map_or((1, whole), |w| (-1, w));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 12 || decimals.len() > 3 || !digits(whole) || !digits(decimals) {
            return None;
        }
        let thousandths: i64 = format!("{decimals:0<3}").parse().ok()?;
        Some(Self(sign * (whole.parse::<i64>().ok()? * 1000 + thousandths)))
    }

    /// As people write it: `1 500`, `0,50` in Russian; `1,500`, `0.50` in English. `decimals` is the least number of
    /// them when there are any.
    fn show(self, lang: Lang, decimals: usize) -> String {
        let (group, point) = match lang {
            Lang::Ru => ('\u{a0}', ','),
            Lang::En => (',', '.'),
        };
        let whole = (self.0.abs() / 1000).to_string();
        let mut shown = if self.0 < 0 { "−".to_owned() } else { String::new() };
        for (i, digit) in whole.chars().enumerate() {
            // Four digits stand together in Russian.
            if i > 0 && (whole.len() - i).is_multiple_of(3) && (whole.len() > 4 || lang == Lang::En) {
                shown.push(group);
            }
            shown.push(digit);
        }
        let thousandths = self.0.abs() % 1000;
        if thousandths != 0 {
            let digits = format!("{thousandths:03}");
            let trimmed = digits.trim_end_matches('0');
            shown.push(point);
            shown.push_str(&digits[..trimmed.len().max(decimals)]);
        }
        shown
    }
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PeriodUnit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// English name, and the Russian word with 1, 2 and 5.
const PERIOD_UNITS: &[(&str, PeriodUnit, [&str; 3])] = &[
    ("minute", PeriodUnit::Minute, ["минута", "минуты", "минут"]),
    ("hour", PeriodUnit::Hour, ["час", "часа", "часов"]),
    ("day", PeriodUnit::Day, ["день", "дня", "дней"]),
    ("week", PeriodUnit::Week, ["неделя", "недели", "недель"]),
    ("month", PeriodUnit::Month, ["месяц", "месяца", "месяцев"]),
    ("year", PeriodUnit::Year, ["год", "года", "лет"]),
];

/// A value of the catalogue.
#[derive(Clone, Debug, PartialEq)]
enum Datum {
    Number { low: Amount, high: Option<Amount> },
    Period { low: i64, high: Option<i64>, unit: PeriodUnit },
    Code { shown: String, canonical: String },
    Text(Localized),
    YesNo(bool),
}

/// What a value says, to be compared with what a text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// A number from–to, in thousandths.
    Number(i64, i64),
    /// A span of time from–to, and its unit in English: `month`.
    Period(i64, i64, &'static str),
    /// A code in canonical form.
    Code(&'a str),
}

/// A value as it is read by itself, from another system, by the same rules as in a catalogue file.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading(Datum);

impl Reading {
    /// Reads a value; `max` is the other end of a range. Of a text it is the one in a language.
    ///
    /// # Errors
    /// What is wrong with it, and how it is written.
    pub fn of(attribute: &Attribute, lang: Lang, text: &str, max: Option<&str>) -> Result<Self, String> {
        let text = text.trim();
        if attribute.kind == AttributeType::Text {
            let mut localized = Localized::default();
            localized.set(lang, text);
            return Ok(Self(Datum::Text(localized)));
        }
        let of = |text: String| Node { value: Yaml::Text(text), at: Position::default(), span: 0..0 };
        let is_flag = attribute.kind == AttributeType::YesNo;
        let text = if is_flag { text.to_lowercase() } else { text.to_owned() };
        let mut report = Report::new("");
        let datum = read_datum(attribute, of(text), max.map(|max| of(max.trim().to_owned())), &mut report);
        datum.map(Self).ok_or_else(|| {
            let problem = report.into_problems().pop();
            problem.map_or_else(String::new, |problem| format!("{}; {}", problem.message, problem.hint))
        })
    }

    /// The ends of a number, in thousandths.
    pub fn thousandths(&self) -> Option<(i64, Option<i64>)> {
        match &self.0 {
            Datum::Number { low, high } => Some((low.0, high.map(|high| high.0))),
            _ => None,
        }
    }

    /// A value as a catalogue file writes it, and the other end of a range. Of a text it is the one in a language.
    pub fn written(&self, attribute: &Attribute, lang: Lang) -> (String, Option<String>) {
        match &self.0 {
            Datum::Number { low, high } => {
                let decimals = if attribute.kind == AttributeType::Money { 2 } else { 1 };
                let plain = |amount: Amount| {
                    let shown = amount.show(Lang::En, decimals).replace(',', "");
                    shown.replace('−', "-")
                };
                (plain(*low), high.map(plain))
            }
            Datum::Period { low, high, unit } => {
                let plain = |number: i64| show_period(number, None, *unit, Lang::En).replace('\u{a0}', " ");
                (plain(*low), high.map(plain))
            }
            Datum::Code { shown, .. } => (shown.clone(), None),
            Datum::Text(text) => (text.written(lang).unwrap_or_default().to_owned(), None),
            Datum::YesNo(yes) => (if *yes { "yes" } else { "no" }.to_owned(), None),
        }
    }

    /// The same value with the other end that a range had before: who says one end leaves the other. `None`: it is no range then.
    #[must_use]
    pub fn with_end_of(self, before: &Self) -> Option<Self> {
        match (self.0, &before.0) {
            (Datum::Number { low, high: None }, Datum::Number { high: Some(high), .. }) => {
                (low < *high).then_some(Self(Datum::Number { low, high: Some(*high) }))
            }
            (Datum::Period { low, high: None, unit }, Datum::Period { high: Some(high), unit: same, .. }) => {
                let datum = Datum::Period { low, high: Some(*high), unit };
                (low < *high && unit == *same).then_some(Self(datum))
            }
            (datum, _) => Some(Self(datum)),
        }
    }

    /// A value with the texts of other languages that it had before.
    #[must_use]
    pub fn over(self, before: &Self, lang: Lang) -> Self {
        match (self.0, &before.0) {
            (Datum::Text(text), Datum::Text(before)) => {
                let mut both = before.clone();
                both.set(lang, text.written(lang).unwrap_or_default());
                Self(Datum::Text(both))
            }
            (datum, _) => Self(datum),
        }
    }

    /// Whether it means the same as another one, however codes are spaced.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Datum::Code { canonical, .. }, Datum::Code { canonical: other, .. }) => canonical == other,
            (one, other) => one == other,
        }
    }

    /// As readers see it.
    pub fn show(&self, attribute: &Attribute, lang: Lang) -> String {
        Variant { datum: self.0.clone(), validity: Validity::default() }.show(attribute, lang)
    }
}

/// A value with the regions and days it is in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    datum: Datum,
    /// Where and when it is in force.
    pub validity: Validity,
}

/// A product.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Its id.
    pub id: String,
    /// The family it belongs to.
    pub family: String,
    /// What it is called.
    pub title: Localized,
    /// Other names.
    pub aliases: Vec<String>,
    /// In force, archived or a draft.
    pub status: Status,
    /// Where and when it is offered.
    pub validity: Validity,
    /// The article about it.
    pub article: Option<String>,
    /// What replaced it.
    pub replaced_by: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Products it cannot stand beside.
    pub not_with: Vec<String>,
    /// Products of which it needs one.
    pub only_with: Vec<String>,
    /// The tariffs that admit it, where not all do.
    pub only_tariffs: Option<TariffRule>,
    /// Its values by attribute, in the order of the family's attributes.
    pub values: Vec<(Arc<Attribute>, Vec<Variant>)>,
    /// The file and place it is written at.
    pub file: String,
    /// The place in the file.
    pub at: Position,
}

impl Product {
    /// A product of which nothing is known yet but what it is called.
    pub fn new(id: &str, family: &str, file: &str) -> Self {
        Self {
            id: id.to_owned(),
            family: family.to_owned(),
            title: Localized { ru: Some(id.to_owned()), en: None },
            aliases: Vec::new(),
            status: Status::default(),
            validity: Validity::default(),
            article: None,
            replaced_by: None,
            tags: Vec::new(),
            not_with: Vec::new(),
            only_with: Vec::new(),
            only_tariffs: None,
            values: Vec::new(),
            file: file.to_owned(),
            at: Position::default(),
        }
    }

    /// The value written for these regions and days and this audience, and for no others.
    pub fn reading(&self, attribute: &str, validity: &Validity) -> Option<Reading> {
        let (_, variants) = self.values.iter().find(|(own, _)| own.id == attribute)?;
        let found = variants.iter().find(|variant| variant.validity.is_alike(validity))?;
        Some(Reading(found.datum.clone()))
    }

    /// The values of an attribute that hold somewhere, some day and for somebody together with a validity; `None`: it has none at all.
    pub fn readings_meeting(&self, attribute: &str, validity: &Validity) -> Option<Vec<Reading>> {
        let (_, variants) = self.values.iter().find(|(own, _)| own.id == attribute)?;
        let meeting = variants.iter().filter(|variant| variant.validity.meets(validity));
        Some(meeting.map(|variant| Reading(variant.datum.clone())).collect())
    }

    /// Puts a value in the place of the one for the same regions, days and audience, or adds it behind the others.
    pub fn set(&mut self, attribute: &Arc<Attribute>, validity: &Validity, reading: Reading) {
        let Some((_, variants)) = self.values.iter_mut().find(|(own, _)| own.id == attribute.id) else {
            let variant = Variant { datum: reading.0, validity: validity.clone() };
            self.values.push((Arc::clone(attribute), vec![variant]));
            return;
        };
        match variants.iter_mut().find(|variant| variant.validity.is_alike(validity)) {
            Some(variant) => variant.datum = reading.0,
            None => variants.push(Variant { datum: reading.0, validity: validity.clone() }),
        }
    }

    /// Whether another one says the same, wherever it stands in its file.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let value = |product: &Self, id: &str| {
            product
                .values
                .iter()
                .find(|(own, _)| own.id == id)
                .map(|(own, variants)| (own.id.clone(), variants.clone()))
        };
        let is_same_value = |(attribute, _): &(Arc<Attribute>, Vec<Variant>)| {
            value(self, &attribute.id) == value(other, &attribute.id)
        };
        self.values.len() == other.values.len()
            && self.values.iter().all(is_same_value)
            && (&self.id, &self.title, &self.aliases, self.status, &self.validity)
                == (&other.id, &other.title, &other.aliases, other.status, &other.validity)
            && (
                &self.article,
                &self.replaced_by,
                &self.tags,
                &self.not_with,
                &self.only_with,
                &self.only_tariffs,
            ) == (
                &other.article,
                &other.replaced_by,
                &other.tags,
                &other.not_with,
                &other.only_with,
                &other.only_tariffs,
            )
    }

    /// The variant of a value in force: one that names the region before one that does not, then one that names the audience, then the
    /// one that began last. Without a region, values for all regions come before those of one. Who may not know of the product gets none.
    pub fn variant(&self, attribute: &str, at: Standpoint<'_>) -> Option<(&Attribute, &Variant)> {
        if !self.is_known_to(at.clearance) {
            return None;
        }
        let (attribute, variants) = self.values.iter().find(|(a, _)| a.id == attribute)?;
        let best = variants.iter().filter(|v| v.validity.in_force(at)).max_by_key(|v| {
            let named = !v.validity.regions.is_empty();
            (named == at.region.is_some(), !v.validity.audience.is_empty(), v.validity.from)
        })?;
        Some((attribute, best))
    }

    /// The variant of a code attribute that is in force and whose canonical form fits: never another one of the same attribute.
    pub fn code_variant(
        &self,
        attribute: &str,
        at: Standpoint<'_>,
        fits: impl Fn(&str) -> bool,
    ) -> Option<(&Attribute, &Variant)> {
        if !self.is_known_to(at.clearance) {
            return None;
        }
        let (attribute, variants) = self.values.iter().find(|(a, _)| a.id == attribute)?;
        let found = variants.iter().filter(|v| v.validity.in_force(at)).find(|v| match &v.datum {
            Datum::Code { canonical, .. } => fits(canonical),
            _ => false,
        })?;
        Some((attribute, found))
    }

    /// Whether somebody gets it on a day in a region.
    pub fn is_offered(&self, at: Standpoint<'_>) -> bool {
        self.status != Status::Draft && self.validity.in_force(at)
    }

    /// Whether somebody may know that there is such a product, offered now or not.
    pub fn is_known_to(&self, clearance: &Clearance) -> bool {
        self.status != Status::Draft && clearance.admits(&self.validity.audience)
    }

    /// A value in force as readers see it.
    pub fn show(&self, attribute: &str, lang: Lang, at: Standpoint<'_>) -> Option<String> {
        if self.status == Status::Draft {
            return None;
        }
        self.variant(attribute, at).map(|(attribute, variant)| variant.show(attribute, lang))
    }

    /// Canonical forms of all its codes, with their attributes.
    pub fn codes(&self) -> impl Iterator<Item = (&Attribute, &str, &Validity)> {
        self.values.iter().flat_map(|(attribute, variants)| {
            variants.iter().filter_map(move |variant| match &variant.datum {
                Datum::Code { canonical, .. } => {
                    Some((attribute.as_ref(), canonical.as_str(), &variant.validity))
                }
                _ => None,
            })
        })
    }
}

impl Attribute {
    /// The currency of its amounts (ISO 4217).
    pub fn currency(&self) -> &str {
        &self.currency
    }
}

impl Variant {
    /// What it says, where that is a number, a span of time or a code.
    pub fn told(&self) -> Option<Told<'_>> {
        match &self.datum {
            Datum::Number { low, high } => Some(Told::Number(low.0, high.unwrap_or(*low).0)),
            Datum::Period { low, high, unit } => {
                let (name, ..) = PERIOD_UNITS.iter().find(|(_, known, _)| known == unit)?;
                Some(Told::Period(*low, high.unwrap_or(*low), name))
            }
            Datum::Code { canonical, .. } => Some(Told::Code(canonical)),
            Datum::Text(_) | Datum::YesNo(_) => None,
        }
    }

    /// As readers see it.
    pub fn show(&self, attribute: &Attribute, lang: Lang) -> String {
        match &self.datum {
            Datum::Number { low, high } => {
                let decimals = if attribute.kind == AttributeType::Money { 2 } else { 1 };
                let mut shown = low.show(lang, decimals);
                if let Some(high) = high {
                    shown.push('–');
                    shown.push_str(&high.show(lang, decimals));
                }
                let unit = match attribute.kind {
                    AttributeType::Money => currency_sign(&attribute.currency),
                    _ => attribute.unit.get(lang),
                };
                match unit {
                    "" => shown,
                    "%" if lang == Lang::En => shown + "%",
                    unit => format!("{shown}\u{a0}{unit}"),
                }
            }
            Datum::Period { low, high, unit } => show_period(*low, *high, *unit, lang),
            Datum::Code { shown, .. } => shown.clone(),
            Datum::Text(text) => text.get(lang).to_owned(),
            Datum::YesNo(yes) => match (lang, yes) {
                (Lang::Ru, true) => "да",
                (Lang::Ru, false) => "нет",
                (Lang::En, true) => "yes",
                (Lang::En, false) => "no",
            }
            .to_owned(),
        }
    }
}

fn currency_sign(currency: &str) -> &str {
    match currency {
        "RUB" => "₽",
        "EUR" => "€",
        "USD" => "$",
        other => other,
    }
}

fn show_period(low: i64, high: Option<i64>, unit: PeriodUnit, lang: Lang) -> String {
    let last = high.unwrap_or(low);
    let (english, russian) = PERIOD_UNITS
        .iter()
        .find(|(_, u, _)| *u == unit)
        .map_or(("", [""; 3]), |(english, _, russian)| (*english, *russian));
    let unit = match lang {
        Lang::Ru => russian[russian_plural(last)].to_owned(),
        Lang::En if last == 1 => english.to_owned(),
        Lang::En => format!("{english}s"),
    };
    match high {
        Some(high) => format!("{low}–{high}\u{a0}{unit}"),
        None => format!("{low}\u{a0}{unit}"),
    }
}

/// Which of the three Russian forms a whole number takes (Unicode CLDR plural rules: one, few, many).
fn russian_plural(number: i64) -> usize {
    match (number % 10, number % 100) {
        (1, tens) if tens != 11 => 0,
        (2..=4, tens) if !(12..=14).contains(&tens) => 1,
        _ => 2,
    }
}

/// A family file as it was last good.
#[derive(Clone, Debug)]
pub struct Family {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: Localized,
    /// What its products may have.
    pub attributes: Vec<Arc<Attribute>>,
    /// Its products.
    pub products: Vec<Arc<Product>>,
}

/// Families that were read from texts before their files were: whoever writes a file has read what he writes, and it need not be read twice.
#[derive(Debug, Default)]
pub struct ParsedFamilies(Mutex<Vec<ParsedFamily>>);

/// Of a file and the hash of its bytes, what it holds.
type ParsedFamily = (String, [u8; 32], Arc<Family>, Vec<Problem>);

/// The most families that are kept so.
const MAX_PARSED: usize = 8;

impl ParsedFamilies {
    /// Keeps what a text holds until the file with that text is read. `path` is as problems name the file.
    pub fn keep(&self, path: &str, text: &str, family: Family, problems: Vec<Problem>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(own, ..)| own != path);
        if kept.len() == MAX_PARSED {
            kept.remove(0);
        }
        let hash = *blake3::hash(text.as_bytes()).as_bytes();
        kept.push((path.to_owned(), hash, Arc::new(family), problems));
    }

    /// What a file with a hash holds, if it was kept; told once.
    pub fn take(&self, path: &str, hash: &[u8; 32]) -> Option<(Arc<Family>, Vec<Problem>)> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(own, of, ..)| own == path && of == hash)?;
        let (_, _, family, problems) = kept.remove(at);
        Some((family, problems))
    }
}

/// A catalogue file: its stamp, what it held when it was last good, and what is wrong with it now.
#[derive(Clone, Debug)]
pub struct CatalogFile {
    /// The file's state when it was read.
    pub stamp: Stamp,
    /// When it was read, nanoseconds since the epoch.
    pub read_ns: i64,
    /// BLAKE3 of its bytes; zero when they could not be read.
    pub hash: [u8; 32],
    /// What it held when last good.
    pub family: Option<Arc<Family>>,
    /// The editors' synonyms, if it is their file, when last good.
    pub synonyms: Option<Arc<SynonymsFile>>,
    /// What is wrong with it now.
    pub problems: Vec<Problem>,
}

/// The products of all families.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    files: BTreeMap<String, CatalogFile>,
    products: BTreeMap<String, Arc<Product>>,
    /// Canonical code to the products and attributes that have it.
    codes: BTreeMap<String, Vec<(String, String)>>,
    /// Products to those that say they cannot stand beside them.
    excluding: BTreeMap<String, Vec<String>>,
    synonyms: Synonyms,
    names: ProductNames,
    problems: Vec<Problem>,
}

impl Catalog {
    /// A catalogue of one family, for tests.
    #[cfg(test)]
    pub(crate) fn of_text(text: &str) -> Self {
        let (family, problems) = parse_family("articles/catalog/f.yaml", text);
        let file = CatalogFile {
            stamp: Stamp::default(),
            read_ns: 0,
            hash: [0; 32],
            family: family.map(Arc::new),
            synonyms: None,
            problems,
        };
        Self::of([("f.yaml".to_owned(), file)].into(), &FolderFiles::default())
    }

    /// A catalogue made of its files.
    pub fn of(files: BTreeMap<String, CatalogFile>, folders: &FolderFiles) -> Self {
        let mut catalog = Self::default();
        for (path, file) in &files {
            catalog.problems.extend(file.problems.iter().cloned());
            let defaults = folders.of(path);
            let is_plain = defaults.hash() == 0;
            for product in file.family.iter().flat_map(|f| &f.products) {
                if is_plain {
                    catalog.add(product);
                } else {
                    let mut product = Product::clone(product);
                    defaults.complete(&mut product.validity);
                    catalog.add(&Arc::new(product));
                }
            }
        }
        catalog.check_references();
        let editors = files.values().find_map(|file| file.synonyms.as_deref());
        catalog.synonyms = Synonyms::of(editors.unwrap_or(&SynonymsFile::default()));
        catalog.names = ProductNames::of(catalog.products.values(), &catalog.synonyms);
        catalog.files = files;
        catalog
    }

    fn add(&mut self, product: &Arc<Product>) {
        if let Some(first) = self.products.get(&product.id) {
            let mut report = Report::new(&product.file);
            report.error(
                "duplicate-id",
                product.at,
                format!("product `{}` is already in {}:{}", product.id, first.file, first.at.line),
                "give one of the two another id",
            );
            self.problems.extend(report.into_problems());
            return;
        }
        for other in &product.not_with {
            self.excluding.entry(other.clone()).or_default().push(product.id.clone());
        }
        // A draft's codes are nobody's business yet.
        for (attribute, code, _) in product.codes().filter(|_| product.status != Status::Draft) {
            self.codes.entry(code.to_owned()).or_default().push((product.id.clone(), attribute.id.clone()));
        }
        self.products.insert(product.id.clone(), Arc::clone(product));
    }

    fn check_references(&mut self) {
        let mut problems = Vec::new();
        for product in self.products.values() {
            for other in product.not_with.iter().chain(&product.only_with).chain(&product.replaced_by) {
                if !self.products.contains_key(other) {
                    let mut report = Report::new(&product.file);
                    report.error(
                        "unknown-product",
                        product.at,
                        format!(
                            "`{}` names the product `{other}`, which does not exist{}",
                            product.id,
                            self.suggest(other)
                        ),
                        "correct the id or remove it",
                    );
                    problems.extend(report.into_problems());
                }
            }
        }
        self.problems.extend(problems);
    }

    /// What the products are called.
    pub fn names(&self) -> &ProductNames {
        &self.names
    }

    /// Words that mean the same.
    pub fn synonyms(&self) -> &Synonyms {
        &self.synonyms
    }

    /// Its files, by path below the articles folder.
    pub fn files(&self) -> &BTreeMap<String, CatalogFile> {
        &self.files
    }

    /// What is wrong with it.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// A product by id.
    pub fn product(&self, id: &str) -> Option<&Arc<Product>> {
        self.products.get(id)
    }

    /// The products that say they cannot stand beside one, whether or not it says so itself.
    pub fn excluding(&self, id: &str) -> &[String] {
        self.excluding.get(id).map_or(&[], Vec::as_slice)
    }

    /// A family by id.
    pub fn family(&self, id: &str) -> Option<&Arc<Family>> {
        self.files.values().filter_map(|file| file.family.as_ref()).find(|family| family.id == id)
    }

    /// All products, by id.
    pub fn products(&self) -> impl Iterator<Item = &Arc<Product>> {
        self.products.values()
    }

    /// Products and attributes that have a code in canonical form, as far as one may know of them.
    pub fn code_owners<'a>(
        &'a self,
        canonical: &'a str,
        clearance: &'a Clearance,
    ) -> impl Iterator<Item = (&'a Product, &'a str)> {
        let owners = self.codes.get(canonical).map_or(&[][..], Vec::as_slice);
        owners.iter().filter_map(move |(product, attribute)| {
            let product = self.product(product).filter(|product| product.is_known_to(clearance))?;
            let is_its = |(own, code, validity): (&Attribute, &str, &Validity)| {
                own.id == *attribute && code == canonical && clearance.admits(&validity.audience)
            };
            product.codes().any(is_its).then_some((product.as_ref(), attribute.as_str()))
        })
    }

    /// Codes in canonical form that begin with a text, in order, of which one may know.
    pub fn codes_from<'a>(
        &'a self,
        prefix: &'a str,
        clearance: &'a Clearance,
    ) -> impl Iterator<Item = &'a str> {
        self.codes
            .range(prefix.to_owned()..)
            .take_while(move |(code, _)| code.starts_with(prefix))
            .map(|(code, _)| code.as_str())
            .filter(|code| self.code_owners(code, clearance).next().is_some())
    }

    /// Codes in canonical form that end with a text, a local number without its city code, of which one may know.
    pub fn codes_ending<'a>(
        &'a self,
        suffix: &'a str,
        clearance: &'a Clearance,
    ) -> impl Iterator<Item = &'a str> {
        let ending = self.codes.keys().filter(move |code| code.ends_with(suffix)).map(String::as_str);
        ending.filter(|code| self.code_owners(code, clearance).next().is_some())
    }

    /// Whether one may know of a product. Of one that is not there, nobody knows who may: it may be in a file that cannot be read now.
    pub fn may_know(&self, product: &str, clearance: &Clearance) -> bool {
        self.product(product).is_some_and(|product| product.is_known_to(clearance))
    }

    /// " (did you mean …?)" for an unknown product.
    pub fn suggest(&self, id: &str) -> String {
        did_you_mean(id, self.products.keys().map(String::as_str))
    }

    /// The value a reference names as readers see it, if it exists and is in force.
    pub fn show(&self, name: &str, lang: Lang, at: Standpoint<'_>) -> Option<String> {
        let (product, attribute) = name.split_once('.')?;
        self.product(product)?.show(attribute, lang, at)
    }

    /// The canonical code a reference names, if it names one that is in force.
    pub fn code(&self, name: &str, at: Standpoint<'_>) -> Option<&str> {
        let (product, attribute) = name.split_once('.')?;
        let product = self.product(product).filter(|p| p.status != Status::Draft)?;
        match &product.variant(attribute, at)?.1.datum {
            Datum::Code { canonical, .. } => Some(canonical),
            _ => None,
        }
    }

    /// A text with its references replaced by plain values; a gap stands as `[name]`.
    pub fn expand(&self, text: &str, lang: Lang, at: Standpoint<'_>) -> String {
        values::expand(text, |reference| {
            self.show(reference.name, lang, at).unwrap_or_else(|| self.gap(reference.name, at.clearance))
        })
    }

    /// What stands where a reference has no value: its name, for an editor to mend it, but not the name of what one may not know of.
    pub fn gap(&self, name: &str, clearance: &Clearance) -> String {
        if self.may_name(name, clearance) { format!("[{name}]") } else { "[…]".to_owned() }
    }

    /// Whether one may know of the product and the value that a reference names. A name that means nothing tells nothing.
    pub fn may_name(&self, name: &str, clearance: &Clearance) -> bool {
        let Some((product, attribute)) = name.split_once('.') else { return true };
        let Some(product) = self.product(product) else { return true };
        let variants =
            product.values.iter().filter(|(own, _)| own.id == attribute).flat_map(|(_, variants)| variants);
        let mut audiences = variants.map(|variant| &variant.validity.audience).peekable();
        // A value that is not there tells nothing; one of which there is none for the reader does.
        let may_know_value =
            audiences.peek().is_none() || audiences.any(|audience| clearance.admits(audience));
        product.is_known_to(clearance) && may_know_value
    }

    /// Why a reference has no value on a day: what is wrong, and what to do; `None` when it has one.
    pub fn fault(&self, name: &str, day: Date) -> Option<(String, String)> {
        let Some((product_id, attribute)) = name.split_once('.') else {
            return Some((
                format!("`{{{{ {name} }}}}` is not a catalogue value"),
                "write `{{ product.attribute }}`, or put the text into a fenced code block to show braces"
                    .to_owned(),
            ));
        };
        let Some(product) = self.product(product_id) else {
            return Some((
                format!("the catalogue has no product `{product_id}`{}", self.suggest(product_id)),
                "correct the id or add the product to articles/catalog/".to_owned(),
            ));
        };
        if product.values.iter().all(|(a, _)| a.id != attribute) {
            let known = product.values.iter().map(|(a, _)| a.id.as_str());
            return Some((
                format!(
                    "product `{product_id}` has no value `{attribute}`{}",
                    did_you_mean(attribute, known)
                ),
                format!("correct the name or add the value to {}", product.file),
            ));
        }
        product.show(attribute, Lang::Ru, Standpoint::keeper(day)).is_none().then(|| {
            (
                format!("`{name}` has no value in force on {day}"),
                format!("add a variant for that day to {}, or take the reference out", product.file),
            )
        })
    }
}

/// Reads a family file. The family is `None` when an error was reported, so that the last good one stays.
pub fn parse_family(file: &str, text: &str) -> (Option<Family>, Vec<Problem>) {
    let mut report = Report::new(file);
    let root = yaml::parse_by_parts(text, "products").or_else(|| yaml::parse(text, 1, &mut report));
    let family = root.and_then(|node| read_family(file, node, &mut report));
    let family = family.filter(|_| !report.has_errors());
    (family, report.into_problems())
}

fn read_family(file: &str, node: Node, report: &mut Report) -> Option<Family> {
    let mut fields = Fields::of(node, "a catalogue file", report);
    let at = fields.at;
    let id = fields.text("family").map(|(id, _)| id);
    let title =
        fields.node("title").map(|n| Localized::read(n, "`title`", fields.report)).unwrap_or_default();
    let attributes = fields.node("attributes").map(|n| read_attributes(n, fields.report)).unwrap_or_default();
    let products = fields.node("products");
    let mut family = Family { id: id.clone().unwrap_or_default(), title, attributes, products: Vec::new() };
    let attributes = family.attributes.clone();
    match products {
        Some(Node { value: Yaml::List(items), .. }) => {
            for item in items {
                family
                    .products
                    .extend(read_product(file, &family.id, &attributes, item, fields.report).map(Arc::new));
            }
        }
        Some(other) => fields.report.error(
            "wrong-type",
            other.at,
            "`products` must be a list",
            "begin each product with `- id: …`",
        ),
        None => {}
    }
    fields.finish("a catalogue file");
    if id.is_none() {
        report.error("missing-key", at, "the file has no `family`", "add `family: name` as the first line");
    }
    Some(family)
}

fn read_attributes(node: Node, report: &mut Report) -> Vec<Arc<Attribute>> {
    let mut fields = Fields::of(node, "`attributes`", report);
    let entries = fields.rest();
    let mut attributes = Vec::new();
    for (key, value) in entries {
        let id = key.text().unwrap_or_default();
        check_id(&id, key.at, report);
        let mut fields = Fields::of(value, "an attribute", report);
        let kind = fields.choice("type", ATTRIBUTE_TYPES);
        let label = fields.node("label").map(|n| Localized::read(n, "`label`", fields.report));
        let unit =
            fields.node("unit").map(|n| Localized::read(n, "`unit`", fields.report)).unwrap_or_default();
        let currency = fields.text("currency").map_or_else(|| "RUB".to_owned(), |(c, _)| c);
        let at = fields.at;
        fields.finish("an attribute");
        let Some(kind) = kind else {
            report.error(
                "missing-key",
                at,
                format!("attribute `{id}` has no `type`"),
                "add `type: money`, count, period, code, text or yes/no",
            );
            continue;
        };
        let label = label.unwrap_or_else(|| Localized { ru: Some(id.clone()), en: None });
        attributes.push(Arc::new(Attribute { id, label, kind, unit, currency }));
    }
    attributes
}

fn check_id(id: &str, at: Position, report: &mut Report) {
    if !values::is_id(id) {
        report.error(
            "bad-id",
            at,
            format!("`{id}` cannot be an id"),
            "use small Latin letters, digits and hyphens",
        );
    }
}

fn read_product(
    file: &str,
    family: &str,
    attributes: &[Arc<Attribute>],
    node: Node,
    report: &mut Report,
) -> Option<Product> {
    let mut fields = Fields::of(node, "a product", report);
    let at = fields.at;
    let id = fields.text("id");
    let title = fields.node("title").map(|n| Localized::read(n, "`title`", fields.report));
    let status = fields.choice("status", Status::NAMES).unwrap_or_default();
    let mut product = Product {
        id: id.as_ref().map(|(id, _)| id.clone()).unwrap_or_default(),
        family: family.to_owned(),
        title: title.unwrap_or_else(|| Localized { ru: id.as_ref().map(|(id, _)| id.clone()), en: None }),
        aliases: fields.texts("aliases"),
        status,
        article: fields.text("article").map(|t| t.0),
        replaced_by: fields.text("replaced_by").map(|t| t.0),
        tags: fields.texts("tags"),
        not_with: fields.texts("not_with"),
        only_with: fields.texts("only_with"),
        only_tariffs: fields.node("only_tariffs").map(|node| TariffRule::read(node, fields.report)),
        validity: fields.validity_of_file(),
        values: Vec::new(),
        file: file.to_owned(),
        at,
    };
    if let Some(values) = fields.node("values") {
        read_values(&mut product, attributes, values, fields.report);
    }
    fields.finish("a product");
    let Some((id, id_at)) = id else {
        report.error("missing-key", at, "a product has no `id`", "add `id: name`");
        return None;
    };
    check_id(&id, id_at, report);
    Some(product)
}

fn read_values(product: &mut Product, attributes: &[Arc<Attribute>], node: Node, report: &mut Report) {
    let mut fields = Fields::of(node, "`values`", report);
    let entries = fields.rest();
    for (key, value) in entries {
        let name = key.text().unwrap_or_default();
        let Some(attribute) = attributes.iter().find(|a| a.id == name) else {
            let near = did_you_mean(&name, attributes.iter().map(|a| a.id.as_str()));
            report.error(
                "unknown-attribute",
                key.at,
                format!("the family has no attribute `{name}`{near}"),
                "correct the name or declare it under `attributes`",
            );
            continue;
        };
        let items = match value.value {
            Yaml::List(items) => items,
            _ => vec![value],
        };
        let variants = items.into_iter().filter_map(|item| read_variant(attribute, item, report)).collect();
        product.values.push((Arc::clone(attribute), variants));
    }
    product.values.sort_by_key(|(a, _)| attributes.iter().position(|other| other.id == a.id));
}

fn read_variant(attribute: &Attribute, node: Node, report: &mut Report) -> Option<Variant> {
    let is_localized = |entries: &[(Node, Node)]| {
        entries.iter().all(|(k, _)| k.text().is_some_and(|k| Lang::of(&k).is_some()))
    };
    match &node.value {
        Yaml::Map(entries) if !is_localized(entries) => {
            let mut fields = Fields::of(node, "a value", report);
            let (value, max) = (fields.node("value"), fields.node("max"));
            let validity = fields.validity();
            let at = fields.at;
            fields.finish("a value");
            let Some(value) = value else {
                report.error(
                    "missing-key",
                    at,
                    "a value has no `value`",
                    "write `{value: 100, from: 2026-12-01}`",
                );
                return None;
            };
            Some(Variant { datum: read_datum(attribute, value, max, report)?, validity })
        }
        _ => {
            Some(Variant { datum: read_datum(attribute, node, None, report)?, validity: Validity::default() })
        }
    }
}

fn read_datum(attribute: &Attribute, node: Node, max: Option<Node>, report: &mut Report) -> Option<Datum> {
    let at = node.at;
    let text = node.text();
    let max_text = max.as_ref().and_then(Node::text);
    let wrong = |report: &mut Report, hint: &str| {
        let shown = text.as_deref().unwrap_or("…");
        report.error(
            "wrong-type",
            at,
            format!("`{}`: `{shown}` is not a {}", attribute.id, type_name(attribute.kind)),
            hint,
        );
        None
    };
    match attribute.kind {
        AttributeType::Money | AttributeType::Count => {
            let low = text.as_deref().and_then(Amount::parse);
            let high = max_text.as_deref().map(Amount::parse);
            match (low, high) {
                (Some(low), None) => Some(Datum::Number { low, high: None }),
                (Some(low), Some(Some(high))) if high > low => Some(Datum::Number { low, high: Some(high) }),
                _ => wrong(report, "write a number, as 100 or 0.50; a range as `{value: 4, max: 8}`"),
            }
        }
        AttributeType::Period => {
            let low = text.as_deref().and_then(parse_period);
            let high = max_text.as_deref().map(parse_period);
            match (low, high) {
                (Some((low, unit)), None) => Some(Datum::Period { low, high: None, unit }),
                (Some((low, unit)), Some(Some((high, same)))) if same == unit && high > low => {
                    Some(Datum::Period { low, high: Some(high), unit })
                }
                _ => wrong(report, "write a number and a unit: 30 days, 1 month, 15 minutes"),
            }
        }
        AttributeType::Code => match text.as_deref().and_then(|t| Some((t, codes::canonical(t)?))) {
            Some((shown, canonical)) => Some(Datum::Code { shown: shown.trim().to_owned(), canonical }),
            None => {
                wrong(report, "write a USSD code in quotes (\"*155*2#\"), a phone number or a short number")
            }
        },
        AttributeType::Text => Some(Datum::Text(Localized::read(node, "a text value", report))),
        AttributeType::YesNo => match node.bool() {
            Some(yes) => Some(Datum::YesNo(yes)),
            None => wrong(report, "write yes or no"),
        },
    }
}

fn type_name(kind: AttributeType) -> &'static str {
    ATTRIBUTE_TYPES.iter().find(|(_, k)| *k == kind).map_or("value", |(name, _)| name)
}

fn parse_period(text: &str) -> Option<(i64, PeriodUnit)> {
    let (number, unit) = text.trim().split_once(' ')?;
    let unit = unit.trim();
    let found = PERIOD_UNITS.iter().find(|(english, _, russian)| {
        unit.strip_suffix('s').unwrap_or(unit) == *english || russian.contains(&unit)
    })?;
    number.parse().ok().map(|number| (number, found.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_of_tens_of_thousands_is_read() {
        let head = "family: goods\nattributes:\n  price: {type: money}\n  stock: {type: count}\n  term: {type: period}\nproducts:\n";
        let product = |n: usize| {
            format!(
                "  - id: goods-{n}\n    title: {{ru: Товар {n}, en: Item {n}}}\n    values: {{price: {n}, stock: 5, term: 30 days}}\n"
            )
        };
        let text: String = std::iter::once(head.to_owned()).chain((0..40_000).map(product)).collect();
        let (family, problems) = parse_family("goods.yaml", &text);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(family.unwrap().products.len(), 40_000);
    }

    const FAMILY: &str = "
family: sms
attributes:
  price: {type: money, label: Цена}
  size: {type: count, label: Размер, unit: SMS}
  term: {type: period, label: Срок}
  connect: {type: code, label: Подключить}
products:
  - id: sms-100
    values:
      price:
        - 100
        - {value: 120.5, regions: [moscow]}
        - {value: 150, from: 2026-12-01}
      size: {value: 1500, max: 2000}
      term: 22 days
      connect: '* 155 * 971 #'
";

    #[track_caller]
    fn check(name: &str, day: &str, region: Option<&str>, expected: &str) {
        let at = Standpoint { region, ..Standpoint::public(day.parse().unwrap()) };
        let shown = Catalog::of_text(FAMILY).show(name, Lang::Ru, at);
        assert_eq!(
            shown.as_deref(),
            Some(expected).filter(|e| !e.is_empty()),
            "{name} on {day} in {region:?}"
        );
    }

    #[test]
    fn the_variant_in_force_is_shown() {
        check("sms-100.price", "2026-11-01", None, "100\u{a0}₽");
        check("sms-100.price", "2026-11-01", Some("moscow"), "120,50\u{a0}₽");
        check("sms-100.price", "2026-12-01", None, "150\u{a0}₽");
        check("sms-100.price", "2026-12-01", Some("kemerovo"), "150\u{a0}₽");
        check("sms-100.size", "2026-11-01", None, "1500–2000\u{a0}SMS");
        check("sms-100.term", "2026-11-01", None, "22\u{a0}дня");
        check("sms-100.none", "2026-11-01", None, "");
        assert_eq!(Catalog::of_text(FAMILY).code_owners("*155*971#", &Clearance::Public).count(), 1);
    }

    #[test]
    fn wrong_values_are_located() {
        let text = FAMILY.replace("22 days", "soon").replace("size: {value", "sise: {value");
        let problems = parse_family("f", &text).1;
        let found: Vec<(u32, &str)> = problems.iter().map(|p| (p.line, p.code.as_ref())).collect();
        assert_eq!(found, [(15, "unknown-attribute"), (16, "wrong-type")]);
        assert!(problems[0].message.contains("did you mean `size`"), "{}", problems[0].message);
    }
}
