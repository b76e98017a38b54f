//! What is asked about a thing: its price, how to connect it, whom to call. Told by rules, because operators ask the same few things.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Serialize;
use utoipa::ToSchema;

use crate::content::article::Article;
use crate::content::front_matter::Kind;
use crate::language::{morphology, words};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// What it costs.
    Price,
    /// How to get it.
    Connect,
    /// How to get rid of it.
    Disable,
    /// How to see what is left of it.
    Check,
    /// Which number to call.
    Phone,
    /// When somebody is there.
    Hours,
    /// For whom and when it is to be had.
    Conditions,
    /// How things differ.
    Compare,
    /// How to do something else.
    HowTo,
}

/// Lemmas (of words or pairs of words) that tell an intent, the more telling intents first.
const TELLING: &[(Intent, &[&str])] = &[
    (
        Intent::Compare,
        &[
            "сравнить",
            "сравнение",
            "отличаться",
            "отличие",
            "разница",
            "compare",
            "comparison",
            "differ",
            "difference",
            "versus",
            "vs",
        ],
    ),
    (
        Intent::Price,
        &[
            "цена",
            "стоимость",
            "стоить",
            "стоять",
            "платный",
            "бесплатный",
            "бесплатно",
            "почем",
            "абонплата",
            "абонентка",
            "брать",
            "тарификация",
            "плата",
            "price",
            "cost",
            "fee",
            "how much",
            "charg",
        ],
    ),
    (
        Intent::Disable,
        &[
            "отключить",
            "отключать",
            "отключение",
            "отписаться",
            "отказаться",
            "отказ",
            "disabl",
            "deactiv",
            "unsubscrib",
            "turn off",
            "switch off",
            "opt out",
            "убрать",
            "снять",
        ],
    ),
    (
        Intent::Check,
        &[
            "проверить",
            "проверка",
            "проверять",
            "остаток",
            "остаться",
            "узнать остаток",
            "check",
            "remain",
            "left",
            "leftov",
            "balanc",
        ],
    ),
    (
        Intent::Connect,
        &[
            "подключить",
            "подключать",
            "подключение",
            "активировать",
            "активация",
            "оформить",
            "connect",
            "activ",
            "subscrib",
            "turn on",
            "switch on",
            "sign up",
        ],
    ),
    (
        Intent::Hours,
        &[
            "график",
            "режим",
            "часы",
            "час",
            "круглосуточно",
            "до сколько",
            "когда работать",
            "hour",
            "open",
            "schedul",
        ],
    ),
    (
        Intent::Phone,
        &[
            "телефон",
            "позвонить",
            "звонить",
            "дозвониться",
            "номер поддержка",
            "куда звонить",
            "горячий линия",
            "phone",
            "call",
            "hotlin",
            "support number",
        ],
    ),
    (
        Intent::Conditions,
        &[
            "срок",
            "условие",
            "действовать",
            "кто мочь",
            "можно ли",
            "доступный",
            "term",
            "condit",
            "valid",
            "elig",
            "expir",
        ],
    ),
    (Intent::HowTo, &["как", "каким образом", "инструкция", "how", "how to"]),
];

type ByFirst = HashMap<&'static str, Vec<(usize, Vec<&'static str>)>>;

/// By the first lemma: which of [`TELLING`], and the lemmas that must follow.
fn telling() -> &'static ByFirst {
    static BY_FIRST: OnceLock<ByFirst> = OnceLock::new();
    BY_FIRST.get_or_init(|| {
        let mut by_first = ByFirst::new();
        for (number, (_, told)) in TELLING.iter().enumerate() {
            for told in *told {
                let mut words = told.split(' ');
                let first = words.next().unwrap_or_default();
                by_first.entry(first).or_default().push((number, words.collect()));
            }
        }
        by_first
    })
}

impl Intent {
    /// What a query asks, if it says so.
    pub fn of(text: &str) -> Option<Self> {
        let mut lemmas: Vec<String> = Vec::new();
        words::for_each_word(text, |_, form| lemmas.push(morphology::lemma(form)));
        let mut told: Option<usize> = None;
        for (at, lemma) in lemmas.iter().enumerate() {
            for (number, rest) in telling().get(lemma.as_str()).into_iter().flatten() {
                let stands = lemmas[at + 1..].len() >= rest.len()
                    && lemmas[at + 1..].iter().zip(rest).all(|(a, b)| a == b);
                if stands && told.is_none_or(|least| *number < least) {
                    told = Some(*number);
                }
            }
        }
        let told = told.map(|number| TELLING[number].0);
        // «Заказать детализацию»: an infinitive in front asks how.
        let is_infinitive =
            |lemma: &String| words::words(text).first().is_some_and(|w| Self::is_action(lemma, &w.form));
        told.or_else(|| lemmas.first().is_some_and(is_infinitive).then_some(Self::HowTo))
    }

    /// Whether a word of a query names an action (an infinitive); articles often call it otherwise: настроить, подключить.
    pub fn is_action(lemma: &str, form: &str) -> bool {
        lemma == form
            && lemma.chars().count() > 3
            && ["ть", "ться", "чь"].iter().any(|ending| lemma.ends_with(ending))
    }

    /// Whether it asks for something to do.
    pub fn asks_how(self) -> bool {
        matches!(self, Self::Connect | Self::Disable | Self::Check | Self::HowTo)
    }

    /// Whether a lemma is one of those that tell what is asked.
    pub fn tells(lemma: &str) -> bool {
        telling().contains_key(lemma)
    }

    /// Whether a lemma alone tells this, or is part of what tells it.
    pub fn is_told_by(self, lemma: &str) -> bool {
        let told = TELLING.iter().find(|(intent, _)| *intent == self).map_or(&[][..], |(_, told)| told);
        told.iter().any(|told| told.split(' ').any(|part| part == lemma))
    }

    /// Whether an article is of the kind that answers this.
    pub fn fits(self, article: &Article) -> bool {
        let kind = article.matter.kind;
        match self {
            Self::Connect | Self::Disable | Self::Check | Self::HowTo => {
                matches!(kind, Kind::Procedure | Kind::Faq)
            }
            Self::Price | Self::Conditions | Self::Compare => matches!(kind, Kind::Product | Kind::Faq),
            Self::Phone | Self::Hours => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_tell_what_is_asked() {
        for (text, expected) in [
            ("сколько стоит пакет 100 смс", Some(Intent::Price)),
            ("как отключить автоплатёж", Some(Intent::Disable)),
            ("подключение пакета", Some(Intent::Connect)),
            ("how much is the package", Some(Intent::Price)),
            ("how do I turn off the package", Some(Intent::Disable)),
            ("чем отличаются пакеты", Some(Intent::Compare)),
            ("заказать детализацию", Some(Intent::HowTo)),
            ("роуминг", None),
        ] {
            assert_eq!(Intent::of(text), expected, "{text}");
        }
    }
}
