//! What texts say of products beside what the catalogue says: values that differ, and values that are written out.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use crate::content::catalog::{Attribute, AttributeType, Catalog, Lang, Product, Told};
use crate::content::front_matter::Status;
use crate::content::validity::{Clearance, Validity};
use crate::language::quantities::{self, Quantity, Unit};
use crate::language::{codes, morphology, words};
use crate::quality::passages::{Passage, Text};

/// Words that ask for a price, all taken for one.
const PRICE: &[&str] = &["цена", "стоимость", "стоить", "price", "cost"];

/// Words around a number that is not what the thing is or costs now.
const OTHERWISE: &[&str] = &[
    "скидка",
    "раньше",
    "ранее",
    "вместо",
    "было",
    "прежний",
    "баланс",
    "счет",
    "штраф",
    "возврат",
    "возвращать",
    "вернуть",
    "если",
    "пример",
    "например",
    "каждый",
    "дополнительный",
    "сверх",
    "больше",
    "меньше",
    "дороже",
    "дешевле",
    "discount",
    "instead",
    "balanc",
    "previous",
    "earlier",
    "refund",
    "exampl",
    "extra",
    "addit",
    "if",
    "each",
    "more",
    "less",
    "fewer",
    "cheaper",
];

/// The same as lemmas: adverbs have such that nobody would guess.
static OTHERWISE_LEMMAS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let lemmas = OTHERWISE.iter().map(|word| morphology::lemma(word).to_string());
    lemmas.chain(OTHERWISE.iter().map(|word| (*word).to_owned())).collect()
});

/// Names of products with fewer letters are words like others.
const LEAST_NAME: usize = 4;

/// A number or code of a text that is a value of the catalogue, or contradicts one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What the text says.
    pub shown: String,
    /// The reference that could stand there: `sms-100.price`.
    pub name: String,
    /// What the catalogue says instead; `None`: the same.
    pub instead: Option<String>,
    /// The file and line of the product.
    pub product: (String, u32),
    /// Where it stands in the body, in bytes.
    pub at: usize,
}

/// What products are called in running text.
#[derive(Debug, Default)]
pub struct Names {
    /// By its first lemma, a name and its product; the longest first.
    by_first: HashMap<String, Vec<(Vec<String>, String)>>,
}

impl Names {
    /// The names of the products of a catalogue. What two are called is a name of neither.
    pub fn of(catalog: &Catalog) -> Self {
        let mut owners: HashMap<Vec<String>, Vec<String>> = HashMap::new();
        for product in catalog.products().filter(|product| product.status != Status::Draft) {
            for name in product.title.all().into_iter().chain(product.aliases.iter().map(String::as_str)) {
                let lemmas: Vec<String> = lemmas(name).into_iter().map(|(_, lemma)| lemma).collect();
                let letters = name.chars().filter(|c| c.is_alphabetic()).count();
                if letters >= LEAST_NAME && !lemmas.is_empty() {
                    let owned = owners.entry(lemmas).or_default();
                    owned.push(product.id.clone());
                    owned.dedup();
                }
            }
        }
        let mut named: Vec<(Vec<String>, Vec<String>)> =
            owners.into_iter().filter(|(_, owned)| owned.len() == 1).collect();
        named.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
        let mut names = Self::default();
        for (lemmas, mut owned) in named {
            if let (Some(first), Some(product)) = (lemmas.first().cloned(), owned.pop()) {
                names.by_first.entry(first).or_default().push((lemmas, product));
            }
        }
        names
    }

    /// The products that a text names, each with where; a name inside a longer one does not count.
    fn find(&self, lemmas: &[(Range<usize>, String)]) -> Vec<(&str, Range<usize>)> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < lemmas.len() {
            let known = self.by_first.get(&lemmas[at].1).into_iter().flatten();
            let fits = |name: &[String]| {
                lemmas[at..].len() >= name.len() && name.iter().zip(&lemmas[at..]).all(|(a, (_, b))| a == b)
            };
            match known.into_iter().find(|(name, _)| fits(name)) {
                Some((name, product)) => {
                    let range = lemmas[at].0.start..lemmas[at + name.len() - 1].0.end;
                    found.push((product.as_str(), range));
                    at += name.len();
                }
                None => at += 1,
            }
        }
        found
    }

    fn products(&self, text: &str) -> Vec<&str> {
        let mut products: Vec<&str> =
            self.find(&lemmas(text)).into_iter().map(|(product, _)| product).collect();
        products.sort_unstable();
        products.dedup();
        products
    }
}

/// The lemmas of a text with their places; words for prices are one.
fn lemmas(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    words::for_each_word(text, |range, form| {
        let lemma = morphology::lemma(form);
        let is_price = PRICE.contains(&lemma.as_str());
        found.push((range, if is_price { PRICE[0].to_owned() } else { lemma }));
    });
    found
}

/// Finds values of the catalogue in a text about products.
pub fn find(
    text: &Text<'_>,
    passages: &[Passage],
    about: &[&str],
    whole: &Validity,
    catalog: &Catalog,
    names: &Names,
) -> Vec<Said> {
    let mut found = Vec::new();
    let headings: Vec<Vec<&str>> =
        text.sections.iter().map(|section| names.products(&section.heading)).collect();
    for passage in passages {
        if !passage.text.bytes().any(|b| b.is_ascii_digit()) {
            continue;
        }
        let section = text.sections.get(passage.section);
        let validity = section.and_then(|section| section.validity.as_deref()).unwrap_or(whole);
        let own = lemmas(&passage.text);
        let label = passage.label.as_deref().unwrap_or_default();
        let heading = section.map_or("", |section| &*section.heading);
        let reading = Reading {
            body: text.body,
            lang: text.lang,
            catalog,
            validity,
            passage,
            named: names.find(&own),
            around: [names.products(label), headings.get(passage.section).cloned().unwrap_or_default()],
            about,
            near: own
                .iter()
                .map(|(_, lemma)| lemma.clone())
                .chain(lemmas(label).into_iter().map(|(_, lemma)| lemma))
                .collect(),
            heading: lemmas(heading).into_iter().map(|(_, lemma)| lemma).collect(),
        };
        reading.numbers(&mut found);
        reading.codes(&mut found);
    }
    found.dedup_by(|a, b| a.at == b.at && a.name == b.name);
    found
}

/// A passage, and what decides of which product it speaks.
struct Reading<'a> {
    body: &'a str,
    lang: Lang,
    catalog: &'a Catalog,
    validity: &'a Validity,
    passage: &'a Passage,
    /// Products named in it.
    named: Vec<(&'a str, Range<usize>)>,
    /// Products named beside it: by the label of a cell, by the heading.
    around: [Vec<&'a str>; 2],
    /// Products the article is about.
    about: &'a [&'a str],
    /// The lemmas in it and in its label.
    near: Vec<String>,
    /// The lemmas of the heading.
    heading: Vec<String>,
}

impl<'a> Reading<'a> {
    /// The one product it speaks of, and whether it is named.
    fn product(&self) -> Option<(&'a Product, bool)> {
        let mut named: Vec<&str> = self.named.iter().map(|(product, _)| *product).collect();
        named.sort_unstable();
        named.dedup();
        let (id, is_named) =
            match (named.as_slice(), self.around[0].as_slice(), self.around[1].as_slice(), self.about) {
                ([one], ..) => (*one, true),
                ([], [one], ..) => (*one, true),
                ([], [], [one], _) => (*one, true),
                ([], [], [], [one]) => (*one, false),
                _ => return None,
            };
        self.catalog
            .product(id)
            .filter(|product| product.status != Status::Draft)
            .map(|product| (product.as_ref(), is_named))
    }

    fn numbers(&self, found: &mut Vec<Said>) {
        let quantities = quantities::find_quantities(&self.passage.text);
        for quantity in &quantities {
            let in_name = self
                .named
                .iter()
                .any(|(_, name)| name.start < quantity.range.end && quantity.range.start < name.end);
            if in_name || self.passage.is_reference(&quantity.range) {
                continue;
            }
            let is_alone = quantities.iter().filter(|other| other.unit == quantity.unit).count() == 1;
            match self.product() {
                Some((product, _)) => {
                    let said = self.said(product, quantity, is_alone);
                    found.extend(said);
                }
                // Of several products the one that has this value may be meant, whichever it is.
                None if self.named.is_empty() => {
                    let about = self.about.iter().filter_map(|id| self.catalog.product(id));
                    let mut having = about.filter_map(|product| self.same(product, quantity));
                    found.extend(having.next());
                }
                None => {}
            }
        }
    }

    /// What a number says of a product: a value it has, or another one than it has.
    fn said(&self, product: &'a Product, quantity: &Quantity, is_alone: bool) -> Option<Said> {
        if let Some(same) = self.same(product, quantity) {
            return Some(same);
        }
        let is_otherwise = self.near.iter().any(|lemma| OTHERWISE_LEMMAS.contains(lemma));
        if !is_alone || is_otherwise {
            return None;
        }
        let attribute = self.labelled(product, |attribute| counts(attribute, &quantity.unit))?;
        let instead = self.instead(product, attribute, |told| says(told, quantity))?;
        // What is another value of the product is not a wrong one.
        let is_another = product.values.iter().any(|(other, _)| {
            counts(other, &quantity.unit)
                && self.instead(product, other, |told| says(told, quantity)).is_none()
        });
        (!is_another).then(|| self.made(product, attribute, &quantity.range, &quantity.number, Some(instead)))
    }

    /// The value of a product that a number is. Counts and times are so only where they are labelled: many things last 30 days.
    fn same(&self, product: &'a Product, quantity: &Quantity) -> Option<Said> {
        let has = |attribute: &Attribute| {
            counts(attribute, &quantity.unit)
                && product.values.iter().any(|(own, variants)| {
                    own.id == attribute.id
                        && variants.iter().any(|variant| {
                            variant.validity.meets(self.validity)
                                && variant.told().is_some_and(|told| says_exactly(told, quantity))
                        })
                })
        };
        let labelled = self.labelled(product, has);
        let attribute = match labelled {
            Some(attribute) => attribute,
            None => product
                .values
                .iter()
                .map(|(attribute, _)| attribute.as_ref())
                .find(|a| a.kind == AttributeType::Money && has(a))?,
        };
        Some(self.made(product, attribute, &quantity.range, &quantity.number, None))
    }

    fn codes(&self, found: &mut Vec<Said>) {
        for code in codes::find_codes(&self.passage.text) {
            if self.passage.is_reference(&code.range) {
                continue;
            }
            let owners: Vec<(&Product, &str)> =
                self.catalog.code_owners(&code.canonical, &Clearance::Everything).collect();
            if let Some((product, attribute)) = owners
                .iter()
                .find(|(product, _)| self.about.contains(&product.id.as_str()))
                .or(owners.first())
                && let Some((attribute, _)) = product.values.iter().find(|(own, _)| own.id == *attribute)
            {
                // A code of another product where this one's should stand.
                let named = self.product().filter(|(named, is_named)| {
                    *is_named && owners.iter().all(|(owner, _)| owner.id != named.id)
                });
                let wrong = named.and_then(|(named, _)| self.wrong_code(named, &code));
                found.push(
                    wrong.unwrap_or_else(|| self.made(product, attribute, &code.range, &code.range, None)),
                );
                continue;
            }
            let is_short = self.near.len() <= MOST_WORDS_WITH_CODE;
            if let Some((product, is_named)) = self.product()
                && (is_named || is_short)
            {
                found.extend(self.wrong_code(product, &code));
            }
        }
    }

    /// A code that is said to be one of a product's, and is none of them.
    fn wrong_code(&self, product: &'a Product, code: &codes::Code) -> Option<Said> {
        let attribute = self.labelled(product, |attribute| attribute.kind == AttributeType::Code)?;
        let is_same_kind = |told: Told<'_>| match told {
            Told::Code(own) => own.starts_with(['*', '#']) == code.canonical.starts_with(['*', '#']),
            _ => false,
        };
        let comparable = product.values.iter().any(|(own, variants)| {
            own.id == attribute.id && variants.iter().any(|variant| variant.told().is_some_and(is_same_kind))
        });
        let instead = self.instead(product, attribute, |told| told == Told::Code(&code.canonical))?;
        comparable.then(|| self.made(product, attribute, &code.range, &code.range, Some(instead)))
    }

    /// The attribute whose label stands near; of two the one with more words, of two of as many none.
    fn labelled(&self, product: &'a Product, fits: impl Fn(&Attribute) -> bool) -> Option<&'a Attribute> {
        let mut best: Option<(usize, &Attribute)> = None;
        let mut is_tied = false;
        for (attribute, _) in product.values.iter().filter(|(attribute, _)| fits(attribute)) {
            let lengths = attribute.label.all().into_iter().filter_map(|label| {
                let words: Vec<String> = lemmas(label)
                    .into_iter()
                    .map(|(_, lemma)| lemma)
                    .filter(|lemma| !words::is_stop_word(lemma))
                    .collect();
                let is_near = |word: &String| {
                    self.near.contains(word)
                        || attribute.kind == AttributeType::Code && self.heading.contains(word)
                };
                (!words.is_empty() && words.iter().all(is_near)).then_some(words.len())
            });
            if let Some(length) = lengths.max() {
                match best {
                    Some((most, _)) if length == most => is_tied = true,
                    Some((most, _)) if length < most => {}
                    _ => (best, is_tied) = (Some((length, attribute.as_ref())), false),
                }
            }
        }
        best.filter(|_| !is_tied).map(|(_, attribute)| attribute)
    }

    /// What the catalogue says of an attribute where a text is in force; `None` when one of its values is what the text says, or there is none.
    fn instead(
        &self,
        product: &Product,
        attribute: &Attribute,
        fits: impl Fn(Told<'_>) -> bool,
    ) -> Option<String> {
        let (_, variants) = product.values.iter().find(|(own, _)| own.id == attribute.id)?;
        let mut shown = None;
        for variant in variants.iter().filter(|variant| variant.validity.meets(self.validity)) {
            if variant.told().is_none_or(&fits) {
                return None;
            }
            shown.get_or_insert_with(|| variant.show(attribute, self.lang));
        }
        shown
    }

    fn made(
        &self,
        product: &Product,
        attribute: &Attribute,
        range: &Range<usize>,
        part: &Range<usize>,
        instead: Option<String>,
    ) -> Said {
        Said {
            shown: self.passage.text[range.clone()].to_owned(),
            name: format!("{}.{}", product.id, attribute.id),
            instead,
            product: (product.file.clone(), product.at.line),
            at: self.passage.find(self.body, &self.passage.text[part.clone()]),
        }
    }
}

/// A code among more words may be said to be anything.
const MOST_WORDS_WITH_CODE: usize = 10;

/// Whether a number with this unit can be a value of an attribute.
fn counts(attribute: &Attribute, unit: &Unit) -> bool {
    match (attribute.kind, unit) {
        (AttributeType::Money, Unit::Money(currency)) => attribute.currency() == *currency,
        (AttributeType::Period, Unit::Period(_)) => true,
        (AttributeType::Count, unit) => {
            let own: Vec<Unit> =
                attribute.unit.all().into_iter().filter(|text| !text.is_empty()).map(unit_named).collect();
            own.contains(unit)
        }
        _ => false,
    }
}

fn unit_named(text: &str) -> Unit {
    if text == "%" {
        return Unit::Percent;
    }
    let form = words::fold(text);
    quantities::unit_of(&form).unwrap_or_else(|| Unit::Word(morphology::lemma(&form)))
}

/// Whether a value of the catalogue is what a text says, or has it between its ends. Times of other units are not compared: they pass.
fn says(told: Told<'_>, quantity: &Quantity) -> bool {
    match (told, &quantity.unit) {
        (Told::Number(low, high), _) => low <= quantity.low && quantity.high <= high,
        (Told::Period(low, high, unit), Unit::Period(own)) => {
            unit != *own || low * 1000 <= quantity.low && quantity.high <= high * 1000
        }
        _ => true,
    }
}

/// Whether a value of the catalogue is what a text says, from end to end.
fn says_exactly(told: Told<'_>, quantity: &Quantity) -> bool {
    match (told, &quantity.unit) {
        (Told::Number(low, high), _) => (low, high) == (quantity.low, quantity.high),
        (Told::Period(low, high, unit), Unit::Period(own)) => {
            unit == *own && (low * 1000, high * 1000) == (quantity.low, quantity.high)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::article::Article;
    use crate::content::validity::Standpoint;
    use crate::quality::passages::passages;

    const CATALOG: &str = r##"
family: sms
attributes:
  price: {type: money, label: {ru: Цена, en: Price}}
  fee: {type: money, label: {ru: Плата за подключение, en: Connection fee}}
  size: {type: count, label: {ru: Размер пакета, en: Package size}, unit: SMS}
  term: {type: period, label: {ru: Срок действия, en: Valid for}}
  connect: {type: code, label: {ru: Подключить, en: Connect}}
  disable: {type: code, label: {ru: Отключить, en: Disable}}
products:
  - id: small
    title: {ru: Пакет Малый, en: Small package}
    values:
      price: [100, {value: 120, regions: [moscow]}]
      fee: 20
      size: 100
      term: 30 days
      connect: "*155*971#"
      disable: "*155*970#"
  - id: large
    title: {ru: Пакет Большой, en: Large package}
    values: {price: 200, size: 300, connect: "*155*981#"}
"##;

    /// What is found: the name, and what the catalogue says instead, with no-break spaces as spaces.
    #[track_caller]
    fn check(about: &[&str], text: &str, expected: &[&str]) {
        let catalog = Catalog::of_text(CATALOG);
        let parsed = Article::parse("articles", "a.md", text).0.unwrap();
        let taken = Text {
            body: &parsed.body,
            sections: &parsed.article.sections,
            blocks: &parsed.blocks,
            lang: parsed.article.lang,
        };
        let day = "2026-11-23".parse().unwrap();
        let passages = passages(&taken, &catalog, Standpoint::keeper(day));
        let said = find(&taken, &passages, about, parsed.article.validity(), &catalog, &Names::of(&catalog));
        let told: Vec<String> = said
            .iter()
            .map(|one| match &one.instead {
                Some(instead) => {
                    format!("{}: {} not {}", one.name, instead.replace('\u{a0}', " "), one.shown)
                }
                None => format!("{} = {}", one.name, one.shown),
            })
            .collect();
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn other_values_than_those_of_the_catalogue_are_found() {
        check(&["small"], "Цена: 110 ₽ в месяц.", &["small.price: 100 ₽ not 110 ₽"]);
        check(&[], "Стоимость Пакета Большого — 250 рублей.", &["large.price: 200 ₽ not 250 рублей"]);
        check(&[], "The price of the Small package is 110 rubles.", &["small.price: 100 ₽ not 110 rubles"]);
        check(&[], "## Пакет Малый\n\nПлата за подключение — 30 ₽.", &["small.fee: 20 ₽ not 30 ₽"]);
        check(&["small"], "Срок действия 20 дней.", &["small.term: 30 дней not 20 дней"]);
        check(&["small"], "Подключить: *155*972#", &["small.connect: *155*971# not *155*972#"]);
        check(&[], "Подключить Пакет Малый: `*155*981#`", &["small.connect: *155*971# not *155*981#"]);
        check(
            &[],
            "| | Пакет Малый | Пакет Большой |\n|---|---|---|\n| Цена | 110 ₽ | 200 ₽ |\n",
            &["small.price: 100 ₽ not 110 ₽", "large.price = 200 ₽"],
        );
        check(&["small"], "Package size: 150 SMS", &["small.size: 100 SMS not 150 SMS"]);
    }

    #[test]
    fn values_that_are_written_out_are_found() {
        check(&["small"], "Пакет стоит 100 ₽ в месяц.", &["small.price = 100 ₽"]);
        check(&["small", "large"], "За 200 ₽ можно получить больше.", &["large.price = 200 ₽"]);
        check(&["small"], "Наберите *155*970#.", &["small.disable = *155*970#"]);
        check(&["small"], "Размер пакета — 100 SMS.", &["small.size = 100 SMS"]);
    }

    #[test]
    fn other_numbers_are_left() {
        for text in [
            // A reference; no label; another unit; another thing; a comparison; several.
            "Цена: {{ small.price }}.",
            "Пополните счёт на 300 ₽.",
            "Цена: 110 SMS.",
            "Абонент платит 50 ₽.",
            "Цена была 90 ₽, раньше.",
            "Цена: 50 ₽ или 60 ₽.",
            "Сохраните чек на 30 дней.",
            "Срок действия — 1 месяц.",
            "Позвоните по номеру 8 800 555 06 11.",
        ] {
            check(&["small"], text, &[]);
        }
        // What is in force in Moscow.
        check(&["small"], "## Москва {#m region=moscow}\n\nЦена: 120 ₽.", &["small.price = 120 ₽"]);
        check(&["small"], "## Тула {#m region=tula}\n\nЦена: 120 ₽.", &["small.price: 100 ₽ not 120 ₽"]);
        // Of which product it speaks cannot be told.
        check(&["small", "large"], "Цена: 110 ₽.", &[]);
        check(&[], "Цена: 110 ₽.", &[]);
    }
}
