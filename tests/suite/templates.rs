//! Answer templates: filled in, refused, checked.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Base, Served};

fn base() -> Base {
    Base::with(&[
        (
            "articles/catalog/c.yaml",
            "family: f\nattributes: {price: {type: money}, code: {type: code}}\nproducts:\n  - {id: a-b, values: {price: [100, {value: 150, from: 2026-12-01}], code: '*1*2#'}}\n",
        ),
        ("templates/_shared/hello.md", "Здравствуйте{% if name %}, {{ name }}{% endif %}!\n"),
        (
            "templates/t.md",
            "---\ntitle: Тест\nvariables:\n  name: {type: text, label: Имя, required: true}\n  sum: {type: money, label: Сумма}\n  \
             day: {type: date, label: День}\n  late: {type: yes/no, label: Просрочка, default: no}\n  how: {type: choice, choices: [звонок, чат], default: чат}\n---\n\n\
             # chat\n\n{% include \"_shared/hello\" %} **Цена** {{ a-b.price }}, код `{{ a-b.code }}`{% if late %}, просрочено{% endif %}. {{ how }}\n\n\
             # sms\n\n{{ name }}: {{ a-b.price }} {{ sum }} {{ day }}\n",
        ),
    ])
}

fn render(served: &Served, channel: &str, values: Value) -> Value {
    let reply =
        served.post("/api/v1/render", &json!({"template": "t", "channel": channel, "values": values}));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()
}

#[test]
fn a_template_is_filled_in_for_each_channel() {
    let served = base().start();
    let chat = render(&served, "chat", json!({"name": "Анна", "late": true}));
    assert_eq!(chat["text"], "Здравствуйте, Анна! Цена 100\u{a0}₽, код *1*2#, просрочено. чат");
    assert!(chat["html"].as_str().unwrap().contains("<strong>Цена</strong>"));
    assert_eq!(chat["missing"], json!([]));
    let sms = render(&served, "sms", json!({"name": "Анна", "sum": 99.5, "day": "2026-12-31"}));
    assert_eq!(sms["text"], "Анна: 100\u{a0}₽ 99.5\u{a0}₽ 31.12.2026");
    assert_eq!(sms["sms"], json!({"encoding": "UCS-2", "characters": 29, "segments": 1}));
}

#[test]
fn a_required_value_that_is_missing_is_a_marked_gap() {
    let served = base().start();
    let sms = render(&served, "sms", json!({}));
    assert_eq!(sms["missing"], json!(["name"]));
    assert!(sms["text"].as_str().unwrap().starts_with("[Имя]: "));
}

#[test]
fn values_cannot_carry_markup() {
    let served = base().start();
    let chat =
        render(&served, "chat", json!({"name": "<script>alert(1)</script> *x* [a](javascript:b) {{ 7*7 }}"}));
    let html = chat["html"].as_str().unwrap();
    assert!(!html.contains("<script") && !html.contains("<em>") && !html.contains("href"), "{html}");
    assert!(chat["text"].as_str().unwrap().contains("<script>alert(1)</script> *x*"));
}

#[test]
fn values_that_do_not_fit_are_refused_by_name() {
    let served = base().start();
    for (values, name) in [
        (json!({"sum": "much"}), "sum"),
        (json!({"day": "31.12.2026"}), "day"),
        (json!({"how": "факс"}), "how"),
        (json!({"late": "perhaps"}), "late"),
        (json!({"nmae": "x"}), "nmae"),
    ] {
        let reply =
            served.post("/api/v1/render", &json!({"template": "t", "channel": "chat", "values": values}));
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{values}: {}", reply.text);
        assert_eq!(reply.json()["errors"][0]["name"], name);
    }
    let reply = served.post("/api/v1/render", &json!({"template": "t", "channel": "email"}));
    assert_eq!(reply.json()["code"], "invalid-value");
    let reply = served.post("/api/v1/render", &json!({"template": "none", "channel": "chat"}));
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
}

#[test]
fn the_price_is_that_of_the_day_asked_for() {
    let served = base().start();
    let reply = served.post(
        "/api/v1/render",
        &json!({"template": "t", "channel": "sms", "values": {"name": "А"}, "as_of": "2026-12-01"}),
    );
    assert!(reply.json()["text"].as_str().unwrap().contains("150"));
}

#[test]
fn faults_are_located_and_the_last_good_template_stays() {
    let base = base();
    let served = base.start();
    base.write("templates/t.md", "---\ntitle: Тест\n---\n\n# chat\n\nодин\n{{ name \n");
    served.wait_until("the fault is listed", |s| s.problems("templates/t.md") == ["template-syntax"]);
    let problems = served.json("/api/v1/problems");
    assert_eq!(problems["problems"][0]["line"], 8, "{problems}");
    assert_eq!(render(&served, "chat", json!({"name": "Анна"}))["missing"], json!([]));
    base.write(
        "templates/t.md",
        "---\ntitle: Тест\n---\n\n# chat\n\n{{ nobody }} {{ a-b.nothing }} {% include \"_shared/none\" %}\n",
    );
    served.wait_until("the other faults are listed", |s| {
        let codes = s.problems("templates/t.md");
        codes.contains(&"template-render".to_owned()) && codes.contains(&"unknown-value".to_owned())
    });
    base.write(
        "templates/t.md",
        "---\ntitle: Тест\n---\n\n# chat\n\n{% for i in range(10000000) %}x{% endfor %}\n",
    );
    served.wait_until("the endless template is stopped", |s| {
        s.problems("templates/t.md") == ["template-render"]
    });
}

#[test]
fn a_changed_fragment_changes_what_includes_it() {
    let base = base();
    let served = base.start();
    base.write("templates/_shared/hello.md", "Привет!");
    served.wait_until("the new greeting is used", |s| {
        render(s, "chat", json!({"name": "А"}))["text"].as_str().unwrap().starts_with("Привет!")
    });
}

#[test]
fn templates_are_found_by_article_product_channel_and_words() {
    let base = base();
    base.write("articles/x.md", "---\ntitle: X\nproducts: [a-b]\n---\n\ntext\n");
    base.write(
        "templates/by-product.md",
        "---\ntitle: О продукте\nproducts: [a-b]\nlang: en\n---\n\n# voice\n\nскажите\n",
    );
    base.write("templates/by-article.md", "---\ntitle: О статье\narticles: [x]\n---\n\n# chat\n\nнапишите\n");
    base.write(
        "templates/later.md",
        "---\ntitle: Потом\narticles: [x]\nvalid: {from: 2027-01-01}\n---\n\n# chat\n\nпотом\n",
    );
    let served = base.start();
    let found = |query: &str| {
        crate::harness::ids(&served.json(&format!("/api/v1/templates?{query}"))["templates"], "id")
    };
    assert_eq!(found("article=x"), ["by-article", "by-product"]);
    assert_eq!(found("product=a-b&channel=voice"), ["by-product"]);
    assert_eq!(found("q=%D0%BD%D0%B0%D0%BF%D0%B8%D1%88"), ["by-article"]);
    assert_eq!(found("article=x&as_of=2027-01-01"), ["by-article", "later", "by-product"]);
}

#[test]
fn codes_survive_every_kind_of_markdown() {
    let base = base();
    base.write("templates/m.md", "---\ntitle: M\nlang: ru\n---\n\n# email\n\nодин ` и {{ a-b.code }}, ``{{ a-b.code }}``\n\n```\n{{ a-b.code }}\n```\n");
    let served = base.start();
    let reply = served.post("/api/v1/render", &json!({"template": "m", "channel": "email"})).json();
    for form in ["text", "html"] {
        let shown = reply[form].as_str().unwrap();
        assert_eq!(shown.matches("*1*2#").count(), 3, "{form}: {shown}");
        assert!(!shown.contains('\\'), "{form}: {shown}");
    }
}
