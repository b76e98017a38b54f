//! The company's sign-on, by a real provider (npm's oidc-provider), by a provider that lies, and by a trusted proxy; and its directory.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use pharos::accounts::permissions::Role;
use pharos::settings::{Settings, SignOnGroup};
use serde_json::{Value, json};

use crate::harness::{Base, Reply, Script, Served, Visitor};

/// A running provider.
struct Provider {
    _script: Script,
    issuer: String,
}

impl Provider {
    /// `lie`: what it does wrong. `None`: npm's packages are not here, and the test is skipped aloud.
    fn start(lie: &str) -> Option<Self> {
        let mut script = Script::start("provider.mjs", &[("LIE", lie)])?;
        let issuer = script.line();
        assert!(issuer.starts_with("http://"), "the provider did not start: {issuer}");
        Some(Self { _script: script, issuer })
    }

    fn settings(&self, base: &Base) -> Settings {
        let group = |group: &str, roles: &[&str], team: Option<&str>, region: Option<&str>| SignOnGroup {
            group: group.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            team: team.map(str::to_owned),
            region: region.map(str::to_owned),
        };
        Settings {
            public_url: "http://127.0.0.1:8080".to_owned(),
            sign_on_issuer: self.issuer.clone(),
            sign_on_client_id: "pharos".to_owned(),
            sign_on_client_secret: "a secret of this test".to_owned(),
            sign_on_groups: vec![
                group("kb-operators", &["operator"], Some("Операторы"), Some("moscow")),
                group("kb-editors", &["editor"], Some("Редакция"), None),
            ],
            ..base.settings()
        }
    }
}

/// The company's directory: it speaks SCIM with a token of its own.
struct Directory<'s> {
    served: &'s Served,
    token: String,
}

impl<'s> Directory<'s> {
    fn of(served: &'s Served, admin: &Visitor<'_>) -> Self {
        let token = json!({"name": "directory", "scopes": ["provision"], "days": 30});
        let token = admin.post("/api/v1/me/tokens", &token).json()["secret"].as_str().unwrap().to_owned();
        Self { served, token }
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(format!("/scim/v2{path}"));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let request = request.header("content-type", "application/scim+json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let reply = self.served.send(request.body(body).unwrap());
        (reply.status, serde_json::from_str(&reply.text).unwrap_or_default())
    }
}

fn base() -> Base {
    Base::with(&[("articles/a.md", "---\ntitle: Статья\n---\nТекст.\n")])
}

/// Begins in a browser and goes through the provider, which asks this login for nothing more. Returns where it sends one back to.
fn through_provider(served: &Served, visitor: &Visitor<'_>, login: &str) -> String {
    let begun = visitor.get("/sign-on?next=/articles/a");
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text);
    let cookie = begun.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("__Host-"),
        "{cookie}"
    );
    *visitor.cookie.borrow_mut() = Some(cookie.split(';').next().unwrap().to_owned());
    let address = begun.headers["location"].to_str().unwrap().to_owned();
    assert!(address.contains("code_challenge_method=S256") && address.contains("nonce="), "{address}");
    served.runtime.block_on(async {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut cookies: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
        let mut next = format!("{address}&login_hint={login}");
        for _ in 0..20 {
            let held =
                cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            let reply = client.get(&next).header("cookie", held).send().await.unwrap();
            for cookie in reply.headers().get_all("set-cookie") {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                cookies.insert(name.to_owned(), value.to_owned());
            }
            let to = reply.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
            let Some(to) = to else {
                panic!("the provider stopped: {} {}", reply.status(), reply.text().await.unwrap())
            };
            next = reqwest::Url::parse(&next).unwrap().join(&to).unwrap().to_string();
            if next.starts_with("http://127.0.0.1:8080/") {
                return next.trim_start_matches("http://127.0.0.1:8080").to_owned();
            }
        }
        panic!("the provider sends one round in circles");
    })
}

/// Comes back from the provider with the cookie that was given at the beginning.
fn come_back(visitor: &Visitor<'_>, back: &str) -> Reply {
    let reply = visitor.get(back);
    for cookie in reply.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()) {
        if cookie.starts_with("__Host-pharos-session=") {
            *visitor.cookie.borrow_mut() = Some(cookie.split(';').next().unwrap().to_owned());
        }
    }
    reply
}

#[test]
fn a_real_provider_signs_people_in() {
    let Some(provider) = Provider::start("") else { return };
    let base = base();
    let served = Served::start(provider.settings(&base));
    // The first account is made here: nobody becomes the first by coming from there.
    assert_eq!(served.visitor().get("/sign-on").status, StatusCode::CONFLICT);
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let anna = served.visitor();
    assert!(anna.get("/sign-in").text.contains("/sign-on?next="));
    let reply = come_back(&anna, &through_provider(&served, &anna, "anna"));
    assert_eq!(
        (reply.status, reply.headers["location"].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/articles/a"),
        "{}",
        reply.text
    );
    let me = anna.json("/api/v1/me");
    assert_eq!((&me["name"], &me["region"]), (&json!("Анна Петрова"), &json!("moscow")));
    assert_eq!(anna.get("/api/v1/articles").status, StatusCode::OK);
    assert_eq!(anna.get("/api/v1/gaps").status, StatusCode::FORBIDDEN);
    let people = admin.json("/api/v1/people?q=anna");
    let person = &people["people"][0];
    assert_eq!(
        (&person["origin"], &person["email"], &person["roles"]),
        (&json!("directory"), &json!("anna@example.org"), &json!(["operator"]))
    );
    let teams = admin.json("/api/v1/teams");
    assert_eq!(teams["teams"][0]["name"], "Операторы");
    // Other groups make another of somebody; without any, one may nothing.
    let editor = served.visitor();
    come_back(&editor, &through_provider(&served, &editor, "editor"));
    assert_eq!(editor.get("/api/v1/gaps").status, StatusCode::OK);
    let stranger = served.visitor();
    come_back(&stranger, &through_provider(&served, &stranger, "stranger"));
    assert_eq!(stranger.get("/api/v1/articles").status, StatusCode::FORBIDDEN);
    // Coming again is being the same.
    let again = served.visitor();
    come_back(&again, &through_provider(&served, &again, "anna"));
    assert_eq!(again.json("/api/v1/me")["id"], me["id"]);
    // Who is locked out here comes in by no way.
    let own = format!("/api/v1/people/{}", me["id"].as_str().unwrap());
    admin.ask("PATCH", &own, Some(&json!({"active": false})));
    assert_eq!(anna.get("/api/v1/articles").status, StatusCode::UNAUTHORIZED);
    let locked = served.visitor();
    let reply = come_back(&locked, &through_provider(&served, &locked, "anna"));
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", reply.text);
    // Signing out here says where one signs out there.
    let reply = editor.ask("DELETE", "/api/v1/session", None).json();
    let there = reply["then"].as_str().unwrap();
    assert!(there.starts_with(&provider.issuer) && there.contains("id_token_hint="), "{there}");
}

#[test]
fn people_of_the_directory_come_by_the_sign_on() {
    let Some(provider) = Provider::start("") else { return };
    let base = base();
    let served = Served::start(provider.settings(&base));
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let directory = Directory::of(&served, &admin);
    let scim = |method: &str, path: &str, body: Option<Value>| directory.ask(method, path, body).1;
    // By the same name, and by the same id: what the provider calls `editor` has another login here.
    let anna =
        scim("POST", "/Users", Some(json!({"userName": "Anna", "externalId": "00u1", "active": true})));
    let editor = scim("POST", "/Users", Some(json!({"userName": "p.editor", "externalId": "editor"})));
    for (login, made) in [("anna", &anna), ("editor", &editor)] {
        let visitor = served.visitor();
        let reply = come_back(&visitor, &through_provider(&served, &visitor, login));
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{login}: {}", reply.text);
        assert_eq!(visitor.json("/api/v1/me")["id"], made["id"], "{login}");
    }
    // The directory finds them as before, and whom it takes out comes in no more.
    let found = scim("GET", "/Users?filter=externalId%20eq%20%2200u1%22", None);
    assert_eq!(found["Resources"][0]["id"], anna["id"]);
    let off = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "value": {"active": false}}]});
    scim("PATCH", &format!("/Users/{}", anna["id"].as_str().unwrap()), Some(off));
    let visitor = served.visitor();
    let reply = come_back(&visitor, &through_provider(&served, &visitor, "anna"));
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    // Who was invited here is not taken over by a name that somebody gave himself there.
    let invited = json!({"login": "stranger", "roles": ["administrator"]});
    assert_eq!(admin.post("/api/v1/people", &invited).status, StatusCode::CREATED);
    let stranger = served.visitor();
    let reply = come_back(&stranger, &through_provider(&served, &stranger, "stranger"));
    assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.text);
}

#[test]
fn codes_and_states_are_good_once() {
    let Some(provider) = Provider::start("") else { return };
    let base = base();
    let served = Served::start(provider.settings(&base));
    let _admin = served.person("admin", &[Role::Administrator], &[]);
    let anna = served.visitor();
    let back = through_provider(&served, &anna, "anna");
    let cookie = anna.cookie.borrow().clone();
    // Another browser cannot complete it: it would be signed in as somebody else.
    let other = served.visitor();
    assert_eq!(other.get(&back).status, StatusCode::FORBIDDEN);
    // A changed state or code is none, and a state is used up by it.
    *other.cookie.borrow_mut() = cookie.clone();
    assert_eq!(other.get(&back.replace("state=", "state=x")).status, StatusCode::FORBIDDEN);
    assert_eq!(come_back(&anna, &back).status, StatusCode::SEE_OTHER);
    // The same once more is refused, whoever sends it.
    *other.cookie.borrow_mut() = cookie;
    assert_eq!(other.get(&back).status, StatusCode::FORBIDDEN);
    // The code of one sign-in with the state of another.
    let second = served.visitor();
    let second_back = through_provider(&served, &second, "editor");
    let third = served.visitor();
    let third_back = through_provider(&served, &third, "anna");
    let part = |back: &str, name: &str| {
        back.split(['?', '&']).find_map(|p| p.strip_prefix(&format!("{name}="))).unwrap().to_owned()
    };
    let mixed =
        format!("/sign-on/back?code={}&state={}", part(&second_back, "code"), part(&third_back, "state"));
    assert_eq!(third.get(&mixed).status, StatusCode::FORBIDDEN);
    // It takes no longer than ten minutes.
    let late = served.visitor();
    let back = through_provider(&served, &late, "anna");
    served.app.clock.advance(jiff::SignedDuration::from_mins(11));
    assert_eq!(late.get(&back).status, StatusCode::FORBIDDEN);
}

#[test]
fn a_wrong_nonce_is_refused() {
    for lie in ["nonce", "audience", "issuer", "signature", "expired"] {
        let Some(provider) = Provider::start(lie) else { return };
        let base = base();
        let served = Served::start(provider.settings(&base));
        let admin = served.person("admin", &[Role::Administrator], &[]);
        let anna = served.visitor();
        let reply = come_back(&anna, &through_provider(&served, &anna, "anna"));
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{lie}: {}", reply.text);
        assert_eq!(admin.json("/api/v1/people")["total"], 1, "{lie}");
    }
}

#[test]
fn a_trusted_proxy_names_who_asks() {
    let base = base();
    let settings = Settings {
        trusted_proxies: vec!["192.0.2.10".parse().unwrap()],
        sign_on_header: "x-remote-user".to_owned(),
        sign_on_header_groups: "x-remote-groups".to_owned(),
        sign_on_groups: vec![SignOnGroup {
            group: "kb".to_owned(),
            roles: vec!["operator".to_owned()],
            team: None,
            region: None,
        }],
        ..base.settings()
    };
    let served = Served::start(settings);
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let ask = |from: &str, headers: &[(&str, &str)]| {
        let mut request = Request::get("/api/v1/articles");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer: std::net::SocketAddr = format!("{from}:1").parse().unwrap();
        request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
        served.send(request).status
    };
    let user = ("x-remote-user", "ivan");
    assert_eq!(ask("192.0.2.10", &[user, ("x-remote-groups", "other, kb")]), StatusCode::OK);
    assert_eq!(ask("192.0.2.10", &[user, ("x-remote-groups", "other")]), StatusCode::FORBIDDEN);
    // From anywhere else the header is nobody's word.
    assert_eq!(ask("192.0.2.11", &[user, ("x-remote-groups", "kb")]), StatusCode::UNAUTHORIZED);
    assert_eq!(ask("127.0.0.1", &[("x-remote-user", "admin")]), StatusCode::UNAUTHORIZED);
    // Of two, one is the client's own.
    assert_eq!(ask("192.0.2.10", &[("x-remote-user", "admin"), user]), StatusCode::FORBIDDEN);
    // The last administrator stays one, whatever the groups say; and the proxy says where requests come from.
    assert_eq!(ask("192.0.2.10", &[("x-remote-user", "admin"), ("x-remote-groups", "kb")]), StatusCode::OK);
    assert_eq!(admin.get("/api/v1/audit").status, StatusCode::OK);
    let request = |forwarded: &str| {
        ask("192.0.2.10", &[("x-forwarded-for", forwarded), user, ("x-remote-groups", "kb")])
    };
    assert_eq!(request("198.51.100.1, 192.0.2.10"), StatusCode::OK);
}

#[test]
fn a_directory_keeps_people() {
    let base = base();
    let served = Served::start(base.settings());
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let directory = Directory::of(&served, &admin);
    let ask = |method: &str, path: &str, body: Option<Value>| directory.ask(method, path, body);
    assert_eq!(served.visitor().get("/scim/v2/Users").status, StatusCode::UNAUTHORIZED);
    assert_eq!(ask("GET", "/ServiceProviderConfig", None).1["patch"]["supported"], true);
    // As Okta does it: look, add, look again, change by PUT, deactivate by PATCH without a path.
    let look = "/Users?filter=userName%20eq%20%22anna%40example.org%22&startIndex=1&count=100";
    assert_eq!(ask("GET", look, None).1["totalResults"], 0);
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "anna@example.org", "name": {"givenName": "Анна", "familyName": "Петрова"},
        "emails": [{"primary": true, "value": "anna@example.org", "type": "work"}], "displayName": "Анна Петрова", "externalId": "00u1", "groups": [], "active": true});
    let (status, made) = ask("POST", "/Users", Some(user.clone()));
    assert_eq!(
        (status, &made["userName"], &made["externalId"]),
        (StatusCode::CREATED, &json!("anna@example.org"), &json!("00u1")),
        "{made}"
    );
    let id = made["id"].as_str().unwrap().to_owned();
    let (status, error) = ask("POST", "/Users", Some(user.clone()));
    assert_eq!((status, &error["scimType"]), (StatusCode::CONFLICT, &json!("uniqueness")));
    assert_eq!(ask("GET", look, None).1["Resources"][0]["id"], id.as_str());
    let mut changed = user;
    changed["displayName"] = json!("Анна Сидорова");
    assert_eq!(ask("PUT", &format!("/Users/{id}"), Some(changed)).1["displayName"], "Анна Сидорова");
    let off = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "value": {"active": false}}]});
    assert_eq!(ask("PATCH", &format!("/Users/{id}"), Some(off)).1["active"], false);
    assert_eq!(admin.json(&format!("/api/v1/people/{id}"))["active"], false);
    assert_eq!(ask("DELETE", &format!("/Users/{id}"), None).0, StatusCode::NO_CONTENT);
    assert_eq!(ask("GET", look, None).1["totalResults"], 0);
    // A directory's token is for this and nothing else, and cannot take the last administrator out.
    let request =
        Request::get("/api/v1/people").header("authorization", format!("Bearer {}", directory.token));
    assert_eq!(served.send(request.body(Body::empty()).unwrap()).status, StatusCode::FORBIDDEN);
    // Nor whom it did not put in, nor teams that make administrators: by an address one could have a link sent, and be him.
    let (status, error) = ask("DELETE", &format!("/Users/{}", admin.id), None);
    assert_eq!((status, &error["scimType"]), (StatusCode::BAD_REQUEST, &json!("mutability")));
    let mail =
        json!({"Operations": [{"op": "replace", "value": {"emails": [{"value": "evil@example.org"}]}}]});
    assert_eq!(ask("PATCH", &format!("/Users/{}", admin.id), Some(mail)).0, StatusCode::BAD_REQUEST);
    let team = admin.post("/api/v1/teams", &json!({"name": "Хозяева", "roles": ["administrator"]})).json();
    let join = json!({"Operations": [{"op": "add", "path": "members", "value": [{"value": admin.id}]}]});
    let path = format!("/Groups/{}", team["id"].as_str().unwrap());
    assert_eq!(ask("PATCH", &path, Some(join)).0, StatusCode::BAD_REQUEST);
    assert_eq!(ask("DELETE", &path, None).0, StatusCode::BAD_REQUEST);
}

#[test]
fn a_directory_keeps_teams() {
    let base = base();
    let served = Served::start(base.settings());
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let directory = Directory::of(&served, &admin);
    let ask = |method: &str, path: &str, body: Option<Value>| directory.ask(method, path, body);
    let (_, made) = ask("POST", "/Users", Some(json!({"userName": "anna@example.org", "active": false})));
    let id = made["id"].as_str().unwrap().to_owned();
    // As Entra does it: operations with capitals, texts for yes and no, paths with filters; groups member by member.
    let on = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
        {"op": "Replace", "path": "active", "value": "True"}, {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "petrova@example.org"},
        {"op": "Add", "path": "name.givenName", "value": "Анна"}]});
    let (_, patched) = ask("PATCH", &format!("/Users/{id}"), Some(on));
    assert_eq!(
        (&patched["active"], &patched["emails"][0]["value"]),
        (&json!(true), &json!("petrova@example.org"))
    );
    let (status, group) = ask(
        "POST",
        "/Groups",
        Some(
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Операторы", "externalId": "g1", "members": []}),
        ),
    );
    assert_eq!(status, StatusCode::CREATED);
    let group = group["id"].as_str().unwrap().to_owned();
    let members = |operations: Value| {
        ask("PATCH", &format!("/Groups/{group}"), Some(json!({"Operations": operations}))).1["members"]
            .clone()
    };
    assert_eq!(
        members(json!([{"op": "Add", "path": "members", "value": [{"value": id}]}]))[0]["value"],
        id.as_str()
    );
    assert_eq!(ask("GET", &format!("/Users/{id}"), None).1["groups"][0]["display"], "Операторы");
    assert_eq!(members(json!([{"op": "Remove", "path": format!("members[value eq \"{id}\"]")}])), json!([]));
    assert_eq!(
        members(json!([{"op": "Replace", "path": "members", "value": [{"value": id}]}]))
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        members(json!([{"op": "Replace", "value": {"id": group, "displayName": "Операторы Москвы"}}]))
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(ask("GET", "/Groups?filter=displayName%20eq%20%22%D0%9E%D0%BF%D0%B5%D1%80%D0%B0%D1%82%D0%BE%D1%80%D1%8B%20%D0%9C%D0%BE%D1%81%D0%BA%D0%B2%D1%8B%22", None).1["totalResults"], 1);
    assert_eq!(ask("DELETE", &format!("/Groups/{group}"), None).0, StatusCode::NO_CONTENT);
}

#[test]
fn a_directory_is_told_what_is_wrong() {
    let base = base();
    let served = Served::start(base.settings());
    let admin = served.person("admin", &[Role::Administrator], &[]);
    let directory = Directory::of(&served, &admin);
    for (method, path, body, kind) in [
        ("POST", "/Users", json!({"displayName": "x"}), "invalidValue"),
        ("PATCH", "/Users/x", json!({"Operations": [{"op": "explode"}]}), "invalidSyntax"),
        ("GET", "/Users?filter=userName%20co%20%22a%22", Value::Null, "invalidFilter"),
        ("GET", "/Users?filter=password%20eq%20%22a%22", Value::Null, "invalidFilter"),
    ] {
        let (status, error) = directory.ask(method, path, Some(body).filter(|body| !body.is_null()));
        assert_eq!((status, &error["scimType"]), (StatusCode::BAD_REQUEST, &json!(kind)), "{path}: {error}");
    }
    assert_eq!(directory.ask("GET", "/Users/none", None).0, StatusCode::NOT_FOUND);
    assert_eq!(directory.ask("GET", "/Schemas", None).0, StatusCode::NOT_FOUND);
}
