//! Facts: one value of one product, told from the catalogue when a query names both beyond doubt.

use crate::content::catalog::{Attribute, AttributeType, Catalog, Lang, Product, Variant};
use crate::content::front_matter::Status;
use crate::content::product_names::terms_of;
use crate::content::synonyms::Synonyms;
use crate::language::{family, typo, words};
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

/// A slip that costs more may be another word altogether.
const SURE_SLIP: f32 = 0.6;

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

/// The fact a query asks for. Every word of it must be accounted for: by the product's name, by the attribute's, or by how people ask.
pub fn find<'a>(
    plan: &Plan,
    intent: Option<Intent>,
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
    let (product, called) =
        catalog.names().find(&terms, |product| catalog.may_know(product, &filter.clearance))?;
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
    let at = filter.standpoint();
    let (attribute, variant) = product.variant(&attribute.id, at)?;
    let in_force =
        |variants: &[Variant]| variants.iter().filter(|v| v.validity.in_force(at.anywhere())).count();
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
