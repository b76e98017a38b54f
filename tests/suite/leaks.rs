//! Nobody learns what is for others: every route is asked, as everybody, for everything, with secrets in every kind of place.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use http_body_util::BodyExt;
use pharos::accounts::permissions::Role;
use pharos::http::routes::Access;
use pharos::language::layout;
use pharos::settings::Settings;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::harness::{Base, PATIENCE, Served, Visitor, encode};

/// Made-up words, each in one kind of place that is not for everybody.
const SECRETS: &[&str] = &[
    "крамбулик",    // title of a restricted article
    "шлямбурень",   // its text
    "брюквоножка",  // its alias
    "тайнометка",   // its tag
    "мурзилкино",   // a region that only it is for
    "gzhelka",      // its id
    "zhelobok.png", // its picture
    "кукумбрия",    // heading of a restricted section
    "фуфырчик",     // its text
    "sekcionnik",   // its anchor
    "рябчуга",      // title of a restricted product
    "rjabchuga",    // its id
    "шмелёвка",     // its alias
    "*777*41#",     // its code
    "41 341",       // its price, which only it has
    "78 912",       // a restricted value of a product for everybody
    "хлобыстень",   // title of a restricted template
    "hlobysten",    // its id
    "дребузня",     // its text
    "выхухлик",     // title of a restricted flow
    "vyhuhlik",     // its id
    "зугрелька",    // its step
    "папкосвист",   // text of an article in a restricted folder
    "черновуха",    // title of a draft
    "chernovuha",   // its id
    "черноделие",   // title of a draft product
    "chernodelie",  // its id
    "черношабло",   // title of a draft template
    "фрагментуля",  // text of a restricted wording that stands in an included fragment's place
    "синонимуха",   // a synonym that stands only in the restricted article
];

const CATALOG: &str = r#"
family: sms
title: {ru: Пакеты, en: Packages}
attributes:
  price: {type: money, label: {ru: Цена, en: Price}}
  bonus: {type: money, label: {ru: Бонус, en: Bonus}}
  connect: {type: code, label: {ru: Подключить, en: Connect}}
products:
  - id: sms-100
    title: {ru: Сто эсэмэс, en: Hundred SMS}
    article: sms/monthly
    not_with: [rjabchuga, chernodelie]
    only_with: [rjabchuga]
    replaced_by: rjabchuga
    values:
      price: 100
      connect: '*155*2#'
      bonus:
        - {value: 78912, audience: [b2b]}
        - 5
  - id: rjabchuga
    title: {ru: Рябчуга, en: Rjabchuga}
    aliases: [шмелёвка]
    audience: [b2b]
    article: gzhelka
    not_with: [sms-100]
    values: {price: 41341, connect: '*777*41#'}
  - id: chernodelie
    title: {ru: Черноделие, en: Chernodelie}
    status: draft
    values: {price: 12, connect: '*777*42#'}
"#;

fn base(with_secrets: bool) -> Base {
    let base = Base::new();
    let public_section = "## Как подключить {#how}\nНаберите {{ sms-100.connect }}, стоит {{ sms-100.price }}, бонус {{ sms-100.bonus }}.\n";
    let secret_section = "\n## Кукумбрия для своих {#sekcionnik audience=b2b}\nФуфырчик и {{ rjabchuga.price }}. ![вид](zhelobok.png)\n";
    let secrets = |text: &str| if with_secrets { text.to_owned() } else { String::new() };
    base.write(
        "articles/sms/monthly.md",
        format!(
            "---\ntitle: Пакет эсэмэс\nproducts: [sms-100{}]\n{}kind: product\n---\nПаром возит пассажиров. [Дальше](../index.md)\n\n{public_section}{}",
            secrets(", rjabchuga, chernodelie"),
            secrets("related: [gzhelka]\n"),
            secrets(secret_section),
        ),
    );
    base.write("articles/index.md", "---\ntitle: Начало\ntags: [essential]\n---\nВсё про пакеты и паром. ![вид](sms/open.png)\n\n## Куда дальше\nПаромная переправа работает.\n");
    base.write("articles/sms/open.png", [1, 2, 3]);
    base.write(
        "articles/flow.md",
        "---\ntitle: Порядок действий\nflow: first\n---\n## Первый шаг {#first}\n- [Второй](#second)\n\n## Второй шаг {#second end}\nГотово.\n",
    );
    base.write(
        "articles/old.md",
        format!(
            "---\ntitle: Прежний пакет\nstatus: archived\n{}---\nБыл да вышел.\n",
            secrets("replaced_by: gzhelka\n")
        ),
    );
    base.write(
        "templates/sms.md",
        format!(
            "---\ntitle: Как подключить пакет\nproducts: [sms-100{}]\narticles: [sms/monthly{}]\n---\n# chat\nНаберите {{{{ sms-100.connect }}}}, бонус {{{{ sms-100.bonus }}}}.\n",
            secrets(", rjabchuga"),
            secrets(", gzhelka"),
        ),
    );
    if !with_secrets {
        let catalog: Vec<&str> = CATALOG.split("  - id: ").collect();
        let public = format!("{}  - id: {}", catalog[0], catalog[1]);
        let lines =
            public.lines().filter(|line| !["rjabchuga", "78912"].iter().any(|secret| line.contains(secret)));
        base.write("articles/catalog/sms.yaml", lines.collect::<Vec<_>>().join("\n"));
        base.write("articles/synonyms.yaml", "groups:\n  - [паром, корабль, синонимуха]\n");
        return base;
    }
    base.write("articles/catalog/sms.yaml", CATALOG);
    base.write(
        "articles/gzhelka.md",
        "---\ntitle: Крамбулик для своих\naliases: [брюквоножка]\ntags: [тайнометка, essential]\naudience: [b2b]\nregions: [мурзилкино]\n\
         products: [rjabchuga, sms-100]\nkind: faq\n---\nШлямбурень, паром и синонимуха. {{ rjabchuga.connect }} ![вид](zhelobok.png) [сюда](sms/monthly.md)\n",
    );
    base.write("articles/zhelobok.png", [4, 5, 6]);
    base.write("articles/sms/zhelobok.png", [4, 5, 6]);
    base.write(
        "articles/vyhuhlik.md",
        "---\ntitle: Выхухлик\naudience: [b2b]\nflow: one\n---\n## Зугрелька {#one}\n- [Дальше](#two)\n\n## Конец {#two end}\nВсё.\n",
    );
    base.write("articles/closed/_folder.yaml", "audience: [b2b]\n");
    base.write("articles/closed/page.md", "---\ntitle: В закрытой папке\n---\nПапкосвист про паром.\n");
    base.write("articles/chernovuha.md", "---\ntitle: Черновуха\nstatus: draft\n---\nЧерновик про паром.\n");
    base.write(
        "templates/hlobysten.md",
        "---\ntitle: Хлобыстень\naudience: [b2b]\nproducts: [sms-100]\narticles: [sms/monthly]\n---\n# chat\nДребузня, пакет. {% include \"_own\" %}\n",
    );
    base.write("templates/_own.md", "фрагментуля");
    base.write(
        "templates/draft.md",
        "---\ntitle: Черношабло\nstatus: draft\narticles: [sms/monthly]\n---\n# chat\nЧерновик.\n",
    );
    base.write(
        "articles/synonyms.yaml",
        "groups:\n  - [паром, корабль, синонимуха]\npins:\n  паром: [gzhelka]\n",
    );
    base
}

fn start(base: &Base) -> Served {
    Served::start(Settings { requests_per_minute: 0, ..base.settings() })
}

/// How each route is asked. A route that is not known here fails the test: whoever adds one says how it may leak.
fn probes(path: &str) -> Vec<String> {
    let ids = ["sms/monthly", "index", "flow", "old", "gzhelka", "vyhuhlik", "closed/page", "chernovuha"];
    let places = ["", "?region=all", "?as_of=2026-12-24", "?region=мурзилкино", "?lang=en"];
    let all = |begin: &str, ids: &[&str]| -> Vec<String> {
        ids.iter().flat_map(|id| places.iter().map(move |place| format!("{begin}{id}{place}"))).collect()
    };
    let queries =
        |begin: &str| -> Vec<String> { queries().iter().map(|q| format!("{begin}{}", encode(q))).collect() };
    match path {
        "/api/v1/articles/{*id}" => all("/api/v1/articles/", &ids),
        "/articles/{*id}" => [all("/articles/", &ids), vec!["/articles/sms/monthly?part=1".to_owned()]].concat(),
        "/api/v1/flows/{*id}" => all("/api/v1/flows/", &ids),
        "/flows/{*id}" => all("/flows/", &ids),
        "/api/v1/products/{id}" => all("/api/v1/products/", &["sms-100", "rjabchuga", "chernodelie"]),
        "/api/v1/templates/{*id}" => all("/api/v1/templates/", &["sms", "hlobysten", "draft", "_own"]),
        "/files/{*path}" => ["sms/open.png", "zhelobok.png", "sms/zhelobok.png"].map(|file| format!("/files/{file}")).into(),
        "/api/v1/articles" => [
            all("/api/v1/articles", &[""]),
            ["?tag=тайнометка", "?product=rjabchuga", "?kind=faq", "?status=archived"].map(|q| format!("/api/v1/articles{q}")).into(),
        ]
        .concat(),
        "/api/v1/search" => [queries("/api/v1/search?limit=50&explain=true&q="), queries("/api/v1/search?verbatim=true&q=")].concat(),
        "/search/results" => queries("/search/results?q="),
        "/" => [queries("/?q="), vec!["/".to_owned()]].concat(),
        "/embed" => vec!["/embed".to_owned(), "/embed?q=%D0%BF%D0%B0%D1%80%D0%BE%D0%BC".to_owned()],
        "/api/v1/suggest" => queries("/api/v1/suggest?limit=50&q="),
        "/api/v1/products" => [all("/api/v1/products", &[""]), queries("/api/v1/products?q=")].concat(),
        "/compare" => [queries("/compare?q="), vec!["/compare?products=sms-100".to_owned(), "/compare?products=sms-100,rjabchuga".to_owned()]].concat(),
        "/api/v1/compare" => ["sms-100", "rjabchuga", "sms-100,rjabchuga,chernodelie"].map(|ids| format!("/api/v1/compare?products={ids}")).into(),
        "/api/v1/templates" => [
            all("/api/v1/templates", &[""]),
            ["?article=sms/monthly", "?article=gzhelka", "?product=rjabchuga", "?q=пакет", "?q=дребузня"].map(|q| format!("/api/v1/templates{q}")).into(),
        ]
        .concat(),
        "/wordings" => ["article=sms/monthly", "article=gzhelka", "template=hlobysten", "template=draft", "article=sms/monthly&q=дребузня"].map(|q| format!("/wordings?{q}")).into(),
        "/api/v1/offline" => vec![
            "/api/v1/offline".to_owned(),
            "/api/v1/offline?articles=gzhelka,vyhuhlik,closed/page,chernovuha,sms/monthly&templates=hlobysten,draft,sms".to_owned(),
        ],
        "/api/v1/changes" => ["", "?since=2020-01-01", "?product=rjabchuga", "?subject=template"].map(|q| format!("/api/v1/changes{q}")).into(),
        "/new" => ["", "?since=2020-01-01", "?product=rjabchuga"].map(|q| format!("/new{q}")).into(),
        // Asked beside the others: the first never ends, the second needs a body.
        "/api/v1/live" | "/api/v1/render" => Vec::new(),
        "/lang/{code}" => vec!["/lang/en".to_owned()],
        "/assets/{hash}/{*path}" => vec!["/assets/x/page.js".to_owned()],
        "/api/v1/feedback" | "/feedback" => ["", "?state=all", "?state=all&article=gzhelka"].map(|q| format!("{path}{q}")).into(),
        "/tell/{*id}" => all("/tell/", &ids),
        "/api/v1/must-reads" => vec!["/api/v1/must-reads".to_owned(), "/api/v1/must-reads?all=true".to_owned()],
        "/must-read" => vec!["/must-read".to_owned(), "/must-read?all=1".to_owned()],
        // One of each that is of a secret article: `said_of_secrets` makes them.
        "/api/v1/feedback/{id}" | "/api/v1/must-reads/{id}" | "/api/v1/must-reads/{id}/readers" | "/feedback/{id}" | "/must-read/{id}"
        | "/api/v1/feedback/{id}/posts" | "/api/v1/must-reads/{id}/acknowledgement" | "/api/v1/must-reads/{id}/code" => Vec::new(),
        "/api/v1/reviews/{id}" | "/api/v1/reviews/{id}/verdicts" | "/api/v1/reviews/{id}/remarks" | "/api/v1/remarks/{id}"
        | "/api/v1/drafts/{id}/review" | "/reviews/{id}" | "/api/v1/hooks/{id}" | "/api/v1/hooks/{id}/deliveries" => Vec::new(),
        "/must-read-of/{*id}" => all("/must-read-of/", &ids),
        "/api/v1/reviews" | "/api/v1/hooks" | "/admin/hooks" | "/notices" => vec![path.to_owned()],
        // For those who may read everything; who is not, is told so.
        "/api/v1/sources" | "/api/v1/drafts" | "/api/v1/publications" | "/api/v1/freshness" | "/edit" | "/freshness" | "/api/v1/quality" | "/quality" | "/api/v1/feeds" | "/feeds" | "/api/v1/imports" | "/import" => vec![path.to_owned()],
        "/api/v1/sources/{*path}" | "/api/v1/history/{*path}" | "/edit/{*path}" | "/history/{*path}" => {
            let begin = path.trim_end_matches("{*path}");
            ["articles/gzhelka.md", "articles/sms/monthly.md", "articles/catalog/sms.yaml"].map(|file| format!("{begin}{file}")).into()
        }
        "/api/v1/drafts/{id}" | "/api/v1/drafts/{id}/publish" | "/api/v1/revisions/{id}" | "/api/v1/revisions/{id}/restore"
        | "/api/v1/publications/{id}/undo" | "/api/v1/preview" | "/api/v1/merge" | "/api/v1/files" | "/api/v1/verifications"
        | "/api/v1/archivals" => Vec::new(),
        "/archive/{*id}" => all("/archive/", &ids),
        // What one sent oneself; tests of imports ask for it.
        "/api/v1/imports/{id}" | "/api/v1/imports/{id}/content" | "/api/v1/imports/{id}/write" | "/import/{id}" => Vec::new(),
        // Runs of feeds, which only those see who may read everything; tests of feeds ask for them.
        "/api/v1/feeds/{name}/run" | "/api/v1/feeds/{name}/runs" | "/api/v1/feed-runs/{id}" | "/api/v1/feed-runs/{id}/confirm"
        | "/api/v1/feed-runs/{id}/reject" | "/feeds/{id}" => Vec::new(),
        // What people are, not what content says; tests of people ask for it.
        path if path.starts_with("/api/v1/me") || path.starts_with("/api/v1/people") || path.starts_with("/api/v1/teams") => Vec::new(),
        path if path.starts_with("/scim/") => Vec::new(),
        "/api/v1/session" | "/api/v1/setup" | "/api/v1/link" | "/api/v1/forgotten" | "/api/v1/tokens" | "/api/v1/tokens/{id}"
        | "/admin/people/{id}" | "/admin/teams/{id}" | "/sign-on" | "/sign-on/back" => Vec::new(),
        "/mine" | "/sign-in" | "/setup" | "/welcome" | "/account" | "/docs/api" | "/embed.js" | "/worker.js" | "/manifest.webmanifest"
        | "/favicon.ico" | "/metrics" | "/health/live" | "/health/ready" | "/api/v1/health" | "/api/v1/openapi.json" | "/api/v1/problems"
        | "/api/v1/gaps" | "/api/v1/roles" | "/api/v1/audit" | "/admin/people" | "/admin/teams" | "/admin/roles" | "/admin/tokens"
        | "/admin/audit" | "/admin/health" => vec![path.to_owned()],
        other => panic!("say how {other} is asked, and what it may tell whom"),
    }
}

/// What people type: words of the content, and everything near each secret: beginnings, slips, the other layout, operators.
fn queries() -> Vec<String> {
    let mut queries: Vec<String> = [
        "",
        "паром",
        "корабль",
        "пакет",
        "пакет эсэмэс",
        "сто эсэмэс цена",
        "бонус сто эсэмэс",
        "*155*2#",
        "*777",
        "*777*41",
        "как подключить",
        "41341",
        "kind:faq",
        "tag:тайнометка",
        "product:rjabchuga",
        "регион:мурзилкино паром",
    ]
    .map(str::to_owned)
    .into();
    for secret in SECRETS {
        let letters: Vec<char> = secret.chars().collect();
        let until = |end: usize| letters[..end.min(letters.len())].iter().collect::<String>();
        let mut slip = letters.clone();
        slip.swap(letters.len() / 2, letters.len() / 2 + 1);
        let mut lost = letters.clone();
        lost.remove(letters.len() - 2);
        queries.extend([
            until(3),
            until(5),
            until(letters.len() - 1),
            slip.iter().collect(),
            lost.iter().collect(),
        ]);
        queries.extend([
            layout::to_latin(secret),
            layout::to_cyrillic(secret),
            (*secret).to_owned(),
            format!("\"{secret}\""),
            format!("паром {secret}"),
            format!("паром -{secret}"),
        ]);
    }
    queries
}

/// The secrets that stand in a text, but for what was asked.
fn leaked(text: &str, asked: &str) -> Vec<&'static str> {
    // A number sign is a hash on the other layout.
    let fold =
        |text: &str| text.to_lowercase().replace(['\u{a0}', ' '], " ").replace('ё', "е").replace('№', "#");
    let asked = fold(&percent_encoding::percent_decode_str(asked).decode_utf8_lossy());
    let text = fold(text);
    SECRETS
        .iter()
        .copied()
        .filter(|secret| text.contains(&fold(secret)) && !asked.contains(&fold(secret)))
        .collect()
}

#[track_caller]
fn ask_everything(visitor: &Visitor<'_>, who: &str) {
    for rule in visitor.served.rules.iter().filter(|rule| rule.method == "GET") {
        for path in probes(rule.path) {
            let address = address_of(&path);
            let reply = visitor.get(&address);
            assert!(!reply.status.is_server_error(), "{who} {path}: {}", reply.text);
            assert_eq!(leaked(&reply.text, &path), [""; 0], "{who} learns it at {path}: {}", reply.text);
            for (name, value) in &reply.headers {
                assert_eq!(
                    leaked(&String::from_utf8_lossy(value.as_bytes()), &path),
                    [""; 0],
                    "{who} learns it at {path} in {name}"
                );
            }
        }
    }
    for template in ["sms", "hlobysten", "draft"] {
        for region in ["all", "мурзилкино"] {
            let reply = visitor
                .post("/api/v1/render", &json!({"template": template, "channel": "chat", "region": region}));
            assert_eq!(leaked(&reply.text, template), [""; 0], "{who} {template}: {}", reply.text);
        }
    }
}

#[test]
fn nobody_learns_what_is_for_others() {
    let base = base(true);
    let served = start(&base);
    // As long as nobody has an account, nobody belongs to an audience.
    let open = served.visitor();
    for path in ["/api/v1/problems", "/api/v1/gaps", "/admin/health"] {
        assert!([StatusCode::OK, StatusCode::UNAUTHORIZED].contains(&open.get(path).status), "{path}");
    }
    for rule in served
        .rules
        .iter()
        .filter(|rule| rule.access == Access::Needs(pharos::accounts::permissions::Permission::Read))
    {
        for path in probes(rule.path).iter().filter(|path| path.is_ascii()) {
            assert_eq!(leaked(&open.get(path).text, path), [""; 0], "without accounts, at {path}");
        }
    }
    let insider = served.person("insider", &[Role::Operator], &["b2b"]);
    let outsiders = [
        ("operator", served.person("operator", &[Role::Operator], &[])),
        ("consultant of partners", served.person("consultant", &[Role::Consultant], &["partners"])),
        ("lead", served.person("lead", &[Role::Lead], &["b2c"])),
        ("somebody without a role", served.person("nobody", &[], &["b2b"])),
        ("nobody", served.visitor()),
    ];
    // What changes is told to those it is for. The test would prove nothing if nothing was told at all.
    base.write(
        "articles/gzhelka.md",
        std::fs::read_to_string(base.path("articles/gzhelka.md"))
            .unwrap()
            .replace("паром и", "паром, ещё шлямбурень и"),
    );
    let monthly = std::fs::read_to_string(base.path("articles/sms/monthly.md")).unwrap();
    base.write("articles/sms/monthly.md", monthly.replace("Фуфырчик и", "Фуфырчик, ещё фуфырчик и"));
    base.write("articles/catalog/sms.yaml", CATALOG.replace("41341", "41342").replace("78912", "78913"));
    base.write(
        "templates/hlobysten.md",
        std::fs::read_to_string(base.path("templates/hlobysten.md"))
            .unwrap()
            .replace("Дребузня", "Дребузня, дребузня"),
    );
    let told = || {
        let changes = insider.json("/api/v1/changes?since=2020-01-01")["changes"].to_string();
        changes.replace('\u{a0}', " ").to_lowercase()
    };
    for word in ["шлямбурень", "фуфырчик", "дребузня", "913", "342"] {
        let end = Instant::now() + PATIENCE;
        while !told().contains(word) {
            assert!(Instant::now() < end, "insiders are never told of {word}: {}", told());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let said = said_of_secrets(&served, &insider);
    for (who, outsider) in &outsiders {
        ask_everything(outsider, who);
        for path in &said {
            let reply = outsider.get(path);
            assert!(reply.status.is_client_error(), "{who} {path}: {}", reply.text);
            assert_eq!(leaked(&reply.text, path), [""; 0], "{who} learns it at {path}: {}", reply.text);
        }
    }
    // Whoever it is for does learn it: each secret is there to be found, where it was not asked for. Drafts are nobody's.
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for rule in served.rules.iter().filter(|rule| rule.method == "GET") {
        for path in probes(rule.path) {
            let address = address_of(&path);
            seen.extend(leaked(&told_first(&insider.get(&address).text), &path));
        }
    }
    let rendered = insider.post("/api/v1/render", &json!({"template": "hlobysten", "channel": "chat"})).text;
    seen.extend(leaked(&rendered, ""));
    let is_draft = |secret: &&str| secret.starts_with("черно") || secret.starts_with("cherno");
    let missed: Vec<&str> =
        SECRETS.iter().copied().filter(|secret| !is_draft(secret) && !seen.contains(secret)).collect();
    assert_eq!(missed, [""; 0], "not even insiders see these");
    assert_eq!(seen.iter().copied().filter(is_draft).collect::<Vec<_>>(), [""; 0]);
}

/// Has people say something of what is secret, and returns where that stands.
fn said_of_secrets(served: &Served, insider: &Visitor<'_>) -> Vec<String> {
    let editor = served.person("said", &[Role::Editor], &[]);
    let mut places = Vec::new();
    for about in [json!({"article": "gzhelka"}), json!({"article": "sms/monthly", "anchor": "sekcionnik"})] {
        let mut said = about;
        (said["kind"], said["quote"], said["body"]) =
            (json!("discussion"), json!("Шлямбурень и фуфырчик."), json!("Что за дребузня?"));
        let thread = insider.post("/api/v1/feedback", &said);
        assert_eq!(thread.status, StatusCode::CREATED, "{}", thread.text);
        let id = thread.json()["thread"]["id"].as_str().unwrap().to_owned();
        places.extend([format!("/api/v1/feedback/{id}"), format!("/feedback/{id}")]);
    }
    let must_read = editor.post("/api/v1/must-reads", &json!({"article": "gzhelka", "note": "шлямбурень"}));
    assert_eq!(must_read.status, StatusCode::CREATED, "{}", must_read.text);
    let id = must_read.json()["id"].as_str().unwrap().to_owned();
    places.extend([
        format!("/api/v1/must-reads/{id}"),
        format!("/api/v1/must-reads/{id}/readers"),
        format!("/must-read/{id}"),
    ]);
    for place in &places {
        let is_told = insider.get(place).status.is_success() || place.ends_with("/readers");
        assert!(is_told, "not even insiders are told at {place}");
    }
    places
}

/// Values as they were before they were changed.
fn told_first(text: &str) -> String {
    text.replace('\u{a0}', " ").replace("41 342", "41 341").replace("78 913", "78 912")
}

fn address_of(path: &str) -> String {
    path.chars().map(|c| if c.is_ascii() { c.to_string() } else { encode(&c.to_string()) }).collect()
}

#[test]
fn live_events_tell_everybody_only_what_is_for_him() {
    let base = base(true);
    let served = start(&base);
    let insider = served.person("insider", &[Role::Operator], &["b2b"]);
    let outsider = served.person("outsider", &[Role::Operator], &[]);
    let streams: Vec<_> = [&insider, &outsider]
        .map(|visitor| {
            let request = visitor.request("GET", "/api/v1/live", None);
            let reply = served.runtime.block_on(served.router.clone().oneshot(request)).unwrap();
            assert_eq!(reply.status(), StatusCode::OK);
            reply.into_body()
        })
        .into();
    base.write("articles/gzhelka.md", "---\ntitle: Крамбулик снова\naudience: [b2b]\n---\nШлямбурень.\n");
    std::thread::sleep(Duration::from_millis(300));
    base.write("articles/index.md", "---\ntitle: Начало снова\n---\nПаром.\n");
    let told: Vec<String> = streams
        .into_iter()
        .map(|mut body| {
            served.runtime.block_on(async {
                let mut text = String::new();
                while !text.contains("Начало снова") {
                    let frame = tokio::time::timeout(PATIENCE, body.frame()).await.expect("an event in time");
                    text.push_str(&String::from_utf8_lossy(
                        &frame.unwrap().unwrap().into_data().unwrap_or_default(),
                    ));
                }
                text
            })
        })
        .collect();
    assert!(told[0].contains("Крамбулик снова"), "{}", told[0]);
    assert_eq!(leaked(&told[1], ""), [""; 0], "{}", told[1]);
    // Not even that something happened. (One write may be taken up twice: when the file was cut, and when it was written.)
    let events = told[1].matches("event: change").count();
    assert_eq!(events, told[1].matches(r#""id":"index""#).count(), "{}", told[1]);
}

/// Who is locked out hears no more; others go on hearing.
#[test]
fn a_live_stream_ends_with_the_right_to_it() {
    let base = base(true);
    let served = start(&base);
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let [leaver, mut stayer] = ["leaver", "stayer"].map(|login| {
        let visitor = served.person(login, &[Role::Operator], &[]);
        let request = visitor.request("GET", "/api/v1/live", None);
        let reply = served.runtime.block_on(served.router.clone().oneshot(request)).unwrap();
        let mut body = reply.into_body();
        let hello = served.runtime.block_on(body.frame()).unwrap().unwrap().into_data().unwrap();
        assert!(hello.starts_with(b"event: hello"), "{hello:?}");
        (visitor.id.clone(), body)
    });
    let path = format!("/api/v1/people/{}", leaver.0);
    let locked = admin.ask("PATCH", &path, Some(&serde_json::json!({"active": false})));
    assert_eq!(locked.status, StatusCode::OK, "{}", locked.text);
    served.runtime.block_on(async {
        let read = tokio::time::timeout(PATIENCE, leaver.1.collect()).await.expect("the stream ends");
        let heard = String::from_utf8(read.unwrap().to_bytes().to_vec()).unwrap();
        assert_eq!(heard, "");
    });
    base.write("articles/index.md", "---\ntitle: Начало снова\n---\nПаром.\n");
    served.runtime.block_on(async {
        let mut heard = String::new();
        while !heard.contains("Начало снова") {
            let frame = tokio::time::timeout(PATIENCE, stayer.1.frame()).await.expect("an event in time");
            let frame = frame.expect("the stream of others goes on").unwrap();
            heard.push_str(&String::from_utf8_lossy(&frame.into_data().unwrap_or_default()));
        }
    });
}

/// What is found does not depend on what one may not read: with it and without it, replies are the same.
#[test]
fn replies_are_the_same_as_if_secrets_did_not_exist() {
    let (with, without) = (base(true), base(false));
    let (with, without) = (start(&with), start(&without));
    let visitors = [&with, &without].map(|served| served.person("operator", &[Role::Operator], &[]));
    for query in queries() {
        for path in [
            format!("/api/v1/search?q={}", encode(&query)),
            format!("/api/v1/suggest?q={}", encode(&query)),
            format!("/api/v1/products?q={}", encode(&query)),
        ] {
            let [one, other] = [&visitors[0], &visitors[1]].map(|visitor| plain(visitor.get(&path)));
            assert_eq!(one, other, "{query} at {path}");
        }
    }
    for path in [
        "/api/v1/articles",
        "/api/v1/products",
        "/api/v1/templates",
        "/api/v1/articles/sms/monthly",
        "/api/v1/articles/old",
        "/api/v1/offline",
        "/api/v1/products/sms-100",
    ] {
        let [one, other] = [&visitors[0], &visitors[1]].map(|visitor| plain(visitor.get(path)));
        assert_eq!(one, other, "{path}");
    }
}

/// A reply without what is never the same twice, and without scores, which count words in all sections and
/// decide which further sections are near enough.
fn plain(reply: crate::harness::Reply) -> Value {
    fn clean(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for name in
                    ["took_us", "search_id", "score", "updated_at", "made_at", "confidence", "more_sections"]
                {
                    map.remove(name);
                }
                map.values_mut().for_each(clean);
            }
            Value::Array(items) => items.iter_mut().for_each(clean),
            _ => {}
        }
    }
    let mut value = json!({"status": reply.status.as_u16(), "body": serde_json::from_str::<Value>(&reply.text).unwrap_or_default()});
    if let Some(body) = value["body"].as_object_mut() {
        body.remove("request_id");
    }
    clean(&mut value);
    value
}

#[test]
fn every_route_has_a_rule() {
    let base = base(false);
    let served = start(&base);
    let public: Vec<&str> =
        served.rules.iter().filter(|rule| rule.access == Access::Public).map(|rule| rule.path).collect();
    for path in &public {
        let is_known = [
            "/sign-",
            "/setup",
            "/welcome",
            "/assets/",
            "/health/",
            "/lang/",
            "/docs/api",
            "/embed.js",
            "/worker.js",
            "/manifest",
            "/favicon",
            "/api/v1/openapi",
            "/api/v1/session",
            "/api/v1/setup",
            "/api/v1/link",
            "/api/v1/forgotten",
        ];
        assert!(
            is_known.iter().any(|known| path.starts_with(known)) || *path == "/api/v1/me",
            "{path} is open to everybody"
        );
    }
    // With accounts, who is not signed in gets nothing but these.
    let _somebody = served.person("somebody", &[Role::Administrator], &[]);
    let nobody = served.visitor();
    for rule in served.rules.iter().filter(|rule| rule.access != Access::Public) {
        let path = rule
            .path
            .replace("{*id}", "index")
            .replace("{id}", "x")
            .replace("{kind}", "pinned")
            .replace("{*path}", "sms/open.png");
        let reply = nobody.ask(rule.method.as_str(), &path, Some(&json!({})));
        let is_refused = reply.status == StatusCode::UNAUTHORIZED
            || reply
                .headers
                .get("location")
                .is_some_and(|to| to.to_str().unwrap().starts_with("/sign-in?next="));
        assert!(is_refused, "{} {path}: {} {}", rule.method, reply.status, reply.text);
    }
}
