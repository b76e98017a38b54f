//! What people do together about articles: review, must-reads, feedback, and what each is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use axum::http::StatusCode;
use jiff::SignedDuration;
use pharos::accounts::permissions::Role;
use pharos::clock::Clock;
use pharos::settings::Settings;
use serde_json::{Value, json};

use crate::harness::{Base, Served, TODAY, Visitor, ids};

const ARTICLE: &str = "---\ntitle: Пакет\nowner: Отдел тарифов\n---\n## Цена {#price}\n\nСтоит 100 рублей.\n\n## Партнёрам {#partners audience=partners}\n\nТайна 41.\n";

fn base() -> Base {
    Base::with(&[
        ("articles/pack.md", ARTICLE),
        ("articles/tariffs/_folder.yaml", "approval: {count: 1, by: [Отдел тарифов]}\n"),
        ("articles/tariffs/one.md", "---\ntitle: Тариф\n---\nОдин.\n"),
        ("articles/shut.md", "---\ntitle: Закрыто\naudience: [partners]\n---\nТайна 42.\n"),
    ])
}

/// Served by a clock that is moved, for tests that ask again and again.
fn unhurried(base: &Base) -> (Served, Clock) {
    let clock = Clock::frozen_at(format!("{TODAY}T12:00:00Z").parse().unwrap());
    let settings = Settings { requests_per_minute: 0, ..base.settings() };
    (Served::start_at(settings, clock.clone()), clock)
}

#[track_caller]
fn ok(reply: &crate::harness::Reply) -> Value {
    assert!(reply.status.is_success(), "{} {}", reply.status, reply.text);
    if reply.text.is_empty() { Value::Null } else { reply.json() }
}

/// Puts people into a team, which is made if it is not there.
fn team(root: &Visitor<'_>, name: &str, people: &[&Visitor<'_>]) {
    let members: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
    let id = ok(&root.post("/api/v1/teams", &json!({"name": name})))["id"].as_str().unwrap().to_owned();
    ok(&root.ask("PATCH", &format!("/api/v1/teams/{id}/members"), Some(&json!({"add": members}))));
}

fn digest(visitor: &Visitor<'_>, path: &str) -> String {
    visitor.json(&format!("/api/v1/sources/{path}"))["digest"].as_str().unwrap().to_owned()
}

fn draft(visitor: &Visitor<'_>, path: &str, text: &str) -> String {
    let file = json!({"path": path, "base": digest(visitor, path), "text": text, "version": 0});
    let made = ok(&visitor.post("/api/v1/drafts", &json!({"title": "Правка", "files": [file]})));
    made["id"].as_str().unwrap().to_owned()
}

/// The kinds of what somebody was told and has not seen.
fn told(visitor: &Visitor<'_>) -> Vec<String> {
    let notices = visitor.json("/api/v1/me/notices")["notices"].clone();
    let unseen = notices.as_array().unwrap().iter().filter(|notice| notice["seen_at"].is_null());
    unseen.map(|notice| notice["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_others_must_approve_waits_for_them() {
    let base = base();
    let served = base.start();
    let root = served.person("root", &[Role::Administrator], &[]);
    let anna = served.person("anna", &[Role::Editor], &[]);
    let vera = served.person("vera", &[Role::Reviewer], &[]);
    let other = served.person("other", &[Role::Reviewer], &[]);
    team(&root, "Отдел тарифов", &[&vera]);
    let path = "articles/tariffs/one.md";
    // Nobody goes around it: not by one file, not by taking it away, not by the rule itself.
    let text = "---\ntitle: Тариф\n---\nДва.\nТри.\n";
    let change = json!({"base": digest(&anna, path), "text": text});
    let direct = anna.ask("PUT", &format!("/api/v1/sources/{path}"), Some(&change));
    assert_eq!((direct.status, &direct.json()["code"]), (StatusCode::FORBIDDEN, &json!("approval-needed")));
    assert_eq!(anna.ask("DELETE", &format!("/api/v1/sources/{path}"), None).status, StatusCode::FORBIDDEN);
    let rule = "articles/tariffs/_folder.yaml";
    let freed = json!({"base": digest(&anna, rule), "text": "approval: no\n"});
    assert_eq!(
        anna.ask("PUT", &format!("/api/v1/sources/{rule}"), Some(&freed)).status,
        StatusCode::FORBIDDEN
    );
    let id = draft(&anna, path, text);
    let publish =
        |versions: Value| anna.post(&format!("/api/v1/drafts/{id}/publish"), &json!({"versions": versions}));
    assert_eq!(publish(json!({})).status, StatusCode::FORBIDDEN);
    // Not asked, nobody sees it.
    assert_eq!(vera.get(&format!("/api/v1/reviews/{id}")).status, StatusCode::NOT_FOUND);
    let asked = ok(&anna.post(&format!("/api/v1/drafts/{id}/review"), &json!({"note": "посмотрите"})));
    assert_eq!(asked["missing"][0]["by"], json!(["Отдел тарифов"]));
    assert_eq!(told(&vera), ["review-asked"]);
    assert_eq!(told(&other), [""; 0], "only who must approve is asked");
    let review = vera.json(&format!("/api/v1/reviews/{id}"));
    let lines = review["files"][0]["lines"].to_string();
    assert!(lines.contains("Один") && lines.contains("Три"), "{lines}");
    // A remark stays with its line, wherever it goes.
    let remark = json!({"path": path, "line": 5, "body": "почему три?"});
    let with_remark = ok(&vera.post(&format!("/api/v1/reviews/{id}/remarks"), &remark));
    assert_eq!(with_remark["review"]["remarks"][0]["line_text"], "Три.");
    assert_eq!(told(&anna), ["review-answered"]);
    let verdict = |who: &Visitor<'_>, approved: bool| {
        let contents = who.json(&format!("/api/v1/reviews/{id}"))["review"]["contents"].clone();
        let said = json!({"approved": approved, "contents": contents, "note": ""});
        who.post(&format!("/api/v1/reviews/{id}/verdicts"), &said)
    };
    assert_eq!(verdict(&anna, true).status, StatusCode::FORBIDDEN, "an editor approves nothing");
    ok(&verdict(&vera, false));
    assert_eq!(publish(json!({})).status, StatusCode::FORBIDDEN);
    // One who may approve, but not this.
    ok(&verdict(&other, true));
    assert_eq!(publish(json!({})).status, StatusCode::FORBIDDEN);
    ok(&verdict(&vera, true));
    // What is changed after that has to be looked at anew.
    let newer = "---\ntitle: Тариф\n---\nНовое.\nДва.\nТри.\n";
    let base_digest = digest(&anna, path);
    let file = json!({"path": path, "base": base_digest, "text": newer, "version": 1});
    ok(&anna.ask("PATCH", &format!("/api/v1/drafts/{id}"), Some(&json!({"files": [file]}))));
    assert_eq!(publish(json!({})).status, StatusCode::FORBIDDEN);
    let moved = vera.json(&format!("/api/v1/reviews/{id}"));
    assert_eq!(moved["review"]["remarks"][0]["line"], 6);
    let stale = json!({"approved": true, "contents": review["review"]["contents"], "note": ""});
    assert_eq!(vera.post(&format!("/api/v1/reviews/{id}/verdicts"), &stale).status, StatusCode::CONFLICT);
    ok(&verdict(&vera, true));
    // In its time as well, and then by itself.
    ok(&publish(json!({path: 2})));
    assert!(std::fs::read_to_string(base.path(path)).unwrap().contains("Новое."));
    let log = root.json("/api/v1/audit?limit=50").to_string();
    assert!(log.contains("content.approved") && log.contains("content.returned"), "{log}");
    // Where nobody must approve, one publishes as ever; one's own draft nobody approves for oneself.
    let own = draft(&vera, "articles/pack.md", &ARTICLE.replace("100", "120"));
    ok(&vera.post(&format!("/api/v1/drafts/{own}/review"), &json!({})));
    let contents = vera.json(&format!("/api/v1/reviews/{own}"))["review"]["contents"].clone();
    let said = json!({"approved": true, "contents": contents, "note": ""});
    assert_eq!(vera.post(&format!("/api/v1/reviews/{own}/verdicts"), &said).status, StatusCode::BAD_REQUEST);
    ok(&vera.post(&format!("/api/v1/drafts/{own}/publish"), &json!({})));
}

#[test]
fn what_nobody_approved_does_not_go_live_in_its_time() {
    let base = base();
    let (served, clock) = unhurried(&base);
    let anna = served.person("anna", &[Role::Editor], &[]);
    let path = "articles/tariffs/one.md";
    let id = draft(&anna, path, "---\ntitle: Тариф\n---\nРано.\n");
    let at = (clock.now() + SignedDuration::from_secs(60)).to_string();
    ok(&anna.post(&format!("/api/v1/drafts/{id}/publish"), &json!({"at": at})));
    clock.advance(SignedDuration::from_secs(61));
    served.wait_until("it is told", |_| told(&anna) == ["not-published"]);
    let fault = anna.json(&format!("/api/v1/drafts/{id}"))["fault"].as_str().unwrap().to_owned();
    assert!(fault.contains("0 of 1") && fault.contains("Отдел тарифов"), "{fault}");
    assert!(!std::fs::read_to_string(base.path(path)).unwrap().contains("Рано"));
}

#[test]
fn a_must_read_is_read_by_whom_it_concerns() {
    let base = base();
    let served = base.start();
    let root = served.person("root", &[Role::Administrator], &[]);
    let anna = served.person("anna", &[Role::Editor], &[]);
    let oleg = served.person("oleg", &[Role::Operator], &[]);
    let lena = served.person("lena", &[Role::Lead], &[]);
    let partner = served.person("partner", &[Role::Operator], &["partners"]);
    served.wait_until("history begins", |_| {
        anna.get("/api/v1/history/articles/pack.md").status == StatusCode::OK
    });
    let text = ARTICLE.replace("100 рублей", "120 рублей").replace("Тайна 41", "Тайна 43");
    let change = json!({"base": digest(&anna, "articles/pack.md"), "text": text});
    ok(&anna.ask("PUT", "/api/v1/sources/articles/pack.md", Some(&change)));
    let question = json!({"text": "Сколько стоит?", "choices": ["100", "120"], "right": 1});
    let wrong = json!({"article": "pack", "question": {"text": "?", "choices": ["100"], "right": 1}});
    assert_eq!(anna.post("/api/v1/must-reads", &wrong).status, StatusCode::BAD_REQUEST);
    let new =
        json!({"article": "pack", "note": "Новая цена", "audience": ["operator"], "question": question});
    let id = ok(&anna.post("/api/v1/must-reads", &new))["id"].as_str().unwrap().to_owned();
    assert_eq!(oleg.post("/api/v1/must-reads", &new).status, StatusCode::FORBIDDEN);
    assert_eq!((told(&oleg), told(&lena)), (vec!["must-read".to_owned()], Vec::new()));
    assert!(oleg.get("/articles/pack").text.contains(&format!("/must-read/{id}")));
    assert!(!lena.get("/articles/pack").text.contains("/must-read/"));
    // What is new, as far as one may read it.
    let address = format!("/api/v1/must-reads/{id}");
    let shown = oleg.json(&address);
    let sections = shown["sections"].to_string();
    assert!(sections.contains("120") && !sections.contains("Тайна"), "{sections}");
    assert!(partner.json(&address)["sections"].to_string().contains("43"));
    assert!(!shown.to_string().contains("right"), "the answer is not told: {shown}");
    let acknowledge = |who: &Visitor<'_>, body: Value| who.post(&format!("{address}/acknowledgement"), &body);
    assert_eq!(acknowledge(&oleg, json!({"answer": 0})).status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(acknowledge(&lena, json!({"answer": 1})).status, StatusCode::NOT_FOUND);
    ok(&acknowledge(&oleg, json!({"answer": 1})));
    assert_eq!(told(&oleg), [""; 0]);
    assert!(!oleg.get("/articles/pack").text.contains("/must-read/"));
    // Leads see who has not.
    let readers = lena.json(&format!("{address}/readers"))["readers"].clone();
    let of =
        |at: usize| (readers[at]["name"].as_str().unwrap(), readers[at]["acknowledgement"]["proof"].as_str());
    assert_eq!([of(0), of(1)], [("partner", None), ("oleg", Some("answer"))]);
    assert_eq!(oleg.get(&format!("{address}/readers")).status, StatusCode::FORBIDDEN);
    let all = lena.json("/api/v1/must-reads?all=true")["must_reads"].clone();
    assert_eq!((&all[0]["read"], &all[0]["wanted"]), (&json!(1), &json!(2)));
    // Changed again, it is told from what one read last.
    let change =
        json!({"base": digest(&anna, "articles/pack.md"), "text": text.replace("120 рублей", "150 рублей")});
    ok(&anna.ask("PUT", "/api/v1/sources/articles/pack.md", Some(&change)));
    let again = json!({"article": "pack", "audience": ["operator"], "with_code": true});
    let second = ok(&anna.post("/api/v1/must-reads", &again))["id"].as_str().unwrap().to_owned();
    assert_eq!(oleg.get(&address).status, StatusCode::NOT_FOUND, "the later one stands for both");
    let sections = oleg.json(&format!("/api/v1/must-reads/{second}"))["sections"].to_string();
    assert!(sections.contains("120") && sections.contains("150") && !sections.contains("100"), "{sections}");
    // By word alone it is not signed; without mail and second factor it cannot be.
    let by_word =
        oleg.post(&format!("/api/v1/must-reads/{second}/acknowledgement"), &json!({"code": "123456"}));
    assert_eq!(by_word.status, StatusCode::FORBIDDEN);
    assert_eq!(
        oleg.post(&format!("/api/v1/must-reads/{second}/code"), &json!({})).status,
        StatusCode::CONFLICT
    );
    // What one may not read, one does not have to.
    let shut = ok(&root.post("/api/v1/must-reads", &json!({"article": "shut"})))["id"].clone();
    let shut = shut.as_str().unwrap();
    assert!(!ids(&oleg.json("/api/v1/must-reads")["must_reads"], "id").contains(&shut.to_owned()));
    assert!(ids(&partner.json("/api/v1/must-reads")["must_reads"], "id").contains(&shut.to_owned()));
    assert_eq!(lena.get(&format!("/api/v1/must-reads/{shut}")).status, StatusCode::NOT_FOUND);
    assert!(!lena.get("/must-read?all=1").text.contains("Закрыто"));
    ok(&anna.ask("DELETE", &format!("/api/v1/must-reads/{shut}"), None));
    assert!(!ids(&partner.json("/api/v1/must-reads")["must_reads"], "id").contains(&shut.to_owned()));
}

#[test]
fn feedback_is_answered_and_closed() {
    let base = base();
    let served = base.start();
    let root = served.person("root", &[Role::Administrator], &[]);
    let anna = served.person("anna", &[Role::Editor], &[]);
    let boris = served.person("boris", &[Role::Editor], &[]);
    let oleg = served.person("oleg", &[Role::Operator], &[]);
    let other = served.person("other", &[Role::Operator], &[]);
    team(&root, "Отдел тарифов", &[&anna]);
    let say = json!({"article": "pack", "anchor": "price", "quote": "Стоит 100 рублей.", "kind": "wrong", "body": "Уже 120."});
    let thread = ok(&oleg.post("/api/v1/feedback", &say))["thread"].clone();
    let address = format!("/api/v1/feedback/{}", thread["id"].as_str().unwrap());
    assert_eq!((told(&anna), told(&boris)), (vec!["feedback".to_owned()], Vec::new()));
    assert_eq!(other.get(&address).status, StatusCode::NOT_FOUND, "it is between the two");
    assert_eq!(
        ids(
            &anna.json("/api/v1/feedback?owner=отдел тарифов".replace(' ', "%20").as_str())["threads"],
            "article"
        ),
        ["pack"]
    );
    assert_eq!(anna.json("/api/v1/feedback?owner=boris")["threads"], json!([]));
    ok(&anna.post(&format!("{address}/posts"), &json!({"body": "Спасибо, исправлено.", "resolved": true})));
    assert_eq!(told(&oleg), ["feedback-answered"]);
    // Reading the thread is seeing the notice.
    assert!(oleg.get(&format!("/feedback/{}", thread["id"].as_str().unwrap())).text.contains("исправлено"));
    assert_eq!(told(&oleg), [""; 0]);
    assert_eq!(anna.json("/api/v1/feedback")["threads"], json!([]));
    assert_eq!(anna.json("/api/v1/feedback?state=resolved")["threads"].as_array().unwrap().len(), 1);
    ok(&oleg.post(&format!("{address}/posts"), &json!({"resolved": false, "body": "Не везде."})));
    assert_eq!(other.post(&format!("{address}/posts"), &json!({"body": "я"})).status, StatusCode::NOT_FOUND);
    // Discussions are for all who may read the article; closing them is not.
    let talk = json!({"article": "pack", "kind": "discussion", "body": "Как объяснять?"});
    let talk = ok(&oleg.post("/api/v1/feedback", &talk))["thread"]["id"].as_str().unwrap().to_owned();
    ok(&other.post(&format!("/api/v1/feedback/{talk}/posts"), &json!({"body": "Так."})));
    let closing = json!({"body": "", "resolved": true});
    assert_eq!(other.post(&format!("/api/v1/feedback/{talk}/posts"), &closing).status, StatusCode::FORBIDDEN);
    // Nobody says something of what he may not read, or learns that it is there.
    for about in [
        json!({"article": "shut", "kind": "wrong", "body": "?"}),
        json!({"article": "none", "kind": "wrong", "body": "?"}),
        json!({"article": "pack", "anchor": "partners", "kind": "wrong", "body": "?"}),
    ] {
        assert_eq!(oleg.post("/api/v1/feedback", &about).status, StatusCode::NOT_FOUND, "{about}");
    }
    // Who is erased has said it no more.
    assert_eq!(
        root.ask("DELETE", &format!("/api/v1/people/{}", oleg.id), None).status,
        StatusCode::NO_CONTENT
    );
    let left = anna.get(&address).text;
    assert!(left.contains("Уже 120.") && !left.contains("oleg") && !left.contains(&oleg.id), "{left}");
}

#[test]
fn each_is_told_in_the_ways_he_chose() {
    let base = base();
    let served = base.start();
    let anna = served.person("anna", &[Role::Editor], &[]);
    let oleg = served.person("oleg", &[Role::Operator], &[]);
    let off = json!({"kind": "feedback", "on_desk": false, "by_mail": false});
    ok(&anna.ask("PUT", "/api/v1/me/notices/choices", Some(&off)));
    let say = json!({"article": "pack", "kind": "missing", "body": "Нет роуминга"});
    ok(&oleg.post("/api/v1/feedback", &say));
    assert_eq!(told(&anna), [""; 0]);
    let on = json!({"kind": "feedback", "on_desk": true, "by_mail": false});
    ok(&anna.ask("PUT", "/api/v1/me/notices/choices", Some(&on)));
    ok(&oleg.post("/api/v1/feedback", &say));
    assert_eq!(told(&anna), ["feedback"]);
    assert!(anna.get("/notices").text.contains("Пакет"));
    ok(&anna.post("/api/v1/me/notices/seen", &json!({})));
    assert_eq!(anna.json("/api/v1/me/notices")["unseen"], 0);
    assert_eq!(
        anna.ask(
            "PUT",
            "/api/v1/me/notices/choices",
            Some(&json!({"kind": "weather", "on_desk": true, "by_mail": true}))
        )
        .status,
        StatusCode::BAD_REQUEST
    );
}

/// A program that answers each request with the next of some statuses, and hands over what it was told: headers and body.
fn program(statuses: &'static [u16]) -> (String, mpsc::Receiver<(Vec<String>, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook?key=1", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for status in statuses {
            let Ok((stream, _)) = listener.accept() else { return };
            let mut reader = BufReader::new(stream);
            let mut headers = Vec::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let line = line.trim_end().to_owned();
                if line.is_empty() {
                    break;
                }
                headers.push(line);
            }
            let length = headers
                .iter()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).unwrap();
            let mut stream = reader.into_inner();
            write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            let _ = tell.send((headers, String::from_utf8(body).unwrap()));
        }
    });
    (address, told)
}

#[test]
fn programs_are_told_signed_and_again_until_they_answer() {
    let base = base();
    let (served, clock) = unhurried(&base);
    let root = served.person("root", &[Role::Administrator], &[]);
    let oleg = served.person("oleg", &[Role::Operator], &[]);
    let (address, told) = program(&[500, 200, 410]);
    for wrong in ["ftp://example.org", "example.org", "http://"] {
        let reply = root.post("/api/v1/hooks", &json!({"url": wrong, "kinds": ["feedback"]}));
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let made = ok(&root.post("/api/v1/hooks", &json!({"url": address, "kinds": ["feedback"]})));
    let (id, secret) = (made["hook"]["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(!root.get("/api/v1/hooks").text.contains(secret), "the secret is shown once");
    assert_eq!(oleg.get("/api/v1/hooks").status, StatusCode::FORBIDDEN);
    let say = |body: &str| {
        ok(&oleg.post("/api/v1/feedback", &json!({"article": "pack", "kind": "wrong", "body": body})))
    };
    say("раз");
    let patience = std::time::Duration::from_secs(60);
    let first = told.recv_timeout(patience).unwrap();
    // Five seconds later, as it is known to be: with the same id.
    let log = || root.json(&format!("/api/v1/hooks/{id}/deliveries"))["deliveries"][0].clone();
    served.wait_until("the fault is noted", |_| log()["status"] == 500);
    clock.advance(SignedDuration::from_secs(5));
    let second = told.recv_timeout(patience).unwrap();
    let header = |request: &(Vec<String>, String), name: &str| -> String {
        let of = request.0.iter().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        of.unwrap_or_else(|| panic!("{name} is not in {:?}", request.0))
    };
    assert_eq!(header(&first, "webhook-id: "), header(&second, "webhook-id: "));
    assert_eq!(first.1, second.1);
    let body: Value = serde_json::from_str(&second.1).unwrap();
    assert_eq!((&body["type"], &body["data"]["title"]), (&json!("feedback"), &json!("Пакет")));
    let webhook = standardwebhooks::Webhook::new(secret).unwrap();
    let timestamp: i64 = header(&second, "webhook-timestamp: ").parse().unwrap();
    let signature = webhook.sign(&header(&second, "webhook-id: "), timestamp, second.1.as_bytes()).unwrap();
    assert_eq!(header(&second, "webhook-signature: "), signature);
    served.wait_until("it is noted as taken", |_| log()["status"] == 200);
    assert_eq!((&log()["tries"], &log()["next_at"]), (&json!(2), &Value::Null));
    // Who is gone is told no more.
    say("два");
    told.recv_timeout(patience).unwrap();
    served.wait_until("it is noted as gone", |_| root.json("/api/v1/hooks")["hooks"][0]["active"] == false);
    assert!(root.get(&format!("/admin/hooks?hook={id}")).text.contains("410"));
    ok(&root.ask("DELETE", &format!("/api/v1/hooks/{id}"), None));
}
