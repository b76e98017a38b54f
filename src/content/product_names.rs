//! What products are called: their titles, aliases and short numbers, by the words they are made of.

use std::collections::HashMap;
use std::sync::Arc;

use crate::content::catalog::Product;
use crate::content::front_matter::Status;
use crate::content::synonyms::Synonyms;
use crate::language::{codes, morphology, words};

/// The share of a name, by what its words tell, that must be asked for.
const NAMED: f32 = 0.6;

/// Another product that is named so nearly as well leaves doubt which is meant.
const DOUBT: f32 = 0.95;

/// The names of all products by the words they are made of.
#[derive(Clone, Debug, Default)]
pub struct ProductNames {
    /// The words of each name, and its product.
    names: Vec<(Vec<String>, String)>,
    /// Names in which a word stands.
    by_word: HashMap<String, Vec<usize>>,
}

impl ProductNames {
    /// The names of products that readers get.
    pub fn of<'a>(products: impl Iterator<Item = &'a Arc<Product>>, synonyms: &Synonyms) -> Self {
        let mut made = Self::default();
        for product in products.filter(|p| p.status != Status::Draft) {
            for name in product.title.all().into_iter().chain(product.aliases.iter().map(String::as_str)) {
                let terms = terms_of(name, synonyms);
                for term in &terms {
                    made.by_word.entry(term.clone()).or_default().push(made.names.len());
                }
                made.names.push((terms, product.id.clone()));
            }
            // A short number is a name: «звонок на 611».
            // One that is not for all is no name for all.
            let for_all = product.codes().filter(|(_, _, validity)| validity.audience.is_empty());
            for (_, code, _) in for_all.filter(|(_, code, _)| codes::is_short_number(code)) {
                let term = synonyms.canonical(code).to_owned();
                made.by_word.entry(term.clone()).or_default().push(made.names.len());
                made.names.push((vec![term], product.id.clone()));
            }
        }
        made
    }

    /// The product a query names best of those that are known, with all the words it is ever called by; `None` when another is named as
    /// well, or none.
    pub fn find(&self, asked: &[String], is_known: impl Fn(&str) -> bool) -> Option<(&str, Vec<&str>)> {
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
        scored.retain(|(_, product)| is_known(product));
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
pub fn terms_of(text: &str, synonyms: &Synonyms) -> Vec<String> {
    let mut terms: Vec<String> = words::words(text)
        .iter()
        .filter(|w| !words::is_stop_word(&w.form))
        .map(|w| synonyms.canonical(&morphology::lemma(&w.form)).to_owned())
        .collect();
    terms.sort();
    terms.dedup();
    terms
}
