//! The pages of people in real Chromium: coming in, inviting, one's own account, administration.

use fantoccini::key::Key;
use serde_json::json;

use crate::browser::{DESKTOP, PHONE, Page, on_base, sample};
use crate::harness::Base;
use crate::quality::{axe, look_at, violations};

const PASSWORD: &str = "верблюд под зелёной скамейкой";

/// The sample base with an administrator, and the secret of the invitation.
pub fn invited() -> (Base, String) {
    let base = sample();
    let output = base
        .command("people")
        .args(["add", "admin", "--role", "administrator", "--name", "Ольга Смирнова"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    (base, told.trim().rsplit('#').next().unwrap().to_owned())
}

pub async fn choose_password(page: &Page, secret: &str) {
    page.goto("/health/live").await;
    page.goto(&format!("/welcome#{secret}")).await;
    page.until(
        "it is told whose link it is",
        "return document.querySelector('[data-invited]').textContent.includes('(')",
    )
    .await;
    assert_eq!(page.eval("return location.hash").await, json!(""), "the secret stays in the address");
    page.fill("[name=password]", PASSWORD).await;
    page.press(Key::Enter).await;
    page.until(
        "one is on the desk",
        "return location.pathname === '/' && document.querySelector('#q') !== null",
    )
    .await;
}

pub async fn sign_in(page: &Page, login: &str) {
    page.fill("[name=login]", login).await;
    page.fill("[name=password]", PASSWORD).await;
    page.press(Key::Enter).await;
}

#[test]
fn people_come_in_and_are_invited() {
    let (base, secret) = invited();
    on_base(base, &[], DESKTOP, async |page| {
        // Who is not signed in is sent to do so, and then on to where he was going.
        page.goto("/articles/sms/monthly").await;
        page.until("one is asked to sign in", "return location.pathname === '/sign-in'").await;
        page.shoot("sign-in").await;
        sign_in(page, "admin").await;
        page.until(
            "it is told what is wrong",
            "return document.querySelector('[role=alert]').textContent.length > 5",
        )
        .await;
        page.shoot("sign-in-wrong").await;
        page.check_faults().await;
        choose_password(page, &secret).await;
        page.shoot("desk").await;
        page.goto("/account").await;
        page.until(
            "the account is shown",
            "return document.querySelector('h1').textContent.includes('Ольга')",
        )
        .await;
        page.shoot("account").await;
        page.goto("/admin/people").await;
        let form = "form[data-api='/api/v1/people']";
        page.fill(&format!("{form} [name=login]"), "anna").await;
        page.fill(&format!("{form} [name=name]"), "Анна Петрова").await;
        page.fill(&format!("{form} [name=audiences]"), "b2b, vip").await;
        page.click(&format!("{form} [name=roles][value=operator]")).await;
        page.click(&format!("{form} [type=submit]")).await;
        page.until("a link is shown", "return !document.querySelector('[data-shown=invited]').hidden").await;
        page.shoot("admin-people").await;
        let link = page.text("[data-field=link]").await;
        assert!(link.starts_with(&format!("http://{}/welcome#", page.address())), "{link}");
        page.goto("/admin/audit").await;
        assert!(page.text("tbody").await.contains("person.added"));
        page.check_faults().await;
        page.goto("/account").await;
        page.eval("document.querySelector('[data-signs-out]').click()").await;
        page.until("one is out", "return location.pathname === '/sign-in'").await;
        // The invited one comes in, and keeps things on the account.
        choose_password(page, link.rsplit('#').next().unwrap()).await;
        page.goto("/?open=articles/sms/monthly").await;
        page.until("the article is open", "return document.querySelector('#reader .article') !== null").await;
        page.eval("document.querySelector('#reader').focus()").await;
        page.keys("f").await;
        let is_kept = "return fetch('/api/v1/me/kept').then(r => r.json()).then(k => (k.kept.favourites ?? []).some(f => f.id === 'sms/monthly'))";
        page.until("it is kept on the account", is_kept).await;
        assert_eq!(page.eval("return document.querySelector('[data-nav=admin]')").await, json!(null));
        page.goto("/account").await;
        page.eval("document.querySelector('[data-signs-out]').click()").await;
        page.until("one is out", "return location.pathname === '/sign-in'").await;
        // Nothing is left in the browser for the next one, and everything is back for the same one.
        let left = "return JSON.stringify([Object.keys(localStorage), Object.keys(sessionStorage)])";
        assert_eq!(page.eval(left).await, json!("[[],[]]"));
        assert_eq!(page.eval("return caches.keys().then(k => k.length)").await, json!(0));
        sign_in(page, "anna").await;
        page.until("one is in", "return location.pathname === '/'").await;
        page.goto("/mine").await;
        page.until(
            "favourites are back",
            "return document.querySelector('[data-list=favourites]').textContent.includes('SMS')",
        )
        .await;
        // A session that was ended elsewhere: the desk asks to sign in, and leads back.
        page.goto("/?q=смс").await;
        page.eval("return fetch('/api/v1/session', { method: 'DELETE' }).then(() => 1)").await;
        page.eval("document.querySelector('#q').focus()").await;
        page.keys(" пакет").await;
        page.until("one is asked to sign in", "return location.pathname === '/sign-in'").await;
        sign_in(page, "anna").await;
        page.until("one is back", "return location.pathname === '/' && location.search.includes('q=')").await;
    });
}

#[test]
fn a_second_factor_is_set_up_on_the_page() {
    let (base, secret) = invited();
    on_base(base, &[], DESKTOP, async |page| {
        choose_password(page, &secret).await;
        page.goto("/account").await;
        page.fill("form[data-shows=second-factor] [name=password]", PASSWORD).await;
        page.press(Key::Enter).await;
        page.until(
            "the key is shown",
            "return document.querySelector('[data-field=secret]').textContent.length > 20",
        )
        .await;
        assert_eq!(
            page.eval("return document.querySelector('[data-picture]').naturalWidth > 0").await,
            json!(true)
        );
        page.shoot("second-factor").await;
        let key = page.text("[data-shown=second-factor] [data-field=secret]").await;
        let code = |ahead: u64| {
            let secret = totp_rs::Secret::try_from_base32(key.trim()).unwrap();
            let totp = totp_rs::Builder::new().with_secret(secret).with_account_name("x").build().unwrap();
            let now = pharos::clock::Clock::system(jiff::tz::TimeZone::UTC).now().as_second();
            totp.generate(u64::try_from(now).unwrap() + ahead).to_string()
        };
        page.fill("form[data-shows=recovery] [name=code]", &code(0)).await;
        page.press(Key::Enter).await;
        page.until(
            "codes for recovery are shown",
            "return document.querySelector('[data-field=codes]').textContent.split('\\n').length === 10",
        )
        .await;
        let recovery = page
            .eval("return document.querySelector('[data-field=codes]').textContent.split('\\n')[0]")
            .await;
        page.eval("document.querySelector('[data-signs-out]').click()").await;
        page.until("one is out", "return location.pathname === '/sign-in'").await;
        sign_in(page, "admin").await;
        page.until("a code is asked for", "return !document.querySelector('[data-when]').hidden").await;
        page.keys("000000").await;
        page.press(Key::Enter).await;
        page.until("it is wrong", "return document.querySelector('[role=alert]').textContent.length > 0 && !document.querySelector('[role=alert]').hidden").await;
        page.fill("[name=code]", recovery.as_str().unwrap()).await;
        page.press(Key::Enter).await;
        page.until("one is in", "return location.pathname === '/'").await;
        page.check_faults().await;
    });
}

#[test]
fn pages_of_people_break_no_rule_of_axe() {
    let Some(axe) = axe() else { return };
    for look in [DESKTOP, PHONE] {
        let (base, secret) = invited();
        let width = look.width;
        on_base(base, &[], look, async |page| {
            let mut found = Vec::new();
            for path in ["/sign-in", "/welcome"] {
                page.goto(path).await;
                found.extend(violations(page, &axe).await.into_iter().map(|what| format!("{path}: {what}")));
            }
            choose_password(page, &secret).await;
            page.eval("const send = (method, path, body) => fetch(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }).then(r => r.json()); \
                window.made = null; (async () => { const team = await send('POST', '/api/v1/teams', { name: 'Операторы Москвы', roles: ['operator'], audiences: ['b2b'], region: 'moscow' }); \
                const anna = await send('POST', '/api/v1/people', { login: 'anna', name: 'Анна Петрова', roles: ['operator', 'lead'], teams: [team.id] }); \
                await send('POST', '/api/v1/me/tokens', { name: 'CRM', scopes: ['read'], days: 30, password: 'верблюд под зелёной скамейкой' }); \
                window.made = [team.id, anna.person.id]; })()").await;
            page.until("they are made", "return window.made !== null").await;
            let made = page.eval("return window.made").await;
            let (team, person) = (made[0].as_str().unwrap(), made[1].as_str().unwrap());
            const HEADING: &str = "return document.querySelector('main h1') !== null";
            let pages = [
                ("account", "/account".to_owned(), HEADING),
                ("people", "/admin/people".to_owned(), HEADING),
                ("person", format!("/admin/people/{person}"), HEADING),
                ("teams", "/admin/teams".to_owned(), HEADING),
                ("team", format!("/admin/teams/{team}"), HEADING),
                ("roles", "/admin/roles".to_owned(), HEADING),
                ("tokens", "/admin/tokens".to_owned(), HEADING),
                ("audit", "/admin/audit".to_owned(), HEADING),
                ("health", "/admin/health".to_owned(), HEADING),
            ];
            for theme in ["light", "dark"] {
                found.extend(look_at(page, &axe, theme, width, &pages).await);
            }
            assert_eq!(found, Vec::<String>::new(), "axe: {found:#?}");
        });
    }
}
