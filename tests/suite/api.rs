//! The API's contract.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use pharos::http::routes::Access;

use crate::harness::{Base, Served, encode, ids};

const CATALOG: &str = "
family: sms
attributes:
  price: {type: money, label: {ru: Цена, en: Price}}
  connect: {type: code, label: {ru: Подключить, en: Connect}}
products:
  - id: sms-100
    title: {ru: Сто эсэмэс, en: Hundred SMS}
    article: sms/monthly
    not_with: [sms-300]
    values:
      price: [100, {value: 120, regions: [moscow]}, {value: 150, from: 2026-12-01}]
      connect: '*155*971#'
  - id: sms-300
    title: {ru: Триста эсэмэс, en: Three hundred SMS}
    values: {price: 200, connect: '*155*981#'}
";

fn base() -> Base {
    Base::with(&[
        ("articles/catalog/sms.yaml", CATALOG),
        (
            "articles/sms/monthly.md",
            "---\ntitle: Пакет за {{ sms-100.price }}\nkind: product\nproducts: [sms-100]\ntags: [sms]\nrelated: [old]\n---\n\nПакеты сообщений.\n\n\
             ## Подключить {#connect}\n\n1. Наберите `{{ sms-100.connect }}`.\n2. Ждите подтверждения.\n\n\
             ## Цена в Москве {#moscow region=moscow}\n\nДорогая столица: {{ sms-100.price }}.\n\n\
             ## Зимняя цена {#winter from=2026-12-01}\n\nСнегопад.\n",
        ),
        (
            "articles/en/sms/monthly.md",
            "---\ntitle: Monthly package\nkind: product\nproducts: [sms-100]\n---\n\nMessages for a month.\n",
        ),
        (
            "articles/old.md",
            "---\ntitle: Старый пакет\nstatus: archived\nreplaced_by: sms/monthly\n---\n\nПакеты сообщений, пакеты, пакеты.\n",
        ),
        (
            "articles/secret.md",
            "---\ntitle: Тайный пакет\nstatus: draft\n---\n\nПакеты сообщений, черновик. *155*777#\n",
        ),
        (
            "articles/flow.md",
            "---\ntitle: Нет связи\nkind: procedure\nflow: start\n---\n\n## Телефон включён? {#start}\n\nСпросите.\n\n- [Да](#done)\n- [Нет](#done) — включите\n\n## Готово {#done end}\n\nВсё.\n",
        ),
        (
            "templates/sms/connect.md",
            "---\ntitle: Подключение\narticles: [sms/monthly]\n---\n\n# chat\n\nНаберите {{ sms-100.connect }}.\n",
        ),
    ])
}

#[test]
fn a_search_has_the_shape_the_api_promises() {
    let served = base().start();
    let reply = served.search("подключение пакета", "&limit=2");
    for key in ["search_id", "query", "took_us", "total", "answer", "hits", "facets"] {
        assert!(reply.get(key).is_some(), "{key} in {reply}");
    }
    let hit = &reply["hits"][0];
    assert_eq!(hit["article"], "sms/monthly");
    for key in [
        "section",
        "title",
        "heading",
        "snippet_html",
        "kind",
        "lang",
        "status",
        "rung",
        "score",
        "validity",
        "more_sections",
    ] {
        assert!(hit.get(key).is_some(), "{key} in {hit}");
    }
    assert_eq!(reply["query"]["corrections"], json!([]));
}

#[test]
fn forms_prefixes_and_archived_articles_are_found_in_order() {
    let served = base().start();
    assert_eq!(served.found("пакетами сообщений", ""), ["sms/monthly", "old"]);
    assert_eq!(served.found("снегоп", "&as_of=2026-12-05"), ["sms/monthly"]);
    assert_eq!(served.found("message", ""), ["en/sms/monthly"]);
    let reply = served.search("пакетами сообщений", "");
    assert_eq!(reply["hits"][1]["status"], "archived");
    assert_eq!(reply["hits"][1]["replaced_by"], "sms/monthly");
}

#[test]
fn validity_filters_sections_and_values() {
    let served = base().start();
    assert!(served.found("снегопад", "").is_empty());
    let reply = served.search("снегопад", "&as_of=2026-12-01");
    assert_eq!(
        (&reply["hits"][0]["section"], &reply["hits"][0]["title"]),
        (&json!("winter"), &json!("Пакет за 150\u{a0}₽"))
    );
    assert_eq!(served.found("столица", "&region=moscow"), ["sms/monthly"]);
    assert!(served.found("столица", "&region=kemerovo").is_empty());
    let article = served.json("/api/v1/articles/sms/monthly?region=moscow");
    assert_eq!(article["title"], "Пакет за 120\u{a0}₽");
    assert_eq!(ids(&article["sections"], "anchor"), ["", "connect", "moscow"]);
}

#[test]
fn drafts_are_nowhere() {
    let served = base().start();
    for path in [
        "/api/v1/search?q=%D1%87%D0%B5%D1%80%D0%BD%D0%BE%D0%B2%D0%B8%D0%BA",
        "/api/v1/search?q=",
        "/api/v1/search?q=*155*777%23",
        "/api/v1/suggest?q=%D1%82%D0%B0%D0%B9",
        "/api/v1/articles",
        "/api/v1/articles?limit=1000&status=active",
    ] {
        let text = served.get(path).text;
        assert!(!text.contains("secret") && !text.contains("Тайный"), "{path}: {text}");
    }
    assert_eq!(served.get("/api/v1/articles/secret").status, StatusCode::NOT_FOUND);
    let all = served.search("", "");
    assert_eq!(all["total"], 4);
    assert_eq!(all["facets"]["kind"], json!({"manual": 1, "procedure": 1, "product": 2}));
}

#[test]
fn filters_and_facets_count_articles() {
    let served = base().start();
    assert_eq!(served.found("", "&kind=product&lang=en"), ["en/sms/monthly"]);
    assert_eq!(served.found("", "&product=sms-100&tag=sms"), ["sms/monthly"]);
    assert_eq!(served.found("", "&status=archived"), ["old"]);
    let reply = served.search("пакет", "");
    assert_eq!(reply["facets"]["product"]["sms-100"], 1);
    assert_eq!(reply["facets"]["status"], json!({"active": 1, "archived": 1}));
}

#[test]
fn pages_of_hits_do_not_overlap() {
    let served = base().start();
    let first = served.found("", "&limit=2");
    let second = served.found("", "&limit=2&offset=2");
    assert_eq!((first.len(), second.len()), (2, 2));
    assert!(first.iter().all(|id| !second.contains(id)));
}

#[test]
fn wrong_parameters_are_told_all_at_once() {
    let served = base().start();
    for (path, names) in [
        ("/api/v1/search?offset=-1", vec!["offset"]),
        ("/api/v1/search?limit=101&kind=nonsense", vec!["limit", "kind"]),
        ("/api/v1/search?as_of=2026-02-30", vec!["as_of"]),
        ("/api/v1/search?as_of=tomorrow", vec!["as_of"]),
        ("/api/v1/compare", vec!["products"]),
        ("/api/v1/changes?since=yesterday", vec!["since"]),
        ("/api/v1/templates?channel=fax", vec!["channel"]),
    ] {
        let reply = served.get(path);
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        let problem = reply.json();
        assert_eq!(ids(&problem["errors"], "name"), names, "{problem}");
        assert_eq!(problem["request_id"], reply.headers["x-request-id"].to_str().unwrap());
    }
    let long = served.get(&format!("/api/v1/search?q={}", "a".repeat(10_000)));
    assert_eq!((long.status, &long.json()["code"]), (StatusCode::BAD_REQUEST, &json!("query-too-long")));
    let long = served.get(&format!("/api/v1/suggest?q={}", encode(&"ж".repeat(2_000))));
    assert_eq!(long.json()["code"], "query-too-long");
}

#[test]
fn strange_queries_are_answered() {
    let served = base().start();
    let long = "слово ".repeat(160);
    for query in [
        "",
        " ",
        "*",
        "#",
        "**#",
        "*155",
        "\"",
        "AND OR NOT",
        "a:b",
        "(((",
        "\u{0}",
        "😀",
        "ё\u{301}",
        "%%%",
        "-пакет",
        "+7",
        "8 800",
        "*1*2*3*4*5*6*7*8*9*0*1*2*3*4*5*6#",
        &long,
    ] {
        assert!(served.search(query, "")["hits"].is_array(), "{query:?}");
        assert!(served.json(&format!("/api/v1/suggest?q={}", encode(query)))["suggestions"].is_array());
    }
    // Bytes that are no UTF-8 are read as far as they can be.
    assert!(served.get("/api/v1/search?q=%FF%FE").status.as_u16() < 500);
}

#[test]
fn an_article_is_whole() {
    let served = base().start();
    let article = served.json("/api/v1/articles/sms/monthly");
    for key in [
        "id",
        "title",
        "kind",
        "lang",
        "status",
        "validity",
        "html",
        "sections",
        "products",
        "related",
        "translations",
        "templates",
        "updated_at",
        "source_path",
    ] {
        assert!(article.get(key).is_some(), "{key}");
    }
    assert_eq!(article["translations"], json!(["en/sms/monthly"]));
    assert_eq!(article["templates"], json!(["sms/connect"]));
    assert_eq!(article["related"][0], "old", "what the editor named comes first");
    assert!(article["html"].as_str().unwrap().contains("<code>*155*971#</code>"));
    assert_eq!(served.get("/api/v1/articles/none").json()["code"], "not-found");
}

#[test]
fn products_are_listed_and_compared() {
    let served = base().start();
    assert_eq!(served.json("/api/v1/products")["total"], 2);
    let product = served.json("/api/v1/products/sms-100?lang=en&as_of=2026-12-24");
    assert_eq!(
        (&product["title"], &product["values"][0]["text"]),
        (&json!("Hundred SMS"), &json!("150\u{a0}₽"))
    );
    let compared = served.json("/api/v1/compare?products=sms-100,sms-300");
    assert_eq!(compared["conflicts"], json!([["sms-100", "sms-300"]]));
    assert_eq!(compared["rows"][0]["values"], json!({"sms-100": "100\u{a0}₽", "sms-300": "200\u{a0}₽"}));
    assert_eq!(served.get("/api/v1/compare?products=sms-100,none").status, StatusCode::NOT_FOUND);
}

#[test]
fn flows_have_steps_and_choices() {
    let flow = base().start().json("/api/v1/flows/flow");
    assert_eq!(flow["start"], "start");
    assert_eq!(ids(&flow["steps"], "step"), ["start", "done"]);
    assert_eq!(
        flow["steps"][0]["choices"][1],
        json!({"label": "Нет", "note": "включите", "flow": "flow", "step": "done"})
    );
    assert_eq!(flow["steps"][1]["is_end"], true);
}

#[test]
fn suggestions_are_codes_products_and_articles() {
    let served = base().start();
    let kinds = |query: &str| {
        let reply = served.json(&format!("/api/v1/suggest?q={}", encode(query)));
        reply["suggestions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| (s["kind"].to_string(), s["text"].to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds("*155*9").len(), 2);
    assert_eq!(kinds("сто э")[0], ("\"product\"".to_owned(), "\"Сто эсэмэс\"".to_owned()));
    let month = kinds("month");
    assert_eq!(month[0], ("\"query\"".to_owned(), "\"monthly\"".to_owned()), "the word, completed");
    assert_eq!(month[1].0, "\"article\"");
}

#[test]
fn content_is_revalidated_by_its_tag() {
    let base = base();
    let served = base.start();
    let reply = served.get("/api/v1/articles/sms/monthly");
    let tag = reply.headers["etag"].to_str().unwrap().to_owned();
    let again = |tag: &str| {
        let request = Request::get("/api/v1/articles/sms/monthly").header("if-none-match", tag);
        served.send(request.body(Body::empty()).unwrap()).status
    };
    assert_eq!(again(&tag), StatusCode::NOT_MODIFIED);
    base.write("articles/new.md", "# Новое\n");
    served.wait_until("the new file is found", |s| s.found("новое", "") == ["new"]);
    assert_eq!(again(&tag), StatusCode::OK);
}

#[test]
fn methods_bodies_and_paths_are_bounded() {
    let base = base();
    base.write("articles/shows.md", "---\ntitle: Shows\n---\n![a picture](pic.png)\n");
    let served = base.start();
    let reply = served.send(Request::delete("/api/v1/search").body(Body::empty()).unwrap());
    assert_eq!(
        (reply.status, &reply.json()["code"]),
        (StatusCode::METHOD_NOT_ALLOWED, &json!("method-not-allowed"))
    );
    let reply = served.post("/api/v1/render", &json!({"template": "x".repeat(400_000), "channel": "chat"}));
    assert_eq!(
        (reply.status, &reply.json()["code"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("body-too-large"))
    );
    let reply = served.send(Request::post("/api/v1/render").body(Body::from("{")).unwrap());
    assert_eq!(reply.json()["code"], "invalid-body");
    assert_eq!(served.get("/api/v1/nothing").json()["code"], "not-found");
    base.write("articles/pic.png", [1, 2, 3]);
    base.write("articles/unseen.png", [1]);
    base.write("articles/.hidden.png", [1]);
    std::fs::write(base.path("outside.png"), [1]).unwrap();
    assert_eq!(served.get("/files/pic.png").status, StatusCode::OK);
    for path in [
        "/files/../outside.png",
        "/files/%2e%2e/outside.png",
        "/files/.hidden.png",
        "/files/unseen.png",
        "/files/catalog/sms.yaml",
        "/files/old.md",
    ] {
        assert_eq!(served.get(path).status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn pages_are_served_with_a_strict_policy() {
    let served = base().start();
    for path in [
        "/",
        "/?q=%D0%BF%D0%B0%D0%BA%D0%B5%D1%82",
        "/articles/sms/monthly",
        "/docs/api",
        "/search/results?q=a",
    ] {
        let reply = served.get(path);
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
        assert!(
            !reply.text.contains("<script>")
                && !reply.text.contains(" onclick=")
                && !reply.text.contains(" style="),
            "{path}"
        );
        for foreign in ["src=\"http", "href=\"http"] {
            assert!(!reply.text.contains(foreign), "{path} loads from elsewhere");
        }
    }
    let page = served.get("/").text;
    let style = page.split("href=\"").find(|p| p.starts_with("/assets/") && p.contains(".css")).unwrap();
    let asset = served.get(style.split('"').next().unwrap());
    assert!(asset.headers["cache-control"].to_str().unwrap().contains("immutable"));
    let missing = served.get("/articles/none");
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.text.contains("<html") && missing.text.contains("href=\"/\""));
}

#[test]
fn replies_are_compressed_when_asked() {
    let served = base().start();
    for coding in ["gzip", "br"] {
        let request = Request::get("/docs/api").header("accept-encoding", coding);
        let reply = served.send(request.body(Body::empty()).unwrap());
        assert_eq!(reply.headers["content-encoding"], coding);
    }
}

#[test]
fn health_and_metrics_tell_what_is_served() {
    let served = base().start();
    assert_eq!(served.json("/health/live")["status"], "ok");
    assert_eq!(served.json("/health/ready")["articles"], 4);
    served.search("пакет", "");
    let metrics = served.get("/metrics").text;
    for name in [
        "pharos_http_requests_total",
        "pharos_http_request_seconds_bucket",
        "pharos_search_seconds",
        "pharos_articles",
    ] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
}

/// Every route of the API is in the OpenAPI document, and every operation there is served.
#[test]
fn the_openapi_document_and_the_routes_agree() {
    let base = base();
    let served = base.start();
    let document = served.json("/api/v1/openapi.json");
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    // SCIM is described by its own standard.
    let is_api = |path: &str| ["/api/", "/health/", "/metrics"].iter().any(|prefix| path.starts_with(prefix));
    let mut routes: Vec<(String, String)> = served
        .rules
        .iter()
        .filter(|rule| is_api(rule.path))
        .map(|rule| (rule.path.replace("{*", "{"), rule.method.as_str().to_lowercase()))
        .collect();
    routes.sort();
    assert!(routes.len() > 50);
    let methods = |path: &String| -> Vec<String> {
        document["paths"][path]
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "parameters")
            .cloned()
            .collect()
    };
    let mut documented: Vec<(String, String)> = paths
        .iter()
        .flat_map(|path| methods(path).into_iter().map(|method| ((*path).clone(), method)))
        .collect();
    documented.sort();
    assert_eq!(documented, routes);
    let is_open_to_all = |path: &&&String| {
        let found = served
            .rules
            .iter()
            .find(|rule| rule.method == "GET" && rule.path.replace("{*id}", "{id}") == ***path);
        found.is_some_and(|rule| match rule.access {
            Access::Public => true,
            Access::Needs(permission) => served.state.open_identity.may(permission),
            Access::Person | Access::Manages(_) => false,
        })
    };
    // What people said and must read is there once somebody said it.
    let is_of_people = |path: &&&String| path.contains("feedback/") || path.contains("must-reads/");
    let asked_for = paths.iter().filter(|p| !p.contains("live")).filter(|p| !is_of_people(p));
    for path in asked_for.filter(is_open_to_all) {
        let asked = path.replace("{id}", "sms/monthly").replace("products/sms/monthly", "products/sms-100");
        let asked = if asked.contains("compare") { format!("{asked}?products=sms-100") } else { asked };
        let asked = asked
            .replace("templates/sms/monthly", "templates/sms/connect")
            .replace("flows/sms/monthly", "flows/flow");
        let reply = served.get(&asked);
        assert_eq!(reply.status, StatusCode::OK, "{asked}: {}", reply.text);
    }
    for operation in
        document["paths"].as_object().unwrap().values().flat_map(|m| m.as_object().unwrap().values())
    {
        assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()), "{operation}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(document.to_string().matches("\"$ref\"").count() > 20);
    for reference in references(&document) {
        assert!(schemas.contains_key(reference.rsplit('/').next().unwrap()), "{reference}");
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(
                |(key, v)| if key == "$ref" { vec![v.as_str().unwrap().to_owned()] } else { references(v) },
            )
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn nothing_is_served_before_the_content_is_there() {
    let base = Base::new();
    std::fs::write(base.path("file"), "").unwrap();
    // A folder that cannot be made: the index never opens.
    let served =
        Served::start(pharos::settings::Settings { index: base.path("file/index"), ..base.settings() });
    let reply = served.get("/health/ready");
    assert_eq!((reply.status, &reply.json()["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("loading")));
    assert!(reply.headers.contains_key("retry-after"));
    assert_eq!(served.get("/api/v1/search?q=a").status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(served.get("/health/live").status, StatusCode::OK);
}
