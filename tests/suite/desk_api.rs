//! What the desk asks of the server beside search: changes, gaps, what is kept offline, who can have a product, the panel.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use pharos::settings::Settings;
use serde_json::{Value, json};

use crate::harness::{Base, Served, ids};

const CATALOG: &str = "
family: sms
title: {ru: Пакеты SMS, en: SMS packages}
attributes:
  price: {type: money, label: {ru: Цена, en: Price}}
products:
  - id: a
    title: {ru: Сто эсэмэс, en: Hundred SMS}
    article: packs
    not_with: [b]
    only_tariffs: {opened_from: 2021-11-01, also: [{ru: Чёрный, en: Black}]}
    values: {price: [100, {value: 120, regions: [moscow]}]}
  - id: b
    title: {ru: Триста эсэмэс, en: Three hundred SMS}
    only_with: [c]
    values: {price: 200}
  - id: c
    title: {ru: Роуминг, en: Roaming}
    status: archived
    values: {price: 7}
";

const ARTICLE: &str = "---\ntitle: Пакеты\nproducts: [a]\n---\n\nНачало.\n\n## Подключить {#connect}\n\nНаберите код, цена {{ a.price }}.\n\n\
    ## Отключить {#disable}\n\nПозвоните в поддержку.\n\n## Новая цена {#next from=2027-01-01}\n\nПотом {{ a.price }}.\n\n## Старая {#past to=2026-01-01}\n\nРаньше было иначе.\n";

fn base() -> Base {
    Base::with(&[
        ("articles/catalog/sms.yaml", CATALOG),
        ("articles/packs.md", ARTICLE),
        ("articles/rules.md", "---\ntitle: Главные правила\ntags: [essential]\n---\n\nЗдоровайтесь.\n"),
        ("articles/other.md", "# Другое\n\nТекст.\n"),
        ("articles/secret.md", "---\ntitle: Тайна\nstatus: draft\ntags: [essential]\n---\n\nЧерновик.\n"),
        (
            "templates/connect.md",
            "---\ntitle: Как подключить\narticles: [packs]\nvariables:\n  name: {type: text, label: Имя, required: true}\n---\n\n\
             # chat\n\n{{ name }}, цена {{ a.price }}.\n\n# sms\n\nЦена {{ a.price }}\n",
        ),
    ])
}

/// The changes, once there are as many as expected.
fn changes(served: &Served, parameters: &str, expected: usize) -> Vec<Value> {
    let ask = |served: &Served| served.json(&format!("/api/v1/changes?{parameters}"));
    served.wait_until("the changes are told", |served| ask(served)["total"] == expected);
    ask(served)["changes"].as_array().unwrap().clone()
}

/// What became of the texts of a part, kind by kind.
fn pieces(part: &Value) -> Vec<(&str, &str)> {
    let pieces = part["pieces"].as_array().unwrap().iter();
    pieces.map(|piece| (piece["kind"].as_str().unwrap(), piece["text"].as_str().unwrap())).collect()
}

#[test]
fn changes_tell_what_is_different_part_by_part() {
    let base = base();
    let served = base.start();
    assert_eq!(served.json("/api/v1/changes")["total"], 0, "a first start is no change");
    base.write(
        "articles/packs.md",
        ARTICLE
            .replace("в поддержку", "в салон")
            .replace("## Подключить", "## Срок {#term}\n\nМесяц.\n\n## Подключить"),
    );
    let told = changes(&served, "", 1);
    let sections = told[0]["sections"].as_array().unwrap();
    assert_eq!(ids(&told[0]["sections"], "anchor"), ["term", "disable"]);
    assert_eq!((&sections[0]["change"], &sections[1]["change"]), (&json!("added"), &json!("changed")));
    assert_eq!(pieces(&sections[0]), [("added", "Месяц.")]);
    assert_eq!(
        pieces(&sections[1]),
        [("same", "Позвоните в "), ("removed", "поддержку."), ("added", "салон.")]
    );
    assert_eq!(told[0]["products"], json!(["a"]));

    // A price: told as its product, the articles that show it are not.
    base.write("articles/catalog/sms.yaml", CATALOG.replace("price: [100,", "price: [110,"));
    let told = changes(&served, "", 2);
    assert_eq!(
        (&told[0]["subject"], &told[0]["id"], &told[0]["sections"][0]["anchor"]),
        (&json!("product"), &json!("a"), &json!("price"))
    );
    assert_eq!(told[0]["other"]["title"], "Hundred SMS");
    assert_eq!(told[0]["other"]["sections"][0]["heading"], "Price");
    // A wording: by channel.
    let template = std::fs::read_to_string(base.path("templates/connect.md")).unwrap();
    base.write("templates/connect.md", template.replace("Цена {{", "Стоит {{"));
    let told = changes(&served, "subject=template", 1);
    assert_eq!(ids(&told[0]["sections"], "anchor"), ["sms"]);
    // An article that is gone.
    std::fs::remove_file(base.path("articles/other.md")).unwrap();
    let told = changes(&served, "", 4);
    assert_eq!((&told[0]["change"], &told[0]["id"]), (&json!("removed"), &json!("other")));

    // Narrowed, bounded, refused.
    assert_eq!(changes(&served, "product=a&subject=article,product", 2).len(), 2);
    assert_eq!(changes(&served, "product=b", 0).len(), 0);
    assert_eq!(changes(&served, "limit=1", 4).len(), 1);
    assert_eq!(changes(&served, "since=2036-01-01", 0).len(), 0);
    for wrong in ["since=yesterday", "subject=people", "limit=9999"] {
        assert_eq!(
            served.get(&format!("/api/v1/changes?{wrong}")).status,
            StatusCode::BAD_REQUEST,
            "{wrong}"
        );
    }
    // What is taken back is told as readers knew it, and its text can no longer be read here.
    base.write("articles/other.md", "# Другое\n\nТекст.\n");
    changes(&served, "", 5);
    base.write("articles/other.md", "# Другое\n\nОшибочный текст.\n");
    assert!(changes(&served, "", 6)[0].to_string().contains("Ошибочный текст."));
    base.write("articles/other.md", "---\ntitle: Секретное имя\nstatus: draft\n---\n\nТекст.\n");
    let told = serde_json::to_string(&changes(&served, "", 7)).unwrap();
    assert!(!told.contains("Секретное") && !told.contains("Ошибочный"), "{told}");
    assert!(!served.get("/new").text.contains("Ошибочный"));
    // Who can have a product is told as well.
    base.write(
        "articles/catalog/sms.yaml",
        CATALOG.replace("price: [100,", "price: [110,").replace("only_with: [c]", "not_with: [c]"),
    );
    let told = changes(&served, "product=b&subject=product", 1);
    assert!(told[0].to_string().contains("Не вместе с"), "{}", told[0]);
    base.write("articles/catalog/sms.yaml", CATALOG.replace("price: [100,", "price: [110,"));
    changes(&served, "product=b&subject=product", 2);
    std::fs::remove_file(base.path("articles/other.md")).unwrap();
    served.wait_until("it is gone", |s| s.get("/articles/other").status == 404);
    // Drafts change unseen.
    base.write("articles/secret.md", "---\ntitle: Тайна\nstatus: draft\n---\n\nИначе.\n");
    let before = served.json("/api/v1/changes")["total"].as_u64().unwrap() as usize;
    base.write("articles/seen.md", "# Видно\n");
    assert_eq!(changes(&served, "", before + 1)[0]["id"], "seen");

    // All of it is known after a restart, and what changed meanwhile is told on top.
    drop(served);
    base.write("articles/seen.md", "# Видно\n\nДописано.\n");
    let served = base.start();
    let told = changes(&served, "", before + 2);
    assert_eq!(pieces(&told[0]["sections"][0]), [("added", "Дописано.")]);
    assert!(!told.iter().any(|change| change.to_string().contains("Тайна")));
}

#[test]
fn what_was_not_found_is_kept_for_the_editors() {
    let base = base();
    let served = base.start();
    let tell = |body: &Value| served.post("/api/v1/gaps", body);
    assert_eq!(
        tell(&json!({"query": "Вернуть ёлку", "note": " про деньги ", "region": "moscow", "lang": "ru"}))
            .status,
        StatusCode::CREATED
    );
    let again = tell(&json!({"query": "вернуть елку!"})).json();
    assert_eq!(
        (&again["times"], &again["notes"], &again["regions"]),
        (&json!(2), &json!(["про деньги"]), &json!(["moscow"]))
    );
    for wrong in [
        json!({}),
        json!({"query": "  "}),
        json!({"query": "я".repeat(1001)}),
        json!({"query": "a", "note": "я".repeat(501)}),
        json!({"query": "a", "lang": "de"}),
        json!({"query": "a", "customer": "Анна"}),
    ] {
        assert_eq!(tell(&wrong).status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    // A page of another site can send plain text through a reader's browser, and nothing else unasked.
    let request = Request::post("/api/v1/gaps").header("content-type", "text/plain");
    let refused = served.send(request.body(Body::from(json!({"query": "a"}).to_string())).unwrap());
    assert_eq!(refused.json()["code"], "invalid-body");
    drop(served);
    let list = base.start().json("/api/v1/gaps");
    assert_eq!((&list["total"], &list["gaps"][0]["times"]), (&json!(1), &json!(2)));
}

#[test]
fn a_device_keeps_what_was_used_and_what_is_essential() {
    let served = base().start();
    let kept = served.json("/api/v1/offline?articles=packs,none,secret,packs");
    assert_eq!(ids(&kept["articles"], "id"), ["rules", "packs"], "the essential ones first");
    assert!(kept["articles"][1]["html"].as_str().unwrap().contains("100"));
    assert_eq!(kept["articles"][1]["templates"], json!(["connect"]));
    let channels = &kept["templates"][0]["channels"];
    assert_eq!(channels["sms"]["text"], "Цена 100\u{a0}₽");
    assert_eq!((&channels["sms"]["missing"], &channels["chat"]["missing"]), (&json!([]), &json!(["name"])));
    // The article's price is the same for a week at least; a template that was used comes with its own.
    assert_eq!(channels["sms"]["until"], "2026-11-30");
    assert_eq!(ids(&served.json("/api/v1/offline?templates=connect,none")["templates"], "id"), ["connect"]);
    let moscow = served.json("/api/v1/offline?articles=packs&region=moscow");
    assert_eq!(moscow["region"], "moscow");
    assert_eq!(moscow["templates"][0]["channels"]["sms"]["text"], "Цена 120\u{a0}₽");
    assert_eq!(ids(&served.json("/api/v1/offline")["articles"], "id"), ["rules"]);
}

#[test]
fn an_article_tells_its_values_and_its_other_times() {
    let served = base().start();
    let article = served.json("/api/v1/articles/packs");
    assert_eq!(ids(&article["sections"], "anchor"), ["", "connect", "disable"]);
    assert_eq!(ids(&article["not_in_force"], "anchor"), ["next", "past"]);
    let value = &article["values"][0];
    assert_eq!(article["values"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&value["name"], &value["product"], &value["label"], &value["text"], &value["source_path"]),
        (
            &json!("a.price"),
            &json!("Сто эсэмэс"),
            &json!("Цена"),
            &json!("100\u{a0}₽"),
            &json!("articles/catalog/sms.yaml")
        )
    );
    let moscow = served.json("/api/v1/articles/packs?region=moscow&as_of=2027-02-01");
    assert_eq!(moscow["values"][0]["text"], "120\u{a0}₽");
    assert_eq!(ids(&moscow["not_in_force"], "anchor"), ["past"]);
    let page = served.get("/articles/packs").text;
    assert!(page.contains("Новая цена") && page.contains("<details class=\"other-time"), "{page}");
}

#[test]
fn products_are_found_by_words_and_tell_who_can_have_them() {
    let served_base = base();
    let served = served_base.start();
    let found =
        |parameters: &str| ids(&served.json(&format!("/api/v1/products?{parameters}"))["products"], "id");
    assert_eq!(found("q=%D1%8D%D1%81%D1%8D"), ["a", "b"], "the beginning of a word");
    assert_eq!(found("q=hundred%20three"), ["b"]);
    assert_eq!(
        found("q=%D0%BF%D0%B0%D0%BA%D0%B5%D1%82%D0%BE%D0%B2%20%D1%81%D1%82%D0%BE"),
        ["a"],
        "a form of the family's name"
    );
    assert_eq!(found("family=none"), Vec::<String>::new());
    for path in ["/api/v1/products", "/compare", "/wordings"] {
        let long = served.get(&format!("{path}?article=packs&q={}", "s+".repeat(600)));
        assert_eq!(long.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let product = served.json("/api/v1/products/a?lang=ru");
    assert_eq!(product["family_title"], "Пакеты SMS");
    let rules: Vec<String> = serde_json::from_value(product["rules"].clone()).unwrap();
    assert_eq!(rules[0], "Не вместе с: «Триста эсэмэс»");
    assert!(
        rules[1].starts_with("Только тарифы, открытые с 1 ноября 2021 года") && rules[1].contains("«Чёрный»"),
        "{rules:?}"
    );
    let other = served.json("/api/v1/products/b?lang=en")["rules"].clone();
    assert_eq!(other[0], "Not with “Hundred SMS”");
    assert_eq!(other[1], "Only with “Roaming”");
    // What is needed and not to be had is told.
    served_base
        .write("articles/catalog/sms.yaml", CATALOG.replace("status: archived", "valid: {to: 2026-01-01}"));
    served.wait_until("it is no longer offered", |s| s.get("/api/v1/products/c").status == 404);
    let other = served.json("/api/v1/products/b?lang=en")["rules"].clone();
    assert_eq!(other[1], "Only with “Roaming” (not offered now)");
    served_base.write("articles/catalog/sms.yaml", CATALOG);
    served.wait_until("it is offered again", |s| s.get("/api/v1/products/c").status == 200);
    let compared = served.json("/api/v1/compare?products=b,a&lang=en");
    assert_eq!(
        compared["conflict_texts"],
        json!(["“Three hundred SMS” and “Hundred SMS” cannot be connected together"])
    );
    // The page shows the same, and leaves out what is not offered instead of failing.
    let page = served.get("/compare?products=a,b,none").text;
    assert!(page.contains("Не вместе с") && page.contains("<code>none</code>"), "{page}");
}

#[test]
fn a_path_through_a_flow_names_choices_and_not_places() {
    let flow = |choices: &str| {
        format!(
            "---\ntitle: Выбор\nflow: start\n---\n\n## Что нужно? {{#start}}\n\n{choices}\n## Первое {{#one}}\n\nДа.\n\n## Второе {{#two}}\n\nДа.\n"
        )
    };
    let base = Base::with(&[("articles/choose.md", &flow("- [Раз](#one)\n- [Два](#two)\n"))]);
    let served = base.start();
    let page = served.get("/flows/choose?region=moscow").text;
    let href = page
        .split("href=\"")
        .filter_map(|part| part.split('"').next())
        .find(|href| href.contains("step=two"));
    let href = href.unwrap().replace("&#38;", "&").replace("&amp;", "&");
    assert!(href.contains("region=moscow"), "{href}");
    assert!(served.get(&href).text.contains("1. Что нужно? — Два"));
    // An editor puts a choice above: the path still tells what was chosen.
    base.write("articles/choose.md", flow("- [Новое](#one)\n- [Раз](#one)\n- [Два](#two)\n"));
    served.wait_until("the choice is there", |s| s.get("/flows/choose").text.contains("Новое"));
    assert!(served.get(&href).text.contains("1. Что нужно? — Два"));
    // One that is gone is left out, and not another one told in its place.
    base.write("articles/choose.md", flow("- [Новое](#one)\n- [Раз](#one)\n- [Иначе](#two)\n"));
    served.wait_until("the choice is gone", |s| s.get("/flows/choose").text.contains("Иначе"));
    assert!(
        served.get(&href).text.contains("\n1. Второе") && !served.get(&href).text.contains("Что нужно? —")
    );
}

#[test]
fn the_panel_is_shown_by_allowed_sites_alone() {
    let base = base();
    let policy = |served: &Served, path: &str| {
        let headers = served.get(path).headers;
        let frame = headers.get("x-frame-options").map(|value| value.to_str().unwrap().to_owned());
        (headers["content-security-policy"].to_str().unwrap().to_owned(), frame)
    };
    let served = base.start();
    for path in ["/", "/embed"] {
        let (policy, frame) = policy(&served, path);
        assert!(
            policy.contains("frame-ancestors 'none'") && frame.as_deref() == Some("DENY"),
            "{path}: {policy}"
        );
    }
    drop(served);
    let settings = Settings { embed_origins: vec!["https://crm.example.org".to_owned()], ..base.settings() };
    let served = Served::start(settings);
    let (panel, frame) = policy(&served, "/embed");
    assert!(panel.contains("frame-ancestors https://crm.example.org") && frame.is_none(), "{panel}");
    assert!(policy(&served, "/").0.contains("frame-ancestors 'none'"), "the panel alone is shown elsewhere");
    let script = served.get("/embed.js");
    assert!(
        script.text.contains("pharos:customer")
            && script.headers["content-type"].to_str().unwrap().contains("javascript")
    );
}

#[test]
fn the_language_and_the_layout_come_from_the_browser_and_its_cookies() {
    let served = base().start();
    let page = |path: &str, headers: &[(&str, &str)]| {
        let request =
            headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        served.send(request.body(Body::empty()).unwrap())
    };
    assert!(page("/", &[]).text.contains("<html lang=\"ru\""));
    assert!(page("/", &[("accept-language", "en-GB,en;q=0.9,ru;q=0.8")]).text.contains("<html lang=\"en\""));
    assert!(
        page("/", &[("accept-language", "en"), ("cookie", "lang=ru")]).text.contains("<html lang=\"ru\"")
    );
    let switched = page("/lang/en", &[("referer", "http://localhost/?q=a")]);
    assert_eq!(
        (switched.status, &switched.headers["location"]),
        (StatusCode::SEE_OTHER, &"/?q=a".parse().unwrap())
    );
    assert!(switched.headers["set-cookie"].to_str().unwrap().starts_with("lang=en;"));
    assert_eq!(page("/lang/xx", &[]).status, StatusCode::NOT_FOUND);
    let laid_out =
        page("/", &[("cookie", "layout=theme.dark_density.compact_evil.\"><script>_size.huge")]).text;
    assert!(
        laid_out.contains("data-theme=\"dark\" data-density=\"compact\"")
            && !laid_out.contains("huge")
            && !laid_out.contains("evil")
    );
}
