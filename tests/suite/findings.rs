//! What could be better in a base: found, listed, told on a page and while one writes.

use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use pharos::accounts::permissions::Role;
use serde_json::{Value, json};

use crate::harness::{Base, Visitor};

const CATALOG: &str = r##"family: sms
title: {ru: Пакеты, en: Packages}
attributes:
  price: {type: money, label: {ru: Цена, en: Price}}
  check: {type: code, label: {ru: Проверить, en: Check}}
products:
  - id: small
    title: {ru: Пакет Малый, en: Small package}
    article: prices/catalogue
    values: {price: 100, check: "*155*97#"}
"##;

/// A text of so many sentences, each with other words than those of another seed.
fn long(seed: usize, sentences: usize) -> String {
    const WORDS: [&str; 12] =
        ["берег", "ветер", "горы", "дом", "ёлка", "жук", "зима", "игра", "кот", "лес", "море", "ночь"];
    let word = |n: usize| WORDS[(seed * 7 + n * n + n * seed) % WORDS.len()];
    // Sentences begin with a capital.
    let sentence = |n: usize| {
        format!("Это {} {} {} {} и {}. ", word(n), word(n + 1), word(n + 5), word(n + 3), word(n + 8))
    };
    (0..sentences).map(sentence).collect()
}

/// One of each: what is found stands at the places that the test names.
fn base() -> Base {
    let article = |head: &str, body: &str| format!("---\ntitle: {head}\n---\n{body}\n");
    let hard = "Осуществление предоставления дополнительных функциональных возможностей обеспечивается посредством последовательного конфигурирования соответствующих инфраструктурных компонентов. ";
    let files = [
        (
            "articles/prices/catalogue.md",
            article("Каталог\nproducts: [small]\nowner: anna", "Цена: 110 ₽ в месяц.\n\nНаберите *155*97#."),
        ),
        (
            "articles/prices/one.md",
            article(
                "Доставка SIM-карт",
                "Стоимость доставки SIM-карты курьером — 300 ₽ по городу.\n\nУзнать остаток доставки: *155*11#.",
            ),
        ),
        (
            "articles/prices/two.md",
            article(
                "Доставка SIM-карт курьером\nowner: boris",
                "Стоимость доставки SIM-карты курьером — 350 ₽ по городу.\n\nУзнать остаток доставки: *155*12#.",
            ),
        ),
        // In another region it may cost something else.
        (
            "articles/prices/tula.md",
            article(
                "Доставка SIM-карт в Туле\nregions: [tula]",
                "Стоимость подъёма SIM-карты на этаж — 10 ₽ за этаж.",
            ),
        ),
        (
            "articles/prices/moscow.md",
            article(
                "Доставка SIM-карт в Москве\nregions: [moscow]",
                "Стоимость подъёма SIM-карты на этаж — 20 ₽ за этаж.",
            ),
        ),
        ("articles/copy/first.md", article("Первая", &long(1, 60))),
        ("articles/copy/second.md", article("Вторая", &format!("{} Добавка в конце.", long(1, 60)))),
        ("articles/copy/hard.md", article("Трудная", &hard.repeat(10))),
        ("articles/copy/sentence.md", article("Длинная", &format!("Вот {} конец.", "слово ".repeat(60)))),
        ("articles/twins/a.md", article("Ай", "Русская статья.")),
        ("articles/en/twins/a.md", article("A", "An English article.")),
        ("articles/twins/b.md", article("Бэ", "Русская статья.")),
        ("articles/en/twins/b.md", article("B", "An English article.")),
        ("articles/twins/c.md", article("Цэ", "Русская статья.")),
        ("articles/en/twins/c.md", article("C", "An English article.")),
        ("articles/twins/d.md", article("Дэ", "Русская статья.")),
        (
            "articles/index.md",
            article(
                "Всё\ntags: [essential]",
                "[1](prices/one.md) [2](prices/two.md) [3](prices/tula.md) [4](prices/moscow.md) [5](copy/first.md) [6](copy/second.md)\n[7](copy/hard.md) [8](twins/a.md) [9](twins/b.md) [10](twins/c.md) [11](twins/d.md)",
            ),
        ),
        ("articles/catalog/sms.yaml", CATALOG.to_owned()),
        ("templates/pack.md", "---\ntitle: Ответ\nproducts: [small]\n---\n# chat\nЦена: 100 ₽.\n".to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let base = Base::with(&files);
    // Everything was written together, but for the original that was changed a week later.
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    for (path, _) in files {
        let later =
            if path == "articles/twins/b.md" { Duration::from_secs(7 * 86_400) } else { Duration::ZERO };
        let file = std::fs::File::options().write(true).open(base.path(path)).unwrap();
        file.set_modified(then + later).unwrap();
    }
    base
}

/// Code, file, line and the other file of each.
fn told(findings: &Value) -> Vec<String> {
    let one = |finding: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        format!(
            "{} {}:{} {}",
            text(&finding["code"]),
            text(&finding["file"]),
            finding["line"],
            text(&finding["other"]["file"])
        )
    };
    findings.as_array().unwrap().iter().map(one).collect()
}

fn listed(visitor: &Visitor<'_>, query: &str) -> Vec<String> {
    told(&visitor.json(&format!("/api/v1/quality{query}"))["findings"])
}

#[test]
fn one_of_each_is_found_and_told() {
    let base = base();
    let served = base.start();
    let editor = served.person("anna", &[Role::Editor], &[]);
    let operator = served.person("oleg", &[Role::Operator], &[]);
    let all = [
        "conflict-value articles/prices/catalogue.md:6 articles/catalog/sms.yaml",
        "conflict-statement articles/prices/two.md:5 articles/prices/one.md",
        "conflict-code articles/prices/two.md:7 articles/prices/one.md",
        "near-duplicate articles/copy/second.md:4 articles/copy/first.md",
        "missing-translation articles/twins/d.md:0 -",
        "outdated-translation articles/en/twins/b.md:0 articles/twins/b.md",
        "hard-coded-value articles/prices/catalogue.md:8 articles/catalog/sms.yaml",
        "hard-coded-value templates/pack.md:6 articles/catalog/sms.yaml",
        "hard-to-read articles/copy/hard.md:4 -",
        "long-sentence articles/copy/sentence.md:4 -",
        "orphan articles/copy/sentence.md:0 -",
    ];
    assert_eq!(listed(&editor, ""), all);
    // Filters, pages, counts.
    assert_eq!(listed(&editor, "?code=orphan,conflict-code"), [all[2], all[10]]);
    assert_eq!(listed(&editor, "?owner=boris"), all[1..3]);
    assert_eq!(listed(&editor, "?folder=articles/twins"), all[4..5]);
    assert_eq!(listed(&editor, "?limit=2&offset=1"), all[1..3]);
    let reply = editor.json("/api/v1/quality?code=orphan");
    assert_eq!((&reply["total"], &reply["counts"]["hard-coded-value"]), (&json!(1), &json!(2)));
    assert_eq!(editor.get("/api/v1/quality?code=nonsense").status, StatusCode::BAD_REQUEST);
    // What it quotes may be for some only.
    for path in ["/api/v1/quality", "/quality"] {
        assert_eq!(operator.get(path).status, StatusCode::FORBIDDEN, "{path}");
    }
    let page = editor.get("/quality").text;
    assert!(
        page.contains("/edit/articles/prices/two.md#L5") && page.contains("/edit/articles/prices/one.md#L4"),
        "{page}"
    );
    let of_boris = editor.get("/quality?code=conflict-code&owner=boris&folder=articles").text;
    assert!(of_boris.contains("*155*12#") && !of_boris.contains("copy/hard"), "{of_boris}");
    assert_eq!(editor.get("/quality?code=nonsense").status, StatusCode::BAD_REQUEST);

    // A change makes what it concerns anew.
    let path = "articles/prices/two.md";
    let text = std::fs::read_to_string(base.path(path)).unwrap();
    std::fs::write(base.path(path), text.replace("350 ₽", "300 ₽")).unwrap();
    served.wait_until("the contradiction is gone", |_| !listed(&editor, "").contains(&all[1].to_owned()));
    assert_eq!(listed(&editor, "?code=conflict-code"), [all[2]]);
}

#[test]
fn who_writes_is_advised() {
    let base = base();
    let served = base.start();
    let editor = served.person("anna", &[Role::Editor], &[]);
    let advice = |path: &str, text: &str| {
        let advice = || {
            let preview = editor.post("/api/v1/preview", &json!({"path": path, "text": text})).json();
            assert_eq!(preview["is_served"], json!(true), "{preview}");
            preview["advice"].clone()
        };
        served.wait_until("the base has been looked through", |_| !advice().is_null());
        told(&advice())
    };
    let new = "articles/prices/new.md";
    assert_eq!(
        advice(
            new,
            "---\ntitle: Доставка SIM-карт\n---\nСтоимость доставки SIM-карты курьером — 400 ₽ по городу.\n"
        ),
        [""; 0],
        "two different prices stand there already: which is meant nobody knows"
    );
    assert_eq!(
        advice(
            new,
            "---\ntitle: Доставка SIM-карт в Туле\n---\nСтоимость подъёма SIM-карты на этаж — 20 ₽ за этаж.\n"
        ),
        ["conflict-statement articles/prices/new.md:4 articles/prices/tula.md"]
    );
    assert_eq!(
        advice(
            new,
            "---\ntitle: Доставка SIM-карт в Туле\nregions: [kursk]\n---\nСтоимость подъёма SIM-карты на этаж — 20 ₽ за этаж.\n"
        ),
        [""; 0]
    );
    assert_eq!(
        advice(new, "---\ntitle: Пакет Малый\nproducts: [small]\n---\nЦена: 100 ₽. Проверить: *155*98#\n"),
        [
            "conflict-value articles/prices/new.md:5 articles/catalog/sms.yaml",
            "hard-coded-value articles/prices/new.md:5 articles/catalog/sms.yaml"
        ]
    );
    assert_eq!(
        advice("articles/copy/third.md", &format!("# Третья\n\n{}", long(1, 60))),
        ["near-duplicate articles/copy/third.md:1 articles/copy/first.md"]
    );
    // A file is not compared with itself; a template is advised as well.
    assert_eq!(
        advice("articles/copy/first.md", &format!("# Первая\n\n{} Иначе.", long(1, 60))),
        ["near-duplicate articles/copy/first.md:1 articles/copy/second.md"]
    );
    assert_eq!(
        advice("templates/new.md", "---\ntitle: Ответ\nproducts: [small]\n---\n# sms\nЦена: 120 ₽.\n"),
        ["conflict-value templates/new.md:6 articles/catalog/sms.yaml"]
    );
}

#[test]
fn the_command_line_tells_the_same() {
    let base = base();
    let check = |arguments: &[&str]| {
        let output = base.command("check").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stdout).unwrap()
    };
    let report: Value = serde_json::from_str(&check(&["--quality", "--format", "json"])).unwrap();
    let served = base.start();
    let editor = served.person("anna", &[Role::Editor], &[]);
    assert_eq!(report["findings"], editor.json("/api/v1/quality")["findings"]);
    let text = check(&["--quality"]);
    assert!(
        text.contains("advice: ") && text.contains("[conflict-code]") && text.contains("11 findings"),
        "{text}"
    );
    assert!(
        check(&["--quality", "--format", "github"]).contains("::notice file=articles/prices/two.md,line=5,")
    );
    assert!(!check(&[]).contains("advice"));
}
