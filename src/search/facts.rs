//! Facts: one value of one product, told from the catalogue when a query names both beyond doubt.

use std::collections::HashMap;

use crate::content::catalog::{Attribute, AttributeType, Catalog, Lang, Product, Variant};
use crate::content::front_matter::Status;
use crate::content::synonyms::Synonyms;
use crate::language::{family, morphology, typo, words};
use crate::search::filter::Filter;
use crate::search::intent::Intent;
use crate::search::query::{Plan, Reading, Why};

/// Words that name no product and ask for nothing, but stand in questions about them.
const FILLERS: &[&str] = &[
    "пакет",
    "услуга",
    "опция",
    "тариф",
    "продукт",
    "стоить",
    "нужный",
    "нужно",
    "надо",
    "клиент",
    "абонент",
    "код",
    "команда",
    "запрос",
    "номер",
    "подсказать",
    "сейчас",
    "сам",
    "самый",
    "один",
    "узнать",
    "мочь",
    "какой",
    "сколько",
    "packag",
    "servic",
    "option",
    "tariff",
    "plan",
    "code",
    "custom",
    "client",
    "command",
    "much",
    "mani",
    "get",
    "know",
    "need",
    "want",
    "find",
    "out",
    "help",
    "tell",
    "me",
    "number",
    "ussd",
    "кто",
    "куда",
    "includ",
    "входить",
    "давать",
    "дать",
    "есть",
    "обойтись",
    "брать",
    "line",
    "линия",
    "сумма",
    "размер",
    "amount",
];

/// Words that periods are counted in and asked for by.
const TIMES: &[&str] = &[
    "минута",
    "час",
    "день",
    "сутки",
    "неделя",
    "месяц",
    "год",
    "время",
    "долго",
    "скоро",
    "быстро",
    "срок",
    "через",
    "long",
    "soon",
    "minut",
    "hour",
    "dai",
    "day",
    "week",
    "month",
    "year",
    "time",
    "last",
    "when",
    "действовать",
    "когда",
];

/// The share of a name, by what its words tell, that must be asked for.
const NAMED: f32 = 0.6;

/// A slip that costs more may be another word altogether.
const SURE_SLIP: f32 = 0.6;

/// Another product that is named so nearly as well leaves doubt which is meant.
const DOUBT: f32 = 0.95;

/// A value of the catalogue that a query asks for.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    /// The product.
    pub product: &'a Product,
    /// The attribute.
    pub attribute: &'a Attribute,
    /// Its value in force.
    pub variant: &'a Variant,
}

/// The names of all products by the words they are made of.
#[derive(Debug, Default)]
pub struct ProductNames {
    /// The words of each name, and its product.
    names: Vec<(Vec<String>, String)>,
    /// Names in which a word stands.
    by_word: HashMap<String, Vec<usize>>,
}

impl ProductNames {
    /// The names in a catalogue.
    pub fn of(catalog: &Catalog) -> Self {
        let mut made = Self::default();
        for product in catalog.products().filter(|p| p.status != Status::Draft) {
            for name in product.title.all().into_iter().chain(product.aliases.iter().map(String::as_str)) {
                let terms = terms_of(name, catalog.synonyms());
                for term in &terms {
                    made.by_word.entry(term.clone()).or_default().push(made.names.len());
                }
                made.names.push((terms, product.id.clone()));
            }
            // A short number is a name: «звонок на 611».
            for (_, code, _) in product
                .codes()
                .filter(|(_, code, _)| code.bytes().all(|b| b.is_ascii_digit()) && code.len() <= 6)
            {
                let term = catalog.synonyms().canonical(code).to_owned();
                made.by_word.entry(term.clone()).or_default().push(made.names.len());
                made.names.push((vec![term], product.id.clone()));
            }
        }
        made
    }

    /// The product a query names best, with all the words it is ever called by; `None` when another is named as well, or none.
    fn find(&self, asked: &[String]) -> Option<(&str, Vec<&str>)> {
        let mut held: HashMap<usize, f32> = HashMap::new();
        for term in asked {
            for name in self.by_word.get(term).into_iter().flatten() {
                *held.entry(*name).or_default() += self.telling(term);
            }
        }
        let mut scored: Vec<(f32, &str)> = held
            .into_iter()
            .filter_map(|(name, held)| {
                let (terms, product) = &self.names[name];
                let share = held / terms.iter().map(|term| self.telling(term)).sum::<f32>();
                (share >= NAMED).then_some((held * share, product.as_str()))
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        let (best, product) = *scored.first()?;
        if scored.iter().any(|(score, other)| *score >= best * DOUBT && *other != product) {
            return None;
        }
        let called = self.names.iter().filter(|(_, own)| own == product).flat_map(|(terms, _)| terms);
        Some((product, called.map(String::as_str).collect()))
    }

    /// How much a word tells products apart.
    fn telling(&self, term: &str) -> f32 {
        let named = self.by_word.get(term).map_or(0, Vec::len);
        (1.0 + self.names.len() as f32 / (named as f32 + 0.5)).ln()
    }
}

/// The words of a text as names are compared: lemmas, one for all that editors say is the same, without little words.
fn terms_of(text: &str, synonyms: &Synonyms) -> Vec<String> {
    let mut terms: Vec<String> = words::words(text)
        .iter()
        .filter(|w| !words::is_stop_word(&w.form))
        .map(|w| synonyms.canonical(&morphology::lemma(&w.form)).to_owned())
        .collect();
    terms.sort();
    terms.dedup();
    terms
}

/// The fact a query asks for. Every word of it must be accounted for: by the product's name, by the attribute's, or by how people ask.
pub fn find<'a>(
    plan: &Plan,
    intent: Option<Intent>,
    names: &ProductNames,
    catalog: &'a Catalog,
    filter: &Filter,
) -> Option<Fact<'a>> {
    let synonyms = catalog.synonyms();
    let asked: Vec<String> = plan
        .words
        .iter()
        .map(|word| {
            // A word nobody wrote counts as what it was corrected to, if hardly anything else can be meant.
            let is_sure = |r: &&Reading| match r.why {
                Why::Transliteration | Why::Spacing => true,
                Why::Typo => typo::cost(&word.form, &r.form) <= SURE_SLIP,
                _ => false,
            };
            let meant = word.readings.iter().find(is_sure).filter(|_| word.frequency == 0);
            synonyms.canonical(meant.map_or(word.lemma.as_str(), |r| r.lemma.as_str())).to_owned()
        })
        .collect();
    let mut terms = asked.clone();
    terms.sort();
    terms.dedup();
    let (product, called) = names.find(&terms)?;
    let product = catalog.product(product).filter(|p| filter.admits_product(p))?;
    let rest: Vec<&str> = asked.iter().map(String::as_str).filter(|term| !called.contains(term)).collect();
    let mut scored: Vec<(f32, &'a Attribute)> = Vec::new();
    let codes = product.values.iter().filter(|(a, _)| a.kind == AttributeType::Code).count();
    for (attribute, _) in &product.values {
        let label = label_terms(attribute, synonyms);
        let is_asked = |term: &str| label.iter().any(|l| is_alike(l, term));
        let held = asked.iter().filter(|term| is_asked(term)).count();
        // Nothing but its name: then its number, if that is all there is to dial.
        let is_its_number =
            rest.is_empty() && intent.is_none() && codes == 1 && attribute.kind == AttributeType::Code;
        let fits = is_its_number || intent.is_some_and(|intent| intent_fits(intent, attribute, &label));
        let is_explained = |term: &&str| {
            is_asked(term)
                || fits && intent.is_some_and(|i| i.is_told_by(term))
                || attribute.kind == AttributeType::Period && TIMES.contains(term)
                || FILLERS.contains(term)
        };
        // What only repeats the product's name asks for nothing.
        let is_wanted = fits || rest.iter().any(|term| is_asked(term) && !FILLERS.contains(term));
        if !is_wanted || !rest.iter().all(is_explained) {
            continue;
        }
        let unasked = label.iter().filter(|l| !asked.iter().any(|term| is_alike(l, term))).count();
        let is_price = intent == Some(Intent::Price) && attribute.kind == AttributeType::Money;
        let score = held as f32 + f32::from(u8::from(fits)) + 0.5 * f32::from(u8::from(is_price))
            - 0.1 * unasked as f32;
        scored.push((score, attribute));
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (best, attribute) = *scored.first()?;
    if scored.get(1).is_some_and(|(second, _)| *second >= best) {
        return None;
    }
    let may_leave = matches!(intent, Some(Intent::Disable | Intent::Check));
    if product.status == Status::Archived && attribute.kind == AttributeType::Code && !may_leave {
        // It is not to be had any more, whatever its code was.
        return None;
    }
    let (attribute, variant) = product.variant(&attribute.id, filter.day, filter.region.as_deref())?;
    let in_force =
        |variants: &[Variant]| variants.iter().filter(|v| v.validity.in_force(filter.day, None)).count();
    let others = product.values.iter().find(|(a, _)| a.id == attribute.id).map_or(0, |(_, v)| in_force(v));
    if filter.region.is_none() && !variant.validity.regions.is_empty() && others > 1 {
        // It differs from region to region, and nobody said which.
        return None;
    }
    Some(Fact { product, attribute, variant })
}

fn label_terms(attribute: &Attribute, synonyms: &Synonyms) -> Vec<String> {
    let told = |lang: &Lang| {
        [terms_of(attribute.label.get(*lang), synonyms), terms_of(attribute.unit.get(*lang), synonyms)]
    };
    let mut terms: Vec<String> = Lang::ALL.iter().flat_map(told).flatten().collect();
    terms.sort();
    terms.dedup();
    terms
}

/// Whether two words are one, or of one family.
fn is_alike(label: &str, term: &str) -> bool {
    label == term || words::is_cyrillic(label) && family::candidates(label).iter().any(|other| other == term)
}

/// Whether an attribute is of the sort that such a question asks for.
fn intent_fits(intent: Intent, attribute: &Attribute, label: &[String]) -> bool {
    let is_told = label.iter().any(|term| intent.is_told_by(term));
    match intent {
        Intent::Price => {
            attribute.kind == AttributeType::Money || is_told && attribute.kind == AttributeType::Text
        }
        Intent::Connect | Intent::Disable | Intent::Check => attribute.kind == AttributeType::Code && is_told,
        Intent::Phone => attribute.kind == AttributeType::Code && !is_told_by_other(label),
        Intent::Hours | Intent::Conditions => is_told,
        Intent::Compare | Intent::HowTo => false,
    }
}

/// Whether a label says that a code does something: then it is no number to call.
fn is_told_by_other(label: &[String]) -> bool {
    [Intent::Connect, Intent::Disable, Intent::Check]
        .iter()
        .any(|i| label.iter().any(|term| i.is_told_by(term)))
}
