//! Codes are never wrong: the sample base answers each of its codes, however it is typed, and nothing but it.

use serde_json::Value;

use crate::harness::{Served, root};
use pharos::settings::Settings;

fn sample() -> (tempfile::TempDir, Served) {
    let index = tempfile::tempdir().unwrap();
    let settings = Settings {
        articles: root().join("articles"),
        templates: root().join("templates"),
        index: index.path().to_owned(),
        ..Settings::default()
    };
    (index, Served::start(settings))
}

/// Product, connect, disable, check: from the table of the SMS products.
const CODES: &[(&str, [&str; 3])] = &[
    ("SMS-свобода", ["*155*21#", "*155*20#", "*155*2#"]),
    ("100 SMS в месяц", ["*155*971#", "*155*970#", "*155*97#"]),
    ("300 SMS в месяц", ["*155*981#", "*155*980#", "*155*98#"]),
    ("Плюс 100 SMS", ["*155*951#", "*155*950#", "*155*95#"]),
    ("Плюс 300 SMS", ["*155*961#", "*155*960#", "*155*96#"]),
];

const ACTIONS: [&str; 3] = ["Подключить", "Отключить", "Проверить"];

fn canonical_codes(html: &str) -> Vec<String> {
    pharos::language::codes::find_codes(html).into_iter().map(|c| c.canonical).collect()
}

#[track_caller]
fn check(reply: &Value, code: &str, says: &[&str]) {
    let answer = &reply["answer"];
    assert_eq!(answer["kind"], "code", "{code}: {reply}");
    let text = answer["text"].as_str().unwrap();
    for part in says {
        assert!(text.contains(part), "{part:?} in {text:?}");
    }
    assert_eq!(canonical_codes(text), [code], "the answer names the code asked for and no other");
    let first = &reply["hits"][0];
    assert!(first["rung"] == "code", "{first}");
    let snippet = first["snippet_html"].as_str().unwrap();
    let marked: Vec<String> = snippet
        .split("<mark>")
        .skip(1)
        .flat_map(|m| canonical_codes(m.split("</mark>").next().unwrap()))
        .collect();
    assert!(!marked.is_empty() && marked.iter().all(|m| m == code), "{code} is what is marked in {snippet}");
}

#[test]
fn all_fifteen_codes_are_answered_exactly_in_every_spelling() {
    let (_index, served) = sample();
    for (product, codes) in CODES {
        for (code, action) in codes.iter().zip(ACTIONS) {
            let spaced: String = code
                .chars()
                .flat_map(|c| if c.is_ascii_digit() { vec![c] } else { vec![' ', c, ' '] })
                .collect();
            for typed in [(*code).to_owned(), spaced.trim().to_owned(), format!(" {code} ")] {
                check(&served.search(&typed, ""), code, &[action, product]);
            }
        }
    }
}

#[test]
fn support_lines_are_answered_as_people_write_them() {
    let (_index, served) = sample();
    for (spellings, canonical, product) in [
        (&["611", " 611 "][..], None, "611"),
        (&["636"], None, "636"),
        (
            &[
                "8 800 555 06 11",
                "88005550611",
                "8-800-555-06-11",
                "8 (800) 555-06-11",
                "+7 800 555 06 11",
                "800 555 06 11",
                "555-06-11",
            ],
            Some("78005550611"),
            "8 800",
        ),
        (
            &["+7 951 520 06 11", "89515200611", "8 951 520-06-11", "951 520 06 11"],
            Some("79515200611"),
            "роуминг",
        ),
        (
            &["(831) 291-16-11", "8 831 291 16 11", "831 291-16-11", "291 16 11"],
            Some("78312911611"),
            "Нижнем Новгороде",
        ),
        (&["(495) 979-76-11", "84959797611", "979-76-11"], Some("74959797611"), "Москве"),
        (&["(904) 990-00-00", "8 904 990 00 00"], Some("79049900000"), "Кемерове"),
    ] {
        for typed in spellings {
            let reply = served.search(typed, "");
            assert_eq!(reply["answer"]["kind"], "code", "{typed}: {reply}");
            let text = reply["answer"]["text"].as_str().unwrap();
            assert!(text.contains(product), "{typed}: {text}");
            if let Some(canonical) = canonical {
                assert_eq!(reply["query"]["read_as"], canonical, "{typed}");
                assert_eq!(canonical_codes(text), [canonical], "{typed}");
            }
            assert!(!reply["hits"].as_array().unwrap().is_empty(), "{typed}");
        }
    }
}

#[test]
fn a_code_that_is_still_typed_or_unknown_has_no_answer() {
    let (_index, served) = sample();
    for typed in ["*155", "*155*", "*155*2", "*155*9", "*155*97", "*155*99#", "*155*211#", "8 800"] {
        let reply = served.search(typed, "");
        assert!(reply["answer"].is_null(), "{typed}: {}", reply["answer"]);
    }
    assert!(served.found("*155*99#", "").is_empty(), "an unknown code finds nothing");
    assert!(served.found("*155*97", "").len() > 1, "the beginning of a code finds what it may become");
    assert_eq!(
        served.search("*155*21", "")["answer"]["kind"],
        "code",
        "only the hash is missing, and no other code begins so"
    );
}

#[test]
fn a_code_that_is_no_longer_in_force_is_not_answered_with_its_successor() {
    let base = crate::harness::Base::with(&[
        (
            "articles/catalog/c.yaml",
            "family: f\nattributes: {connect: {type: code}}\nproducts:\n  - id: p\n    article: secret\n    values:\n      connect:\n        - {value: '*155*2#', to: 2026-10-31}\n        - {value: '*155*21#', from: 2026-11-01}\n  - {id: d, status: draft, values: {connect: '100'}}\n",
        ),
        ("articles/secret.md", "---\ntitle: Тайна\nstatus: draft\n---\n\nтайна\n"),
        ("articles/a.md", "# Звонки\n\nПозвоните 100 раз.\n"),
    ]);
    let served = base.start();
    assert!(served.search("*155*2#", "")["answer"].is_null());
    assert!(
        served.search("*155*2#", "&as_of=2026-10-01")["answer"]["text"]
            .as_str()
            .unwrap()
            .starts_with("*155*2# ")
    );
    let now = served.search("*155*21#", "");
    assert!(now["answer"]["text"].as_str().unwrap().starts_with("*155*21# "));
    assert!(!now.to_string().contains("secret"));
    let suggested = served.json("/api/v1/suggest?q=*155*2");
    assert_eq!(crate::harness::ids(&suggested["suggestions"], "text"), ["*155*21#"]);
    assert!(!suggested.to_string().contains("secret"));
    assert_eq!(served.found("100", ""), ["a"], "a draft's code does not hide a number");
}
