//! Search understands people: slips, layouts, scripts, synonyms, operators, questions; and says what it did.

use serde_json::Value;

use crate::harness::{Base, Served, ids};

const CATALOG: &str = "
family: packages
title: {ru: Пакеты}
attributes:
  price: {type: money, label: {ru: Цена, en: Price}, currency: RUB}
  term: {type: period, label: {ru: Срок действия, en: Valid for}}
  connect: {type: code, label: {ru: Подключить, en: Connect}}
  disable: {type: code, label: {ru: Отключить, en: Disable}}
products:
  - id: small
    title: {ru: Малый пакет, en: Small package}
    article: packages/small
    values:
      price: [{value: 95, to: 2026-11-30}, {value: 120, from: 2026-12-01}]
      term: 30 days
      connect: '*155*2#'
      disable: '*155*20#'
  - id: large
    title: {ru: Большой пакет, en: Large package}
    article: packages/large
    values: {price: 300, term: 30 days, connect: '*155*21#', disable: '*155*210#'}
  - id: gone
    title: {ru: Старый пакет, en: Old package}
    status: archived
    article: packages/gone
    values: {price: 10, connect: '*155*3#'}
";

fn base() -> Base {
    Base::with(&[
        ("articles/catalog/packages.yaml", CATALOG),
        (
            "articles/packages/small.md",
            "---\ntitle: Малый пакет\nkind: product\nproducts: [small]\n---\n\nЦена {{ small.price }}.\n",
        ),
        (
            "articles/packages/large.md",
            "---\ntitle: Большой пакет\nkind: product\nproducts: [large]\n---\n\nЦена {{ large.price }}.\n",
        ),
        (
            "articles/packages/gone.md",
            "---\ntitle: Старый пакет\nproducts: [gone]\nstatus: archived\n---\n\nЕго больше нет.\n",
        ),
        (
            "articles/roaming.md",
            "---\ntitle: Мобильный интернет в роуминге\nkind: procedure\n---\n\nРоуминг включают так.\n\n1. Откройте настройки.\n2. Включите передачу данных.\n",
        ),
        (
            "articles/internet.md",
            "---\ntitle: Интернет дома\n---\n\nМобильный телефон раздаёт интернет. Роуминга дома нет.\n",
        ),
        (
            "articles/autopayment.md",
            "---\ntitle: Автоплатёж\n---\n\nАвтоплатёж пополняет счёт сам. Подключение бесплатно.\n",
        ),
        ("articles/en/refund.md", "---\ntitle: Refunds and disputes\n---\n\nA refund takes ten days.\n"),
        ("articles/en/then.md", "---\ntitle: Then and now\n---\n\nWhat was then, and then again.\n"),
        ("articles/wifi.md", "---\ntitle: Wi-Fi в салоне\n---\n\nПароль от сети знает старший смены.\n"),
    ])
}

fn corrections(reply: &Value) -> Vec<(String, String, String)> {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let list = reply["query"]["corrections"].as_array().unwrap();
    list.iter().map(|c| (text(&c["from"]), text(&c["to"]), text(&c["why"]))).collect()
}

#[track_caller]
fn first(served: &Served, query: &str) -> String {
    let reply = served.search(query, "");
    ids(&reply["hits"], "article").first().cloned().unwrap_or_else(|| panic!("nothing for {query}: {reply}"))
}

#[test]
fn slips_layouts_scripts_and_spaces_are_read_and_told() {
    let base = base();
    let served = base.start();
    for (query, article, why) in [
        ("роумнг", "roaming", "typo"),
        ("моблиьный интернет", "roaming", "typo"),
        ("refnud", "en/refund", "typo"),
        ("hjevbyu", "roaming", "layout"),
        ("куагтв", "en/refund", "layout"),
        (",jkmijq gfrtn", "packages/large", "layout"),
        ("avtoplatezh", "autopayment", "transliteration"),
        ("мобильныйинтернет", "roaming", "spacing"),
    ] {
        let reply = served.search(query, "");
        let found = ids(&reply["hits"], "article");
        assert_eq!(found.first().map(String::as_str), Some(article), "{query}");
        let told = corrections(&reply);
        assert_eq!(told.first().map(|(_, _, why)| why.as_str()), Some(why), "{query}: {told:?}");
        assert_ne!(reply["query"]["read_as"], query, "{query}");
        let verbatim = served.search(query, "&verbatim=true");
        if !query.contains(' ') {
            assert!(verbatim["hits"].as_array().unwrap().is_empty(), "{query} as typed finds nothing");
        }
        assert!(corrections(&verbatim).is_empty());
    }
    let reply = served.search("берут роуминг", "");
    assert!(corrections(&reply).iter().all(|(_, _, why)| why != "layout"), "not \",then\": {reply}");
    for clean in ["роуминг", "мобильный интернет", "refund", "wi-fi", "вай-фай", "Wi-Fi пароль"]
    {
        let reply = served.search(clean, "");
        assert!(corrections(&reply).is_empty(), "{clean}: {reply}");
        assert!(reply["total"].as_u64().unwrap() > 0, "{clean}");
    }
}

#[test]
fn families_are_found_together() {
    let served = base().start();
    let reply = served.search("подключить автоплатёж", "");
    assert_eq!(ids(&reply["hits"], "article")[0], "autopayment");
}

#[test]
fn synonyms_and_pins_of_editors_count_at_once() {
    let base = base();
    let served = base.start();
    assert!(served.found("симофон", "").is_empty());
    base.write(
        "articles/synonyms.yaml",
        "groups:\n- [симофон, автоплатёж]\npins:\n- {query: [интернет], articles: [en/refund]}\n",
    );
    served.wait_until("the synonyms count", |s| !s.found("симофон", "").is_empty());
    assert_eq!(first(&served, "симофон"), "autopayment");
    let pinned = served.search("интернет", "");
    assert_eq!(
        (pinned["hits"][0]["article"].as_str(), pinned["hits"][0]["rung"].as_str()),
        (Some("en/refund"), Some("pinned"))
    );
    base.write("articles/synonyms.yaml", "groups:\n- [симофон\n");
    served.wait_until("the fault is told", |s| !s.problems("articles/synonyms.yaml").is_empty());
    assert_eq!(first(&served, "симофон"), "autopayment", "the last good synonyms stay");
    base.write("articles/synonyms.yaml", "pins:\n- {query: [x], articles: [no/such]}\n");
    served.wait_until("the pin is told of", |s| s.problems("articles/synonyms.yaml") == ["unknown-article"]);
    assert!(served.found("симофон", "").is_empty());
}

#[test]
fn operators_narrow_a_search() {
    let served = base().start();
    assert_eq!(served.found("\"мобильный интернет\"", ""), ["roaming"]);
    assert_eq!(served.found("интернет -роуминг", ""), Vec::<String>::new(), "both articles speak of roaming");
    assert_eq!(served.found("мобильный -дома", ""), ["roaming"]);
    assert_eq!(served.found("тип:инструкция", ""), ["roaming"]);
    assert_eq!(served.found("kind:procedure интернет", ""), ["roaming"]);
    assert_eq!(served.found("product:small", ""), ["packages/small"]);
    assert_eq!(served.found("статус:архив пакет", ""), ["packages/gone"]);
    assert!(!served.found("цена: интернет", "").is_empty(), "a colon in a text is no field");
}

#[test]
fn questions_are_answered_from_the_catalogue_as_of_the_day() {
    let served = base().start();
    let answer = |query: &str, parameters: &str| served.search(query, parameters)["answer"].clone();
    let price = answer("сколько стоит малый пакет", "");
    assert_eq!(price["kind"], "fact");
    assert!(price["text"].as_str().unwrap().starts_with("95\u{a0}₽"), "{price}");
    assert_eq!(price["validity"]["to"], "2026-11-30");
    let later = answer("сколько стоит малый пакет", "&as_of=2026-12-05");
    assert!(later["text"].as_str().unwrap().starts_with("120\u{a0}₽"), "{later}");
    for (query, expected) in [
        ("как отключить большой пакет", "*155*210# "),
        ("how do I connect the large package", "*155*21# "),
        ("срок действия большого пакета", "30\u{a0}дней"),
        ("сколько стоит большой покет", "300\u{a0}₽"),
    ] {
        let answer = answer(query, "");
        assert!(answer["text"].as_str().unwrap_or_default().starts_with(expected), "{query}: {answer}");
    }
    for query in [
        "сколько стоит пакет",
        "сколько стоит средний пакет",
        "цена большого пакета в крыму",
        "подключить старый пакет",
    ] {
        let answer = answer(query, "");
        assert!(answer["kind"] != "fact" && answer["kind"] != "code", "{query}: {answer}");
    }
}

#[test]
fn steps_answer_how() {
    let served = base().start();
    let reply = served.search("как включить мобильный интернет в роуминге", "");
    assert_eq!(reply["answer"]["kind"], "steps", "{reply}");
    assert_eq!(reply["query"]["intent"], "how_to");
}

#[test]
fn every_place_in_the_list_can_be_explained() {
    let served = base().start();
    let reply = served.search("мобильный интрнет", "&explain=true");
    let hit = &reply["hits"][0];
    let shares = hit["signals"].as_array().unwrap();
    let sum: f64 = shares.iter().map(|s| s["adds"].as_f64().unwrap()).sum();
    assert!((sum - hit["score"].as_f64().unwrap()).abs() < 1e-3, "{hit}");
    let words = reply["query"]["words"].as_array().unwrap();
    assert_eq!(words[1]["readings"][0]["why"], "typo");
    assert!(served.search("мобильный", "")["hits"][0].get("signals").is_none());
}

#[test]
fn suggestions_tell_what_was_meant_and_complete_it() {
    let served = base().start();
    let suggest = |query: &str| {
        let reply = served.json(&format!("/api/v1/suggest?q={}", crate::harness::encode(query)));
        ids(&reply["suggestions"], "text")
    };
    assert_eq!(suggest("hjevbyu")[0], "роуминг");
    assert!(
        suggest("мобильный инт").contains(&"мобильный интернет".to_owned()),
        "{:?}",
        suggest("мобильный инт")
    );
}
