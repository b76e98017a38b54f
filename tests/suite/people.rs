//! People: how they come in, what they may do, and what others try.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::SignedDuration;
use pharos::accounts::permissions::{Permission, Role};
use pharos::http::routes::Access;
use pharos::settings::{Settings, WithoutAccounts};
use serde_json::{Value, json};

use crate::harness::{Base, Process, Reply, Script, Served, Visitor, encode};

const PASSWORD: &str = "верблюд под зелёной скамейкой";

fn base() -> Base {
    Base::with(&[("articles/a.md", "---\ntitle: Статья\n---\nТекст статьи про пакеты.\n")])
}

fn served() -> Served {
    served_with(Settings::default())
}

/// A server whose content does not matter, with other settings.
fn served_with(settings: Settings) -> Served {
    let base = base();
    let own = base.settings();
    let settings = Settings {
        articles: own.articles,
        templates: own.templates,
        index: own.index,
        data: own.data,
        ..settings
    };
    // The folder lives as long as the process; it is the system's to clean.
    std::mem::forget(base);
    Served::start(settings)
}

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (status, &json!(code)), "{}", reply.text);
}

fn advance(served: &Served, by: SignedDuration) {
    served.app.clock.advance(by);
}

#[test]
fn first_start() {
    let served = served();
    let visitor = served.visitor();
    // Nobody has an account: reading only, told on the page.
    assert!(visitor.get("/").text.contains("open-mode"));
    assert_eq!(visitor.json("/api/v1/me")["open"], true);
    for path in ["/api/v1/people", "/api/v1/audit", "/admin/people", "/account"] {
        assert_ne!(visitor.get(path).status, StatusCode::OK, "{path}");
    }
    let mut body = json!({"code": "guessed", "login": "Anna", "name": "Анна", "password": PASSWORD});
    refused(&visitor.post("/api/v1/setup", &body), 403, "wrong-secret");
    body["code"] = json!(&*served.state.setup_code);
    body["password"] = json!("password1234");
    refused(&visitor.post("/api/v1/setup", &body), 400, "invalid-body");
    assert_eq!(visitor.json("/api/v1/me")["open"], true);
    body["password"] = json!(PASSWORD);
    assert_eq!(visitor.post("/api/v1/setup", &body).status, StatusCode::OK);
    let me = visitor.json("/api/v1/me");
    assert_eq!((&me["open"], &me["name"]), (&json!(false), &json!("Анна")));
    assert_eq!(me["permissions"].as_array().unwrap().len(), Permission::NAMES.len());
    // From now on one has to sign in, and the code is worth nothing.
    let other = served.visitor();
    refused(&other.post("/api/v1/setup", &body), 409, "conflict");
    refused(&other.get("/api/v1/search?q=a"), 401, "sign-in-needed");
    let reply = other.get("/?q=a");
    assert_eq!(
        (reply.status, reply.headers["location"].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/sign-in?next=%2F%3Fq%3Da")
    );
    assert_eq!(other.sign_in("anna", PASSWORD).status, StatusCode::OK);
    assert_eq!(other.get("/?q=a").status, StatusCode::OK);
}

#[test]
fn without_accounts_only_this_machine_is_answered() {
    let served = served();
    let ask = |host: &str| {
        served
            .send(Request::get("/api/v1/search?q=a").header("host", host).body(Body::empty()).unwrap())
            .status
    };
    for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST"] {
        assert_eq!(ask(host), StatusCode::OK, "{host}");
    }
    // A name of another site that was made to lead here (DNS rebinding).
    for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example:80"] {
        assert_eq!(ask(host), StatusCode::FORBIDDEN, "{host}");
    }
    drop(served);
    let base = base();
    let mut command = base.command("serve");
    let output = command.args(["--listen", "0.0.0.0:0"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("without_accounts = \"anyone-may-read\""), "{told}");
    let served =
        served_with(Settings { without_accounts: WithoutAccounts::AnyoneMayRead, ..Settings::default() });
    let visitor = served.visitor();
    assert_eq!(visitor.get("/api/v1/search?q=a").status, StatusCode::OK);
    for path in ["/api/v1/problems", "/api/v1/gaps", "/metrics", "/api/v1/health"] {
        refused_as_unknown(&visitor.get(path));
    }
}

#[track_caller]
fn refused_as_unknown(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{}", reply.text);
}

#[test]
fn a_session_is_new_after_signing_in() {
    let served = served();
    let _anna = served.person("anna", &[Role::Operator], &[]);
    served.set_password("anna", PASSWORD);
    let browser = served.visitor();
    // What somebody put into this browser before is never a session.
    *browser.cookie.borrow_mut() = Some("__Host-pharos-session=planted".to_owned());
    let reply = browser.sign_in("anna", PASSWORD);
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    for part in ["__Host-pharos-session=", "HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let first = browser.cookie.borrow().clone().unwrap();
    assert!(!first.contains("planted") && first.len() > 60, "{first}");
    assert_eq!(browser.get("/api/v1/articles").status, StatusCode::OK);
    // Signing in again ends what was there.
    assert_eq!(browser.sign_in("anna", PASSWORD).status, StatusCode::OK);
    let second = browser.cookie.borrow().clone().unwrap();
    assert_ne!(first, second);
    let old = served.visitor();
    *old.cookie.borrow_mut() = Some(first);
    refused_as_unknown(&old.get("/api/v1/articles"));
    // A new password ends all of them, and gives a new one.
    let change = json!({"before": PASSWORD, "after": "семь слонов играют домино"});
    assert_eq!(browser.ask("PUT", "/api/v1/me/password", Some(&change)).status, StatusCode::OK);
    let third = browser.cookie.borrow().clone().unwrap();
    assert_ne!(second, third);
    *old.cookie.borrow_mut() = Some(second);
    refused_as_unknown(&old.get("/api/v1/articles"));
    assert_eq!(browser.get("/api/v1/articles").status, StatusCode::OK);
    // Signing out ends it here and there, and empties the browser.
    let reply = browser.ask("DELETE", "/api/v1/session", None);
    assert!(reply.headers["clear-site-data"].to_str().unwrap().contains("storage"));
    *old.cookie.borrow_mut() = Some(third);
    refused_as_unknown(&old.get("/api/v1/articles"));
}

#[test]
fn sessions_end() {
    let served = served_with(Settings { session_idle_minutes: 60, session_days: 2, ..Settings::default() });
    let anna = served.person("anna", &[Role::Operator], &[]);
    let works = |visitor: &Visitor<'_>| visitor.get("/api/v1/articles").status == StatusCode::OK;
    assert!(works(&anna));
    // Used every half hour it lasts, but not for ever.
    let mut hours = 0;
    while works(&anna) {
        advance(&served, SignedDuration::from_mins(30));
        hours += 1;
        assert!(hours < 200);
    }
    assert_eq!(hours, 2 * 48);
    let boris = served.person("boris", &[Role::Operator], &[]);
    assert!(works(&boris));
    advance(&served, SignedDuration::from_mins(61));
    assert!(!works(&boris));
    // One signs out everywhere else; an administrator signs somebody out; who is locked out is out.
    let [here, there] = ["vera", "vera2"].map(|login| served.person(login, &[Role::Operator], &[]));
    served.set_password("vera", PASSWORD);
    let elsewhere = served.visitor();
    assert_eq!(elsewhere.sign_in("vera", PASSWORD).status, StatusCode::OK);
    assert_eq!(here.json("/api/v1/me/sessions")["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(here.ask("DELETE", "/api/v1/me/sessions", None).status, StatusCode::NO_CONTENT);
    assert!(works(&here) && !works(&elsewhere) && works(&there));
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let of = |visitor: &Visitor<'_>| format!("/api/v1/people/{}", visitor.id);
    assert_eq!(admin.ask("DELETE", &format!("{}/sessions", of(&here)), None).status, StatusCode::NO_CONTENT);
    assert!(!works(&here) && works(&there));
    assert_eq!(admin.ask("PATCH", &of(&there), Some(&json!({"active": false}))).status, StatusCode::OK);
    assert!(!works(&there));
    // Nobody ends the sessions of others by their ids.
    let own = admin.json("/api/v1/me/sessions")["sessions"][0]["id"].as_str().unwrap().to_owned();
    let galina = served.person("galina", &[Role::Operator], &[]);
    refused(&galina.ask("DELETE", &format!("/api/v1/me/sessions/{own}"), None), 404, "not-found");
    assert!(works(&admin));
}

#[test]
fn requests_of_other_sites_change_nothing() {
    let served = served();
    let anna = served.person("anna", &[Role::Administrator], &[]);
    let cookie = anna.cookie.borrow().clone().unwrap();
    let ask = |method: &str, path: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("cookie", &cookie)
            .header("host", "kb.example.org");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        served.send(request.body(Body::from("{\"name\":\"evil\"}")).unwrap())
    };
    let json = ("content-type", "application/json");
    for rule in served.rules.iter().filter(|rule| rule.method != "GET") {
        let path = rule.path.replace("{id}", &anna.id).replace("{kind}", "pinned");
        for headers in [
            &[json, ("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")][..],
            &[json, ("sec-fetch-site", "same-site")],
            &[json, ("origin", "https://evil.example")],
            &[json, ("origin", "null")],
            &[json, ("origin", "https://kb.example.org.evil.example")],
            // A browser says where a request comes from; one with a cookie that does not is none of ours.
            &[json],
            // What a form of another site could send, even with the right words about where it comes from.
            &[("content-type", "application/x-www-form-urlencoded"), ("origin", "https://evil.example")],
        ] {
            refused(&ask(rule.method.as_str(), &path, headers), 403, "foreign-request");
        }
    }
    // The same from here is heard.
    let own = [json, ("origin", "https://kb.example.org")];
    assert_eq!(ask("POST", "/api/v1/teams", &own).status, StatusCode::CREATED);
    assert_eq!(anna.json("/api/v1/teams")["teams"].as_array().unwrap().len(), 1);
    // Without what a form cannot say, a body is not read.
    let form = [("content-type", "text/plain"), ("origin", "https://kb.example.org")];
    refused(&ask("POST", "/api/v1/teams", &form), 400, "invalid-body");
}

#[test]
fn who_has_an_account_is_not_told() {
    let served = served();
    let admin = served.person("admin", &[Role::Administrator], &[]);
    for login in ["anna", "locked", "bare"] {
        let _ = served.person(login, &[Role::Operator], &[]);
    }
    served.set_password("anna", PASSWORD);
    served.set_password("locked", PASSWORD);
    let locked = admin.json("/api/v1/people?q=locked")["people"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        admin.ask("PATCH", &format!("/api/v1/people/{locked}"), Some(&json!({"active": false}))).status,
        StatusCode::OK
    );
    let mut told: Vec<(String, String)> = Vec::new();
    for (login, password) in [
        ("anna", "wrong"),
        ("nobody", "wrong"),
        ("bare", "wrong"),
        ("locked", "wrong"),
        ("locked", PASSWORD),
        ("", ""),
        ("anna", ""),
    ] {
        let reply = served.visitor().sign_in(login, password);
        let mut body = reply.json();
        body.as_object_mut().unwrap().remove("request_id");
        told.push((body.to_string(), format!("{:?}", reply.headers.get("set-cookie"))));
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    // Time: whoever it is, one password is hashed. (The work is what is compared; clocks of test machines tell nothing.)
    let work = |login: &str| {
        let started = std::time::Instant::now();
        for _ in 0..3 {
            served.visitor().at("192.0.2.77").sign_in(login, "wrong");
        }
        started.elapsed()
    };
    let (known, unknown) = (work("anna"), work("somebody-else"));
    assert!(unknown.as_secs_f64() > known.as_secs_f64() / 20.0, "{known:?} {unknown:?}");
    for login in ["anna", "nobody"] {
        let reply = served.visitor().post("/api/v1/forgotten", &json!({"login": login}));
        assert_eq!((reply.status, reply.text.as_str()), (StatusCode::ACCEPTED, ""));
    }
}

#[test]
fn failures_wait() {
    let served = served();
    let _ = served.person("anna", &[Role::Operator], &[]);
    served.set_password("anna", PASSWORD);
    let browser = served.visitor();
    for _ in 0..5 {
        refused(&browser.sign_in("anna", "wrong"), 403, "wrong-secret");
    }
    // Now even the right one has to wait, for whoever has an account and who has none alike.
    let reply = browser.sign_in("anna", PASSWORD);
    refused(&reply, 429, "too-many-requests");
    assert_eq!(reply.headers["retry-after"], "1");
    for _ in 0..5 {
        refused(&served.visitor().sign_in("nobody", "wrong"), 403, "wrong-secret");
    }
    refused(&served.visitor().sign_in("nobody", "wrong"), 429, "too-many-requests");
    // Each next failure waits twice as long.
    advance(&served, SignedDuration::from_secs(1));
    refused(&browser.sign_in("anna", "wrong"), 403, "wrong-secret");
    assert_eq!(browser.sign_in("anna", "wrong").headers["retry-after"], "2");
    advance(&served, SignedDuration::from_secs(2));
    assert_eq!(browser.sign_in("anna", PASSWORD).status, StatusCode::OK);
    // A right one forgets them.
    refused(&served.visitor().sign_in("anna", "wrong"), 403, "wrong-secret");
    // One address that tries many names waits as well, and others do not.
    let attacker = served.visitor().at("203.0.113.5");
    let tries = (0..60)
        .take_while(|n| attacker.sign_in(&format!("guess-{n}"), "wrong").status == StatusCode::FORBIDDEN)
        .count();
    assert!((25..=30).contains(&tries), "{tries}");
    assert_eq!(served.visitor().at("203.0.113.6").sign_in("anna", PASSWORD).status, StatusCode::OK);
    // Guesses made at one time cannot slip through together.
    let guesses = (0..20).map(|_| {
        let request = served.visitor().at("203.0.113.7").request(
            "POST",
            "/api/v1/session",
            Some(&json!({"login": "anna", "password": "wrong"})),
        );
        let router = served.router.clone();
        async move { tower::ServiceExt::oneshot(router, request).await.unwrap().status() }
    });
    let statuses = served.runtime.block_on(futures_util::future::join_all(guesses));
    let heard = statuses.iter().filter(|status| **status == StatusCode::FORBIDDEN).count();
    assert!(heard <= 6, "{heard} guesses at one time were heard");
}

fn code(secret: &str, served: &Served) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).with_account_name("x").build().unwrap();
    totp.generate(u64::try_from(served.app.clock.now().as_second()).unwrap()).to_string()
}

#[test]
fn a_second_factor_is_asked_for_and_good_once() {
    let served = served();
    let anna = served.person("anna", &[Role::Operator], &[]);
    served.set_password("anna", PASSWORD);
    refused(&anna.post("/api/v1/me/second-factor", &json!({"password": "wrong"})), 403, "wrong-secret");
    let setup = anna.post("/api/v1/me/second-factor", &json!({"password": PASSWORD})).json();
    let secret = setup["secret"].as_str().unwrap();
    assert!(
        setup["address"].as_str().unwrap().starts_with("otpauth://totp/")
            && setup["picture"].as_str().unwrap().contains("<svg")
    );
    // Before it is confirmed it is not asked for.
    assert_eq!(served.visitor().sign_in("anna", PASSWORD).status, StatusCode::OK);
    refused(
        &anna.ask("PUT", "/api/v1/me/second-factor", Some(&json!({"code": "000000"}))),
        403,
        "wrong-secret",
    );
    let codes =
        anna.ask("PUT", "/api/v1/me/second-factor", Some(&json!({"code": code(secret, &served)}))).json();
    let codes: Vec<String> =
        codes["codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
    assert_eq!(codes.len(), 10);
    let sign_in = |code: Option<&str>| {
        served
            .visitor()
            .post("/api/v1/session", &json!({"login": "anna", "password": PASSWORD, "code": code}))
    };
    refused(&sign_in(None), 403, "second-factor-needed");
    // The code that turned it on is used up, and so is every code once it was used.
    refused(&sign_in(Some(&code(secret, &served))), 403, "wrong-secret");
    advance(&served, SignedDuration::from_secs(60));
    let fresh = code(secret, &served);
    assert_eq!(sign_in(Some(&fresh)).status, StatusCode::OK);
    refused(&sign_in(Some(&fresh)), 403, "wrong-secret");
    // Codes of long ago are none.
    let old = code(secret, &served);
    advance(&served, SignedDuration::from_secs(300));
    refused(&sign_in(Some(&old)), 403, "wrong-secret");
    // One for recovery is good once, however it is written.
    assert_eq!(sign_in(Some(&codes[0].to_uppercase())).status, StatusCode::OK);
    refused(&sign_in(Some(&codes[0])), 403, "wrong-secret");
    // A wrong password never comes as far as the code.
    refused(
        &served
            .visitor()
            .post("/api/v1/session", &json!({"login": "anna", "password": "x", "code": codes[1]})),
        403,
        "wrong-secret",
    );
    // Codes cannot be guessed for long.
    let mut last = StatusCode::FORBIDDEN;
    for _ in 0..10 {
        last = sign_in(Some("123456")).status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    advance(&served, SignedDuration::from_hours(1));
    assert_eq!(sign_in(Some(&codes[1])).status, StatusCode::OK);
    // An administrator takes it off for who lost the device.
    let admin = served.person("admin", &[Role::Administrator], &[]);
    assert_eq!(
        admin.ask("DELETE", &format!("/api/v1/people/{}/second-factor", anna.id), None).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(sign_in(None).status, StatusCode::OK);
}

#[test]
fn a_second_factor_can_be_a_duty() {
    let served =
        served_with(Settings { second_factor_roles: vec!["lead".to_owned()], ..Settings::default() });
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let lead = served.person("lead", &[Role::Lead], &[]);
    let token = json!({"name": "report", "scopes": ["read"], "days": 1, "password": PASSWORD});
    // Nobody has a password yet: who comes from the company's sign-on proves it there.
    assert_eq!(lead.get("/api/v1/articles").status, StatusCode::OK);
    served.set_password("lead", PASSWORD);
    refused(&lead.get("/api/v1/articles"), 403, "second-factor-needed");
    refused(&lead.get("/api/v1/people"), 403, "second-factor-needed");
    refused(&lead.post("/api/v1/me/tokens", &token), 403, "forbidden");
    let page = lead.get("/articles/a");
    assert_eq!(
        (page.status, page.headers["location"].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/account")
    );
    assert!(lead.get("/account").text.contains("Your role needs a second factor"));
    // Roles of a team count as one's own; others are not asked.
    let anna = served.person("anna", &[Role::Operator], &[]);
    served.set_password("anna", PASSWORD);
    assert_eq!(anna.get("/api/v1/articles").status, StatusCode::OK);
    let team = admin.post("/api/v1/teams", &json!({"name": "Смена", "roles": ["lead"]})).json();
    admin.ask("PATCH", &format!("/api/v1/people/{}", anna.id), Some(&json!({"teams": [team["id"]]})));
    refused(&anna.get("/api/v1/articles"), 403, "second-factor-needed");
    // With it everything opens, at once and after signing in.
    let setup = lead.post("/api/v1/me/second-factor", &json!({"password": PASSWORD})).json();
    let right = code(setup["secret"].as_str().unwrap(), &served);
    let confirmed = lead.ask("PUT", "/api/v1/me/second-factor", Some(&json!({"code": right})));
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
    assert_eq!(lead.get("/api/v1/articles").status, StatusCode::OK);
    // A token is as good as its person.
    let made = lead.post("/api/v1/me/tokens", &token).json();
    let ask = |served: &Served| {
        let secret = made["secret"].as_str().unwrap();
        served.send(
            Request::builder()
                .uri("/api/v1/articles")
                .header("authorization", format!("Bearer {secret}"))
                .body(Body::empty())
                .unwrap(),
        )
    };
    assert_eq!(ask(&served).status, StatusCode::OK);
    lead.ask("DELETE", "/api/v1/me/second-factor", Some(&json!({"password": PASSWORD})));
    refused(&ask(&served), 403, "second-factor-needed");
}

#[test]
fn links_go_by_mail() {
    let Some(mut mails) = Script::start("mail.mjs", &[]) else { return };
    let server = mails.line();
    let served = served_with(Settings {
        smtp: format!("smtp://pharos:s%20p%3Aa%2Fce@{server}"),
        mail_from: "Pharos <kb@example.org>".to_owned(),
        public_url: "https://kb.example.org".to_owned(),
        ..Settings::default()
    });
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let add = |login: &str, email: &str| {
        let person = json!({"login": login, "name": "Анна Петрова", "email": email, "roles": ["operator"]});
        admin.post("/api/v1/people", &person).json()
    };
    // What went by mail is not shown, what could not go is.
    assert_eq!(add("anna", "anna@example.org")["link"], Value::Null);
    let mut mail = || serde_json::from_str::<Value>(&mails.line()).unwrap();
    let invitation = mail();
    assert_eq!(
        (&invitation["from"], &invitation["to"], &invitation["user"]),
        (&json!("kb@example.org"), &json!(["anna@example.org"]), &json!("pharos"))
    );
    let secret = |mail: &Value| {
        let raw = mail["raw"].as_str().unwrap();
        let body = raw.split_once("\r\n\r\n").unwrap().1;
        // Soft ends of lines and letters of other scripts are encoded (RFC 2045).
        let is_plain = !raw.contains("quoted-printable") && !raw.contains("base64");
        let text = if raw.contains("base64") {
            let joined: String = body.split_whitespace().collect();
            String::from_utf8(data_encoding::BASE64.decode(joined.as_bytes()).unwrap()).unwrap()
        } else if is_plain {
            body.to_owned()
        } else {
            body.replace("=\r\n", "").replace("=3D", "=")
        };
        let (_, rest) = text.split_once("https://kb.example.org/welcome#").expect("the mail has the link");
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let choose = |secret: &str| {
        served.visitor().post("/api/v1/link", &json!({"secret": secret, "password": PASSWORD})).status
    };
    assert_eq!(choose(&secret(&invitation)), StatusCode::OK);
    let full = add("full", "full@example.org");
    assert!(full["link"].as_str().is_some_and(|link| link.starts_with("https://kb.example.org/welcome#")));
    // Who forgot the password gets a link; nothing goes to who is not there, and the reply is the same.
    let forgotten = |login: &str| served.visitor().post("/api/v1/forgotten", &json!({"login": login}));
    let (nobody, anna) = (forgotten("nobody"), forgotten("ANNA"));
    assert_eq!((nobody.status, nobody.text), (anna.status, anna.text));
    let reset = mail();
    assert_eq!(reset["to"], json!(["anna@example.org"]));
    assert_eq!(choose(&secret(&reset)), StatusCode::OK);
    assert_eq!(choose(&secret(&reset)), StatusCode::FORBIDDEN);
}

#[test]
fn links_are_good_once() {
    let served = served();
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let added = admin
        .post("/api/v1/people", &json!({"login": "anna@example.org", "name": "Анна", "roles": ["operator"]}))
        .json();
    let link = added["link"].as_str().unwrap();
    // The secret stands behind `#`: it never reaches the server but in a body.
    let (page, secret) = link.split_once('#').unwrap();
    assert_eq!(page, "/welcome");
    assert_eq!(served.visitor().get(page).status, StatusCode::OK);
    let browser = served.visitor();
    let whose = browser.post("/api/v1/link", &json!({"secret": secret})).json();
    assert_eq!(whose["login"], "anna@example.org");
    refused(&browser.post("/api/v1/link", &json!({"secret": "guessed"})), 403, "wrong-secret");
    refused(
        &browser.post("/api/v1/link", &json!({"secret": secret, "password": "anna@example.org"})),
        400,
        "invalid-body",
    );
    assert_eq!(
        browser.post("/api/v1/link", &json!({"secret": secret, "password": PASSWORD})).status,
        StatusCode::OK
    );
    assert_eq!(browser.get("/api/v1/articles").status, StatusCode::OK);
    refused(
        &served.visitor().post("/api/v1/link", &json!({"secret": secret, "password": PASSWORD})),
        403,
        "wrong-secret",
    );
    assert_eq!(served.visitor().sign_in("Anna@Example.org", PASSWORD).status, StatusCode::OK);
    // A newer link makes the one before worthless; each ends by itself; using one ends all sessions.
    let make = || {
        let made = admin.ask(
            "POST",
            &format!("/api/v1/people/{}/link", added["person"]["id"].as_str().unwrap()),
            None,
        );
        made.json()["link"].as_str().unwrap().split_once('#').unwrap().1.to_owned()
    };
    let (first, second) = (make(), make());
    refused(&served.visitor().post("/api/v1/link", &json!({"secret": first})), 403, "wrong-secret");
    advance(&served, SignedDuration::from_mins(61));
    refused(&served.visitor().post("/api/v1/link", &json!({"secret": second})), 403, "wrong-secret");
    let third = make();
    let again = json!({"secret": third, "password": "семь слонов играют домино"});
    assert_eq!(served.visitor().post("/api/v1/link", &again).status, StatusCode::OK);
    refused_as_unknown(&browser.get("/api/v1/articles"));
    // Locked out is locked out, whatever link one has.
    let fourth = make();
    let id = added["person"]["id"].as_str().unwrap();
    admin.ask("PATCH", &format!("/api/v1/people/{id}"), Some(&json!({"active": false})));
    refused(&served.visitor().post("/api/v1/link", &json!({"secret": fourth})), 403, "wrong-secret");
}

#[test]
fn roles_permit_what_they_say() {
    let served = served();
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let path = |path: &str| {
        path.replace("{*id}", "a")
            .replace("{id}", &admin.id)
            .replace("{*path}", "x.png")
            .replace("{kind}", "pinned")
    };
    for (name, role) in Role::NAMES {
        let person = served.person(name, &[*role], &[]);
        for rule in served.rules.iter().filter(|rule| !rule.path.contains("/live")) {
            let (Access::Needs(permission) | Access::Manages(permission)) = rule.access else { continue };
            if rule.method != "GET" && role.permissions().contains(&permission) {
                continue;
            }
            let reply = person.ask(rule.method.as_str(), &path(rule.path), Some(&json!({})));
            let is_refused = reply.status == StatusCode::FORBIDDEN;
            assert_eq!(
                is_refused,
                !role.permissions().contains(&permission),
                "{name} {} {}: {}",
                rule.method,
                rule.path,
                reply.text
            );
        }
    }
    // A team gives its members its roles; leaving it takes them.
    let boris = served.person("boris", &[Role::Operator], &[]);
    refused(&boris.get("/api/v1/gaps"), 403, "forbidden");
    let team = admin
        .post("/api/v1/teams", &json!({"name": "Редакция", "roles": ["editor"], "region": "moscow"}))
        .json();
    let members = format!("/api/v1/teams/{}/members", team["id"].as_str().unwrap());
    assert_eq!(
        admin.ask("PATCH", &members, Some(&json!({"add": [boris.id]}))).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(boris.get("/api/v1/gaps").status, StatusCode::OK);
    assert_eq!(boris.json("/api/v1/me")["region"], "moscow");
    assert_eq!(
        admin.ask("PATCH", &members, Some(&json!({"remove": [boris.id]}))).status,
        StatusCode::NO_CONTENT
    );
    refused(&boris.get("/api/v1/gaps"), 403, "forbidden");
}

#[test]
fn a_region_of_ones_own_is_meant() {
    let base = Base::with(&[
        ("articles/m.md", "---\ntitle: Пакет московский\nregions: [moscow]\n---\nПакет.\n"),
        ("articles/k.md", "---\ntitle: Пакет казанский\nregions: [kazan]\n---\nПакет.\n"),
    ]);
    let served = base.start();
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let anna = served.person("anna", &[Role::Operator], &[]);
    admin.ask("PATCH", &format!("/api/v1/people/{}", anna.id), Some(&json!({"region": "moscow"})));
    let found = |parameters: &str| {
        let reply = anna.json(&format!("/api/v1/search?q={}{parameters}", encode("пакет")));
        crate::harness::ids(&reply["hits"], "article")
    };
    assert_eq!(found(""), ["m"]);
    assert_eq!(found("&region=kazan"), ["k"]);
    assert_eq!(found("&region=all").len(), 2);
    assert_eq!(anna.get("/api/v1/articles/k").status, StatusCode::NOT_FOUND);
    assert_eq!(anna.get("/api/v1/articles/k?region=all").status, StatusCode::OK);
    // Links on pages keep what was chosen.
    let page = anna.get(&format!("/search/results?q={}&region=all&limit=1", encode("пакет"))).text;
    assert!(page.contains("region=all"), "{page}");
}

#[test]
fn tokens_have_scopes_and_end() {
    let long = 24 * 60 * 7;
    let served = served_with(Settings { session_idle_minutes: long, ..Settings::default() });
    let lead = served.person("lead", &[Role::Lead], &[]);
    let made = lead.post("/api/v1/me/tokens", &json!({"name": "crm", "scopes": ["read"], "days": 30}));
    assert_eq!(made.status, StatusCode::CREATED);
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("pharos_"));
    let ask = |method: &str, path: &str, secret: &str| {
        let request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {secret}"));
        served.send(request.header("content-type", "application/json").body(Body::from("{}")).unwrap())
    };
    assert_eq!(ask("GET", "/api/v1/articles", &secret).status, StatusCode::OK);
    refused(&ask("GET", "/api/v1/gaps", &secret), 403, "forbidden");
    // It is told nowhere again, and is no person: it makes no tokens and changes no password.
    assert!(
        !lead.get("/api/v1/me/tokens").text.contains(&secret) && !lead.get("/account").text.contains(&secret)
    );
    for (method, path) in [
        ("GET", "/api/v1/me/tokens"),
        ("POST", "/api/v1/me/tokens"),
        ("PUT", "/api/v1/me/password"),
        ("GET", "/api/v1/me/export"),
    ] {
        refused(&ask(method, path, &secret), 401, "sign-in-needed");
    }
    refused(&ask("GET", "/api/v1/articles", "pharos_guessed"), 401, "sign-in-needed");
    refused(&ask("GET", "/api/v1/articles", &secret[..20]), 401, "sign-in-needed");
    // Nobody gives a token what he may not do himself; and what he may do no more, his tokens may not.
    refused(
        &lead.post("/api/v1/me/tokens", &json!({"name": "x", "scopes": ["manage-people"], "days": 1})),
        403,
        "forbidden",
    );
    let wide = lead
        .post("/api/v1/me/tokens", &json!({"name": "gaps", "scopes": ["see-gaps", "read"], "days": 1}))
        .json();
    let (wide_secret, wide_id) = (wide["secret"].as_str().unwrap(), wide["token"]["id"].as_str().unwrap());
    assert_eq!(ask("GET", "/api/v1/gaps", wide_secret).status, StatusCode::OK);
    let admin = served.person("admin", &[Role::Administrator], &[]);
    admin.ask("PATCH", &format!("/api/v1/people/{}", lead.id), Some(&json!({"roles": ["operator"]})));
    refused(&ask("GET", "/api/v1/gaps", wide_secret), 403, "forbidden");
    // They end: by the day, by their owner, by an administrator, with the person.
    advance(&served, SignedDuration::from_hours(25));
    refused(&ask("GET", "/api/v1/articles", wide_secret), 401, "sign-in-needed");
    let stranger = served.person("stranger", &[Role::Operator], &[]);
    refused(&stranger.ask("DELETE", &format!("/api/v1/me/tokens/{wide_id}"), None), 404, "not-found");
    let id = made.json()["token"]["id"].as_str().unwrap().to_owned();
    assert_eq!(ask("GET", "/api/v1/articles", &secret).status, StatusCode::OK);
    admin.ask("PATCH", &format!("/api/v1/people/{}", lead.id), Some(&json!({"active": false})));
    refused(&ask("GET", "/api/v1/articles", &secret), 401, "sign-in-needed");
    admin.ask("PATCH", &format!("/api/v1/people/{}", lead.id), Some(&json!({"active": true})));
    assert_eq!(admin.ask("DELETE", &format!("/api/v1/tokens/{id}"), None).status, StatusCode::NO_CONTENT);
    refused(&ask("GET", "/api/v1/articles", &secret), 401, "sign-in-needed");
}

#[test]
fn fields_nobody_offers_are_refused() {
    let served = served();
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let lead = served.person("lead", &[Role::Lead], &[]);
    let of_lead = format!("/api/v1/people/{}", lead.id);
    // Fields of the store that no form has, in every body.
    let extra = json!({"password": "x", "source": "local", "totp_secret": null, "id": "x", "external_id": "x", "permissions": ["manage-people"], "is_admin": true});
    for (method, path) in [
        ("POST", "/api/v1/people"),
        ("PATCH", of_lead.as_str()),
        ("POST", "/api/v1/teams"),
        ("POST", "/api/v1/me/tokens"),
        ("PUT", "/api/v1/me/password"),
        ("PUT", "/api/v1/me/kept/pinned"),
        ("POST", "/api/v1/gaps"),
    ] {
        for (name, value) in extra.as_object().unwrap() {
            let mut body = json!({"login": "x", "name": "x"});
            body[name] = value.clone();
            let reply = admin.ask(method, path, Some(&body));
            refused(&reply, 400, "invalid-body");
        }
    }
    // Nobody lifts himself up.
    for body in [json!({"roles": ["administrator"]}), json!({"audiences": ["b2b"]})] {
        refused(&lead.ask("PATCH", &of_lead, Some(&body)), 403, "forbidden");
    }
    let me = lead.json("/api/v1/me");
    assert!(!me["permissions"].as_array().unwrap().contains(&json!("manage-people")));
    // Audiences that mean something else cannot be given.
    for audience in ["everyone", "nobody", "!b2b", ""] {
        refused(&admin.ask("PATCH", &of_lead, Some(&json!({"audiences": [audience]}))), 400, "invalid-body");
    }
}

#[test]
fn the_last_administrator_stays() {
    let served = served();
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let own = format!("/api/v1/people/{}", admin.id);
    refused(&admin.ask("PATCH", &own, Some(&json!({"roles": ["operator"]}))), 409, "conflict");
    refused(&admin.ask("PATCH", &own, Some(&json!({"active": false}))), 409, "conflict");
    refused(&admin.ask("DELETE", &own, None), 409, "conflict");
    let other = served.person("other", &[Role::Administrator], &[]);
    assert_eq!(admin.ask("PATCH", &own, Some(&json!({"roles": ["operator"]}))).status, StatusCode::OK);
    refused(&other.ask("DELETE", &format!("/api/v1/people/{}", other.id), None), 409, "conflict");
    // Two who leave at one time do not both leave.
    let [one, two] = ["one", "two"].map(|login| served.person(login, &[Role::Administrator], &[]));
    assert_eq!(
        one.ask("DELETE", &format!("/api/v1/people/{}", other.id), None).status,
        StatusCode::NO_CONTENT
    );
    let requests = [&one, &two].map(|person| {
        let request =
            person.request("PATCH", &format!("/api/v1/people/{}", person.id), Some(&json!({"roles": []})));
        tower::ServiceExt::oneshot(served.router.clone(), request)
    });
    let statuses = served.runtime.block_on(futures_util::future::join_all(requests));
    let left =
        statuses.into_iter().filter(|reply| reply.as_ref().unwrap().status() == StatusCode::OK).count();
    assert_eq!(left, 1);
}

#[test]
fn paths_in_ids_lead_nowhere() {
    let served = served();
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let odd = [
        "..",
        "../a",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "....//a",
        "a%00.md",
        "%5c..%5ca",
        "C:%5c",
        "a'--",
        "a%27%20OR%201=1",
        "*",
        "_folder.yaml",
        "catalog/x.yaml",
        "%F0%9F%92%A9",
    ];
    for rule in served.rules.iter().filter(|rule| rule.method == "GET" && rule.path.contains('{')) {
        for id in odd {
            let at = rule.path.find('{').unwrap();
            let path = format!("{}{id}", &rule.path[..at]);
            let reply = admin.get(&path);
            assert!(
                reply.status.is_client_error() || reply.status.is_redirection(),
                "{path}: {} {}",
                reply.status,
                reply.text
            );
            assert!(!reply.text.contains("root:"), "{path}");
        }
    }
}

const EVIL: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>";

/// A base that has it wherever something can be written.
fn base_of_evil() -> Base {
    let yaml = |text: &str| serde_json::to_string(text).unwrap();
    Base::with(&[
        (
            "articles/evil.md",
            &format!(
                "---\ntitle: {}\ntags: [{}]\naliases: [{}]\nowner: {}\nregions: [{}]\nproducts: [p]\n---\n{EVIL}\n\n## {EVIL}\n[x](javascript:alert(1)) ![{}](x.png) <iframe src=//evil></iframe> <a href=\"javascript:alert(1)\">y</a> пакет {{{{ p.t }}}}\n",
                yaml(EVIL),
                yaml(EVIL),
                yaml(EVIL),
                yaml(EVIL),
                yaml(EVIL),
                EVIL.replace(']', "")
            ),
        ),
        ("articles/<img src=x onerror=alert(1)>.md", "---\ntitle: Имя файла\n---\nПакет.\n"),
        (
            "articles/catalog/c.yaml",
            &format!(
                "family: f\ntitle: {}\nattributes: {{t: {{type: text, label: {}}}}}\nproducts:\n  - {{id: p, title: {}, article: evil, values: {{t: {}}}}}\n",
                yaml(EVIL),
                yaml(EVIL),
                yaml(EVIL),
                yaml(EVIL)
            ),
        ),
        (
            "templates/t.md",
            &format!(
                "---\ntitle: {}\narticles: [evil]\nvariables: {{v: {{type: text, label: {}}}}}\n---\n# chat\nПакет {{{{ v }}}} {EVIL}\n",
                yaml(EVIL),
                yaml(EVIL)
            ),
        ),
    ])
}

/// Addresses of pages that show what was written, and addresses that have it themselves.
fn evil_pages(evil: &str, id: &str) -> Vec<String> {
    vec![
        "/".to_owned(),
        format!("/?q={evil}"),
        "/?q=%D0%BF%D0%B0%D0%BA%D0%B5%D1%82".to_owned(),
        format!("/search/results?q={evil}"),
        "/articles/evil".to_owned(),
        format!("/articles/{}", encode("<img src=x onerror=alert(1)>")),
        format!("/articles/{evil}"),
        "/wordings?article=evil".to_owned(),
        "/compare?products=p".to_owned(),
        format!("/compare?q={evil}&products={evil}&region={evil}"),
        "/new".to_owned(),
        format!("/new?since={evil}"),
        "/mine".to_owned(),
        "/account".to_owned(),
        format!("/admin/people?q={evil}"),
        "/admin/people".to_owned(),
        format!("/admin/people/{id}"),
        "/admin/teams".to_owned(),
        "/admin/tokens".to_owned(),
        "/admin/audit".to_owned(),
        format!("/admin/audit?q={evil}&action={evil}"),
        "/admin/health".to_owned(),
        format!("/sign-in?next={evil}"),
        format!("/flows/{evil}"),
        format!("/sign-on/back?error={evil}&error_description={evil}"),
        format!("/lang/{evil}"),
        format!("/{evil}"),
    ]
}

#[test]
fn nothing_written_runs() {
    let base = base_of_evil();
    let served = base.start();
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let anna = admin.post("/api/v1/people", &json!({"login": "anna<svg/onload=alert(1)>", "name": EVIL, "roles": ["operator"], "audiences": [EVIL], "region": EVIL}));
    assert_eq!(anna.status, StatusCode::CREATED, "{}", anna.text);
    assert_eq!(
        admin.post("/api/v1/teams", &json!({"name": EVIL, "audiences": [EVIL]})).status,
        StatusCode::CREATED
    );
    admin.post("/api/v1/me/tokens", &json!({"name": EVIL, "scopes": ["read"], "days": 1}));
    admin.post("/api/v1/gaps", &json!({"query": EVIL, "note": EVIL}));
    let id = anna.json()["person"]["id"].as_str().unwrap().to_owned();
    let evil = encode(EVIL);
    for path in &evil_pages(&evil, &id) {
        let reply = admin.get(path);
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{path}");
        let page = reply.text.to_lowercase();
        for wrong in [
            "<script>alert",
            "onerror=alert(2)>",
            "<img src=x",
            "<svg onload",
            "<iframe",
            "javascript:alert",
            "\"'><svg",
        ] {
            assert!(
                !page.contains(wrong),
                "{path} has {wrong}: {}",
                &page[page.find(wrong).unwrap().saturating_sub(200)..][..400]
            );
        }
    }
    // Replies that are not pages are not taken for some.
    for path in [
        format!("/api/v1/search?q={evil}"),
        "/api/v1/articles/evil".to_owned(),
        format!("/api/v1/articles/{evil}"),
    ] {
        let reply = admin.get(&path);
        assert!(
            reply.headers["content-type"].to_str().unwrap().contains("json")
                && reply.headers["x-content-type-options"] == "nosniff"
        );
    }
    let rendered = admin
        .post("/api/v1/render", &json!({"template": "t", "channel": "chat", "values": {"v": EVIL}}))
        .json();
    let html = rendered["html"].as_str().unwrap_or_else(|| panic!("{rendered}"));
    assert!(!html.contains("<script") && !html.contains("<img src=x") && !html.contains("<svg"), "{html}");
}

#[test]
fn what_was_done_is_in_the_log() {
    let served = served();
    let admin = served.person("admin", &[Role::Administrator], &[]).at("198.51.100.7");
    let added =
        admin.post("/api/v1/people", &json!({"login": "anna", "name": "Анна", "roles": ["operator"]})).json();
    let id = added["person"]["id"].as_str().unwrap();
    admin.ask(
        "PATCH",
        &format!("/api/v1/people/{id}"),
        Some(&json!({"roles": ["editor"], "region": "moscow"})),
    );
    served.set_password("anna", PASSWORD);
    served.visitor().sign_in("anna", "wrong");
    served.visitor().sign_in("anna", PASSWORD);
    let log = admin.json("/api/v1/audit?limit=1000");
    let entries = log["entries"].as_array().unwrap();
    let actions: Vec<&str> = entries.iter().rev().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        ["person.added", "person.added", "link.invitation", "person.changed", "sign-in.failed", "sign-in"]
    );
    let changed = entries.iter().find(|e| e["action"] == "person.changed").unwrap();
    assert_eq!(
        (&changed["actor"], &changed["address"], &changed["subject"]),
        (&json!(admin.id), &json!("198.51.100.7"), &json!(id))
    );
    assert!(changed["details"].as_str().unwrap().contains("roles: `operator` → `editor`"), "{changed}");
    assert!(!log.to_string().contains(PASSWORD) && !log.to_string().contains("argon2"));
    // Found by what one remembers, page by page, and whole as a file.
    let found =
        |query: &str| admin.json(&format!("/api/v1/audit?{query}"))["entries"].as_array().unwrap().len();
    assert_eq!(
        (
            found("action=person."),
            found(&format!("subject={id}")),
            found("q=198.51.100.7"),
            found("until=2020-01-01")
        ),
        (3, 5, 3, 0)
    );
    let last = entries[2]["id"].as_str().unwrap();
    assert_eq!(found(&format!("before={last}")), 3);
    let export = admin.get("/api/v1/audit?format=lines");
    assert_eq!(export.text.lines().count(), 6);
    assert!(export.text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    // There is no way to change or remove an entry.
    assert!(served.rules.iter().filter(|rule| rule.path.contains("audit")).all(|rule| rule.method == "GET"));
    // Old ones go.
    advance(&served, SignedDuration::from_hours(24 * 400));
    let (accounts, now) = (&served.state.accounts, served.app.clock.now());
    served.runtime.block_on(accounts.tidy(now)).unwrap();
    let later = served.person("later", &[Role::Administrator], &[]);
    assert_eq!(later.json("/api/v1/audit")["entries"].as_array().unwrap().len(), 1);
}

#[test]
fn requests_are_bounded() {
    let served = served_with(Settings { requests_per_minute: 30, ..Settings::default() });
    let [anna, boris] = ["anna", "boris"].map(|login| served.person(login, &[Role::Operator], &[]));
    let heard = (0..100).take_while(|_| anna.get("/api/v1/articles").status == StatusCode::OK).count();
    assert_eq!(heard, 30);
    let reply = anna.get("/api/v1/articles");
    refused(&reply, 429, "too-many-requests");
    assert!(reply.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    // Others are not kept waiting, and scripts cost nothing.
    assert_eq!(boris.get("/api/v1/articles").status, StatusCode::OK);
    assert_eq!(anna.get("/favicon.ico").status, StatusCode::OK);
}

#[test]
fn a_person_is_exported_and_erased() {
    let served = served();
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let anna = served.person("anna.petrova", &[Role::Operator], &["b2b"]);
    anna.ask("PUT", "/api/v1/me/kept/pinned", Some(&json!({"value": [{"kind": "article", "id": "a"}]})));
    anna.post("/api/v1/me/tokens", &json!({"name": "crm", "scopes": ["read"], "days": 30}));
    let export = anna.json("/api/v1/me/export");
    assert_eq!(export["person"]["login"], "anna.petrova");
    assert_eq!(export["kept"]["pinned"][0]["id"], "a");
    assert_eq!(export["sessions"].as_array().unwrap().len(), 1);
    assert!(!export["done"].as_array().unwrap().is_empty());
    let said = json!({"article": "a", "kind": "unclear", "body": "Непонятно, о каком пакете речь"});
    assert!(anna.post("/api/v1/feedback", &said).status.is_success());
    let export = anna.json("/api/v1/me/export");
    assert_eq!(export["written"]["posts"][0]["body"], "Непонятно, о каком пакете речь", "{export}");
    let own = format!("/api/v1/people/{}", anna.id);
    assert_eq!(admin.json(&format!("{own}/export"))["person"]["login"], "anna.petrova");
    assert_eq!(admin.ask("DELETE", &own, None).status, StatusCode::NO_CONTENT);
    refused_as_unknown(&anna.get("/api/v1/articles"));
    assert_eq!(admin.get(&own).status, StatusCode::NOT_FOUND);
    // Nothing in the store tells who it was.
    let database = served.runtime.block_on(async {
        let mut all = Vec::new();
        let place = pharos::database::Place::named("", &served.state.settings.data);
        let database = pharos::database::Database::open(&place).await.unwrap();
        pharos::database::dump::write(&database, &mut all).await.unwrap();
        String::from_utf8(all).unwrap()
    });
    assert!(!database.contains("anna"), "{database}");
    assert!(database.contains("person.erased"));
}

#[test]
fn what_one_keeps_is_ones_own() {
    let served = served();
    let [anna, boris] = ["anna", "boris"].map(|login| served.person(login, &[Role::Operator], &[]));
    let layout = json!({"value": {"theme": "dark"}});
    assert_eq!(anna.ask("PUT", "/api/v1/me/kept/layout", Some(&layout)).status, StatusCode::NO_CONTENT);
    assert_eq!(anna.json("/api/v1/me/kept")["kept"]["layout"]["theme"], "dark");
    assert_eq!(boris.json("/api/v1/me/kept")["kept"], json!({}));
    refused(&anna.ask("PUT", "/api/v1/me/kept/secrets", Some(&layout)), 400, "invalid-body");
    let huge = json!({"value": "x".repeat(210 << 10)});
    refused(&anna.ask("PUT", "/api/v1/me/kept/pinned", Some(&huge)), 400, "invalid-body");
}

#[test]
fn people_are_added_on_the_command_line() {
    let base = base();
    let output =
        base.command("people").args(["add", "anna", "--role", "admin", "--name", "Анна"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let secret = told.trim().rsplit('#').next().unwrap().to_owned();
    let listed = base.command("people").arg("list").output().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains("anna\tАнна\tadministrator"));
    let again = base.command("people").args(["add", "ANNA"]).output().unwrap();
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("already"));
    // The link that was printed lets one in, on a server that knew nobody when it was asked first.
    let process = Process::serve(&base);
    process.wait_ready();
    let (status, _) = process.post("/api/v1/link", &json!({"secret": secret, "password": PASSWORD})).unwrap();
    assert_eq!(status, 200);
    assert_eq!(process.get("/api/v1/articles").unwrap().0, 401);
}
