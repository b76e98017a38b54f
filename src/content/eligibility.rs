//! Who can have a product: what it cannot stand beside, what it needs, which tariffs admit it; and the same in sentences.

use jiff::civil::Date;

use crate::content::catalog::{Catalog, Lang, Localized, Product};
use crate::content::front_matter::Status;
use crate::content::problem::{Position, Report};
use crate::content::validity::{Standpoint, Validity};
use crate::content::yaml::{self, Fields, Node, Value};

/// Which tariffs admit a product, by the day they were opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TariffRule {
    /// Those opened on this day or later.
    pub opened_from: Option<Date>,
    /// Those opened on this day or earlier.
    pub opened_to: Option<Date>,
    /// Others that admit it as well.
    pub also: Vec<Localized>,
    /// Those that do not, whenever they were opened.
    pub except: Vec<Localized>,
}

impl TariffRule {
    /// Reads `only_tariffs`.
    pub fn read(node: Node, report: &mut Report) -> Self {
        let mut fields = Fields::of(node, "`only_tariffs`", report);
        let at = fields.at;
        let (opened_from, opened_to) = (fields.date("opened_from"), fields.date("opened_to"));
        let also = read_names(fields.node("also"), fields.report);
        let except = read_names(fields.node("except"), fields.report);
        fields.finish("`only_tariffs`");
        check_order(opened_from, opened_to, at, report);
        Self { opened_from, opened_to, also, except }
    }
}

fn check_order(from: Option<Date>, to: Option<Date>, at: Position, report: &mut Report) {
    yaml::check_order(&Validity { from, to, ..Validity::default() }, at, report);
}

fn read_names(node: Option<Node>, report: &mut Report) -> Vec<Localized> {
    let Some(node) = node else { return Vec::new() };
    let items = match node.value {
        Value::List(items) => items,
        _ => vec![node],
    };
    items.into_iter().map(|item| Localized::read(item, "the name of a tariff", report)).collect()
}

/// The rules of a product in sentences, for somebody on a day in a region.
pub fn rules(product: &Product, catalog: &Catalog, lang: Lang, at: Standpoint<'_>) -> Vec<String> {
    let offered = |id: &str| catalog.product(id).filter(|other| other.is_offered(at));
    // Whoever cannot stand beside it is named by one of the two.
    let others = catalog.excluding(&product.id);
    let mut against: Vec<&str> = product.not_with.iter().chain(others).map(String::as_str).collect();
    against.sort_unstable();
    against.dedup();
    let named = |ids: &[&str]| -> Vec<String> {
        ids.iter().filter_map(|id| offered(id)).map(|other| quoted(other.title.get(lang), lang)).collect()
    };
    let needed: Vec<&str> = product.only_with.iter().map(String::as_str).collect();
    let mut told = Vec::new();
    let against = named(&against);
    if !against.is_empty() {
        told.push(match lang {
            Lang::Ru => format!("Не вместе с: {}", against.join(", ")),
            Lang::En => format!("Not with {}", against.join(", ")),
        });
    }
    let offered_now = named(&needed);
    // What is needed and not to be had is told all the same: without it the product cannot be had either.
    let (needed, is_to_be_had) = match offered_now.is_empty() {
        false => (offered_now, true),
        true => {
            let known = needed.iter().filter_map(|id| catalog.product(id));
            let known = known.filter(|p| p.status != Status::Draft && p.is_known_to(at.clearance));
            (known.map(|other| quoted(other.title.get(lang), lang)).collect(), false)
        }
    };
    // Of what one may not know, nothing is told, not even that it is needed.
    if product.only_with.iter().any(|id| catalog.may_know(id, at.clearance)) {
        let (needed, now) = (needed.join(lang.either(" или ", " or ")), !is_to_be_had);
        let now = if now {
            lang.either(" (сейчас не предлагается)", " (not offered now)")
        } else {
            ""
        };
        told.push(format!("{} {needed}{now}", lang.either("Только вместе с:", "Only with")));
    }
    told.extend(product.only_tariffs.as_ref().map(|rule| tariffs(rule, lang)));
    told
}

/// That two products cannot stand beside each other, in a sentence.
pub fn conflict(one: &Product, other: &Product, lang: Lang) -> String {
    let [one, other] = [one, other].map(|product| quoted(product.title.get(lang), lang));
    match lang {
        Lang::Ru => format!("{one} и {other} вместе не подключаются"),
        Lang::En => format!("{one} and {other} cannot be connected together"),
    }
}

fn tariffs(rule: &TariffRule, lang: Lang) -> String {
    let names = |list: &[Localized]| {
        list.iter().map(|name| quoted(name.get(lang), lang)).collect::<Vec<_>>().join(", ")
    };
    let (from, to) =
        (rule.opened_from.map(|day| written(day, lang)), rule.opened_to.map(|day| written(day, lang)));
    let mut told = match (lang, from, to) {
        (Lang::Ru, Some(from), Some(to)) => format!("Только тарифы, открытые с {from} по {to}"),
        (Lang::Ru, Some(from), None) => format!("Только тарифы, открытые с {from}"),
        (Lang::Ru, None, Some(to)) => format!("Только тарифы, открытые не позже {to}"),
        (Lang::En, Some(from), Some(to)) => format!("Only tariffs opened from {from} to {to}"),
        (Lang::En, Some(from), None) => format!("Only tariffs opened on or after {from}"),
        (Lang::En, None, Some(to)) => format!("Only tariffs opened on or before {to}"),
        (Lang::Ru, None, None) if !rule.also.is_empty() => format!("Только тарифы {}", names(&rule.also)),
        (Lang::En, None, None) if !rule.also.is_empty() => format!("Only the tariffs {}", names(&rule.also)),
        (Lang::Ru, None, None) => "Любые тарифы".to_owned(),
        (Lang::En, None, None) => "Any tariff".to_owned(),
    };
    if !rule.also.is_empty() && (rule.opened_from.is_some() || rule.opened_to.is_some()) {
        told.push_str(match lang {
            Lang::Ru => "; из других — ",
            Lang::En => "; of others also ",
        });
        told.push_str(&names(&rule.also));
    }
    if !rule.except.is_empty() {
        told.push_str(match lang {
            Lang::Ru => "; кроме ",
            Lang::En => "; except ",
        });
        told.push_str(&names(&rule.except));
    }
    told
}

fn quoted(name: &str, lang: Lang) -> String {
    match lang {
        Lang::Ru => format!("«{name}»"),
        Lang::En => format!("“{name}”"),
    }
}

const RUSSIAN_MONTHS: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];

fn written(day: Date, lang: Lang) -> String {
    match lang {
        Lang::Ru => {
            let month = usize::try_from(day.month()).unwrap_or(1);
            format!("{} {} {} года", day.day(), RUSSIAN_MONTHS[month - 1], day.year())
        }
        Lang::En => day.strftime("%-d %B %Y").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILY: &str = "family: f\ntitle: F\nattributes: {}\nproducts:\n\
        - {id: a, title: {ru: А, en: A}, not_with: [b]}\n\
        - {id: b, title: {ru: Б, en: B}, only_with: [c], only_tariffs: {opened_from: 2021-11-01, also: [{ru: Чёрный, en: Black}], except: [X]}}\n\
        - {id: c, title: В, only_tariffs: {also: [X1, Z]}}\n\
        - {id: d, title: Г, status: draft, not_with: [a]}\n";

    #[track_caller]
    fn check(product: &str, lang: Lang, expected: &[&str]) {
        let catalog = Catalog::of_text(FAMILY);
        let product = catalog.product(product).unwrap();
        assert_eq!(
            rules(product, &catalog, lang, Standpoint::public("2026-11-23".parse().unwrap())),
            expected
        );
    }

    #[test]
    fn rules_are_told_in_sentences() {
        check("a", Lang::Ru, &["Не вместе с: «Б»"]);
        check(
            "b",
            Lang::Ru,
            &[
                "Не вместе с: «А»",
                "Только вместе с: «В»",
                "Только тарифы, открытые с 1 ноября 2021 года; из других — «Чёрный»; кроме «X»",
            ],
        );
        check(
            "b",
            Lang::En,
            &[
                "Not with “A”",
                "Only with “В”",
                "Only tariffs opened on or after 1 November 2021; of others also “Black”; except “X”",
            ],
        );
        check("c", Lang::Ru, &["Только тарифы «X1», «Z»"]);
    }

    #[test]
    fn wrong_rules_are_problems() {
        let problems: Vec<String> =
            Catalog::of_text(&format!("{FAMILY}- {{id: e, title: Д, only_tariffs: {{opened_from: 2021-01-02, opened_to: 2021-01-01, before: 2020-01-01}}}}\n")).problems().iter().map(|p| p.code.to_string()).collect();
        assert_eq!(problems, ["unknown-key", "date"]);
    }
}
