//! The operator's desk in real Chromium: a call from the first letter to the copied answer.

use fantoccini::key::Key;
use serde_json::json;

use crate::browser::{DESKTOP, Look, PHONE, Page, on_base, on_desk, sample};

const FIRST_CHOSEN: &str = "return document.querySelector('.hit[aria-selected=true]')?.id === 'hit-1'";

/// Types a query letter by letter and waits for its results.
async fn search(page: &Page, text: &str) {
    page.eval("document.querySelector('#q').focus(); document.querySelector('#q').select()").await;
    for letter in text.chars() {
        page.keys(&letter.to_string()).await;
    }
    let shown = format!("return document.querySelector('.count')?.dataset.query === {}", json!(text));
    page.until("the last letter is answered", &shown).await;
}

#[test]
fn an_operator_types_reads_and_goes_back() {
    on_desk(DESKTOP, async |page| {
        // The field has the focus; a code is answered in large type.
        page.keys("* 155 * 97 #").await;
        page.until(
            "the code is answered",
            "return document.querySelector('.answer')?.textContent.includes('Проверить: 100 SMS') ?? false",
        )
        .await;
        assert!(page.text(".answer .code").await.contains("*155*97#"));
        assert!(page.text(".answer .as-of").await.contains("20"));

        // A slip and the other keyboard layout are read as what was meant, and told; there is a way back.
        search(page, "gjlrk.xbnm gfrtn cvc").await;
        page.until(
            "the layout is corrected",
            "return document.querySelector('.corrected strong')?.textContent.includes('подключить') ?? false",
        )
        .await;
        search(page, "подклчить пакет").await;
        page.until("the slip is corrected", "return (document.querySelector('.corrected')?.textContent.includes('подклчить') ?? false) && document.querySelectorAll('.hit').length > 0").await;
        page.click(".corrected a").await;
        page.until(
            "the query is taken as it is",
            "return location.search.includes('verbatim=true') && !document.querySelector('.corrected')",
        )
        .await;

        // The combobox: arrows choose and tell which, Enter opens beside the results, the field keeps the focus.
        search(page, "подключить пакет").await;
        page.press(Key::Down).await;
        page.until("the first hit is chosen", FIRST_CHOSEN).await;
        page.press(Key::Down).await;
        page.press(Key::Up).await;
        page.until("it is chosen again", FIRST_CHOSEN).await;
        assert_eq!(page.eval("const q = document.querySelector('#q'); return [q.getAttribute('aria-activedescendant'), q.getAttribute('aria-expanded'), q.getAttribute('role')]").await, json!(["hit-1", "true", "combobox"]));
        page.press(Key::Enter).await;
        page.until("the article is open", "return document.querySelector('#reader .article') !== null && new URLSearchParams(location.search).has('open')").await;
        assert_eq!(page.eval("return document.activeElement.id").await, json!("q"));
        page.until("the count was told", "return document.querySelector('#status').textContent !== ''").await;

        // The address holds all of it: a reload shows the same.
        let title = page.text("#reader h1").await;
        page.reload().await;
        page.until("the reload shows the same", &format!("return document.querySelector('#reader h1')?.textContent === {} && document.querySelectorAll('.hit').length > 0 && document.querySelector('#q').value === 'подключить пакет'", json!(title))).await;

        // A facet narrows, and the way back widens again.
        let before = page.eval("return Number(document.querySelector('.count').dataset.count)").await;
        page.click(".chip[data-facet=kind]").await;
        page.until("the facet is in the address", "return location.search.includes('kind=') && document.querySelector('.chip[data-facet=kind][aria-current]') !== null").await;
        assert!(
            page.eval("return Number(document.querySelector('.count').dataset.count)").await.as_u64()
                < before.as_u64()
        );
        page.back().await;
        page.until("the way back widens", &format!("return !location.search.includes('kind=') && Number(document.querySelector('.count').dataset.count) === {before}")).await;
        page.back().await;
        page.until(
            "the way back closes the article",
            "return document.querySelector('#reader .article') === null",
        )
        .await;

        // Nothing found: what is near, and a word to the editors, which is recorded.
        search(page, "*987*65#").await;
        page.until("nothing is found", "return document.querySelector('.nothing form.gap') !== null").await;
        page.click(".gap textarea").await;
        page.keys("код от конкурента").await;
        page.click(".gap button").await;
        page.until(
            "the editors were told",
            "return document.querySelector('form.gap').textContent.includes('Редакторы увидят')",
        )
        .await;
        let gaps = page.process.as_ref().unwrap().json("/api/v1/gaps");
        assert_eq!(
            (&gaps["gaps"][0]["query"], &gaps["gaps"][0]["notes"][0]),
            (&json!("*987*65#"), &json!("код от конкурента"))
        );
        page.check_faults().await;
    });
}

#[test]
fn an_older_reply_never_overwrites_a_newer_one() {
    on_desk(DESKTOP, async |page| {
        // The reply to the first letters comes late, the others at once.
        page.eval("const real = window.fetch; window.fetch = async (url, options) => { const isSlow = String(url).endsWith('q=%D1%81%D0%BC'); \
            const reply = await real(url, isSlow ? { ...options, signal: undefined } : options); if (isSlow) await new Promise(done => setTimeout(done, 700)); return reply; }").await;
        page.keys("с").await;
        page.keys("м").await;
        page.keys("с свобода").await;
        page.until(
            "the last is shown",
            "return document.querySelector('.count')?.dataset.query === 'смс свобода'",
        )
        .await;
        tokio::time::sleep(std::time::Duration::from_millis(900)).await;
        assert_eq!(
            page.eval("return document.querySelector('.count').dataset.query").await,
            json!("смс свобода")
        );
    });
}

#[test]
fn what_is_opened_and_copied_waits_for_its_answer() {
    on_desk(DESKTOP, async |page| {
        search(page, "поддержка").await;
        // Replies come late: whoever types on and presses Enter at once means what was typed, not what is still shown.
        page.eval("const real = window.fetch; window.fetch = async (url, options) => { await new Promise(done => setTimeout(done, 400)); return real(url, options); }").await;
        page.eval("document.querySelector('#q').select()").await;
        page.keys("подключить 300 смс").await;
        page.chord(Key::Alt, "2").await;
        page.chord(Key::Shift, &Key::Enter.to_string()).await;
        page.until("the wordings of the right article open", "return document.querySelector('.wordings')?.dataset.article === 'sms/monthly' && document.querySelector('.wording.is-open') !== null").await;
        // The text of the other channel is not there yet: it is waited for.
        page.until(
            "the first text is there",
            "return document.querySelector('.wording.is-open .text-of').value !== ''",
        )
        .await;
        page.chord(Key::Alt, "1").await;
        page.eval("document.querySelector('.wording.is-open .pick').focus()").await;
        page.press(Key::Enter).await;
        page.until("it is copied", "return document.querySelector('.toast.is-shown') !== null").await;
        let (text, _) = page.clipboard().await;
        let shown = page.eval("return document.querySelector('.wording.is-open .text-of').value").await;
        assert_eq!(json!(text.replace('\u{a0}', " ")), json!(shown.as_str().unwrap().replace('\u{a0}', " ")));
        assert!(text.contains("Здравствуйте"), "the chat is longer than the SMS: {text}");
        page.check_faults().await;
    });
}

#[test]
fn a_wording_is_copied_within_twelve_keys() {
    on_desk(DESKTOP, async |page| {
        page.eval("window.pressed = 0; addEventListener('keydown', () => { window.pressed += 1; }, true)")
            .await;
        search(page, "подключить 300 смс").await;
        let typed = page.eval("return window.pressed").await.as_u64().unwrap();
        // The channel, the wordings of the best hit, the copy.
        page.chord(Key::Alt, "2").await;
        page.chord(Key::Shift, &Key::Enter.to_string()).await;
        page.until("the wording is ready", "return document.querySelector('.wording.is-open .text-of')?.value.includes('*155*981#') ?? false").await;
        page.press(Key::Enter).await;
        page.until(
            "it is copied",
            "return document.querySelector('.toast.is-shown')?.textContent.includes('SMS') ?? false",
        )
        .await;
        let all = page.eval("return window.pressed").await.as_u64().unwrap();
        let (text, _) = page.clipboard().await;
        assert!(text.contains("*155*981#") && text.contains("200"), "{text}");
        assert!(all - typed <= 12, "{} keys beyond the query", all - typed);
        eprintln!("{} keys beyond the query", all - typed);
        page.check_faults().await;
    });
}

#[test]
fn values_are_asked_for_once_and_remembered_for_the_call() {
    on_desk(DESKTOP, async |page| {
        // A required value that is not known blocks the copy and says which; the form asks for it.
        page.goto("/?q=пакет на тарифе&wording=sms/tariff-not-eligible").await;
        page.until("what is missing is told", "return document.querySelector('.wording.is-open .blocked')?.textContent.includes('Тариф клиента') ?? false").await;
        page.press(Key::Enter).await;
        page.until("it is asked for", "return document.activeElement.name === 'tariff'").await;
        page.keys("Чёрный").await;
        page.until("it can go out", "return document.querySelector('.wording.is-open .blocked').hidden && document.querySelector('.wording.is-open .text-of').value.includes('Чёрный')").await;
        page.press(Key::Enter).await;
        page.until("it is copied", "return document.querySelector('.toast.is-shown') !== null").await;
        let (chat, _) = page.clipboard().await;
        assert!(chat.contains("Чёрный"), "{chat}");

        // The same wording as an e-mail, formatted, with the value remembered.
        page.chord(Key::Alt, "3").await;
        page.until("it is filled in as an e-mail", "return document.querySelector('.wording.is-email .html-of')?.textContent.includes('Чёрный') ?? false").await;
        page.eval("document.querySelector('.toast').classList.remove('is-shown'); document.querySelector('.wording.is-open .pick').focus()").await;
        page.press(Key::Enter).await;
        page.until("it is copied", "return document.querySelector('.toast.is-shown') !== null").await;
        let (plain, html) = page.clipboard().await;
        assert!(
            plain.contains("Чёрный") && html.contains("<p") && html.contains("Чёрный"),
            "{plain} / {html}"
        );

        // Characters and segments are counted as one types, by the rules of the server.
        page.chord(Key::Alt, "2").await;
        page.until(
            "it is filled in as an SMS",
            "return document.querySelector('.wording.is-open .measure').textContent.includes('UCS-2')",
        )
        .await;
        page.click(".wording.is-open .text-of").await;
        for text in ["", "plain", "€uro [x]", "ж", &"я".repeat(71), &"a".repeat(161), "тест 😀"] {
            page.eval(&format!("const area = document.querySelector('.wording.is-open .text-of'); area.value = {}; area.dispatchEvent(new Event('input', {{ bubbles: true }}))", json!(text))).await;
            let shown = page.text(".wording.is-open .measure").await;
            let length = pharos::answers::sms::measure(text);
            let expected = if text.is_empty() {
                String::new()
            } else {
                format!("{} · {} зн. · {} SMS", length.encoding, length.characters, length.segments)
            };
            assert_eq!(shown, expected);
        }

        // One key ends the call: nothing of the customer is left, neither shown nor kept.
        page.chord(Key::Alt, "x").await;
        page.until("the customer is forgotten", "return document.querySelector('form.customer [name=tariff]').value === '' && !JSON.stringify({...sessionStorage, ...localStorage}).includes('Чёрный')").await;
        page.until(
            "the wording asks again",
            "return !document.querySelector('.wording.is-open .blocked').hidden",
        )
        .await;
        // It never stood in an address.
        assert_eq!(page.eval("return performance.getEntriesByType('resource').some(r => decodeURIComponent(r.name).includes('Чёрный'))").await, json!(false));
        page.press(Key::Escape).await;
        page.until("the wordings are closed", "return document.querySelector('#wordings').hidden").await;
        page.check_faults().await;
    });
}

#[test]
fn what_is_shown_is_of_this_customer_and_no_other() {
    on_desk(DESKTOP, async |page| {
        // A region chosen by a chip is this customer's: bar, results, article and wording are of it.
        page.goto("/?q=смс&region=moscow").await;
        page.until(
            "the bar shows the region",
            "return document.querySelector('form.customer').elements.region.value === 'moscow'",
        )
        .await;
        page.eval("const s = document.querySelector('form.customer').elements.region; s.value = ''; s.dispatchEvent(new Event('input', { bubbles: true }))").await;
        page.until("all regions again", "return !new URLSearchParams(location.search).get('region') && document.querySelector('form.customer').elements.region.value === ''").await;
        // Two keys in one breath: the wordings are on their way, and the second one copies.
        search(page, "подключить 300 смс").await;
        page.eval("const real = window.fetch; window.fetch = async (url, options) => { await new Promise(done => setTimeout(done, 300)); return real(url, options); }").await;
        page.chord(Key::Shift, &Key::Enter.to_string()).await;
        page.press(Key::Enter).await;
        page.until("it is copied", "return document.querySelector('.toast.is-shown') !== null").await;
        assert!(page.clipboard().await.0.contains("*155*981#"));
        page.until(
            "what was used is remembered",
            "return JSON.parse(localStorage['pharos.recents']).some(item => item.kind === 'template')",
        )
        .await;
        // What was written into the text does not reach the next customer.
        page.eval("const area = document.querySelector('.wording.is-open .text-of'); area.value += ' Анна'; area.dispatchEvent(new Event('input', { bubbles: true }))").await;
        page.chord(Key::Alt, "x").await;
        page.until("the text is clean", "const text = document.querySelector('.wording.is-open .text-of').value; return text.includes('*155*981#') && !text.includes('Анна')").await;
        // A name that is taken away is gone from the form as well.
        page.eval("const n = document.querySelector('form.customer').elements.name; for (const text of ['Анна', 'А', '']) { n.value = text; n.dispatchEvent(new Event('input', { bubbles: true })); }").await;
        page.until(
            "no letter is left",
            "return document.querySelector('.wording.is-open [name=name]').value === ''",
        )
        .await;
        // Typing on closes the wordings of another article.
        page.eval("document.querySelector('#q').focus()").await;
        page.keys(" х").await;
        page.until(
            "the wordings are gone",
            "return document.querySelector('#wordings').hidden && document.activeElement.id === 'q'",
        )
        .await;
        // The page of an article alone has the same bar and keys.
        page.goto("/articles/sms/monthly").await;
        page.chord(Key::Alt, "2").await;
        page.eval("document.activeElement.blur()").await;
        page.keys("t").await;
        page.until("the SMS is there", "return document.querySelector('.wording.is-open .measure')?.textContent.includes('SMS') ?? false").await;
        page.eval("const s = document.querySelector('form.customer').elements.region; s.value = 'moscow'; s.dispatchEvent(new Event('input', { bubbles: true }))").await;
        page.until(
            "the article is that of the region",
            "return location.pathname === '/articles/sms/monthly' && location.search === '?region=moscow'",
        )
        .await;
        // As typed, in the same place: the region stays.
        page.goto("/?q=подклчить&region=moscow&kind=procedure").await;
        page.click(".corrected a").await;
        page.until("it is taken as typed", "return location.search.includes('verbatim=true') && location.search.includes('region=moscow') && location.search.includes('kind=procedure')").await;
        page.check_faults().await;
    });
}

#[test]
fn a_flow_is_run_to_its_end_by_keys() {
    on_desk(DESKTOP, async |page| {
        search(page, "какой пакет предложить").await;
        page.eval("document.querySelector('.hit-link[href=\"/flows/flows/which-sms-package\"]').click()")
            .await;
        page.until("the flow begins", "return document.querySelector('article.flow')?.dataset.step === 'start' && document.activeElement.tagName === 'H1'").await;
        for (key, step) in [("1", "kind"), ("1", "has-monthly")] {
            page.keys(key).await;
            page.until("the next step is shown", &format!("return document.querySelector('article.flow')?.dataset.step === '{step}' && document.activeElement.tagName === 'H1'")).await;
        }
        // A step back loses nothing of what was chosen before it.
        page.press(Key::Backspace).await;
        page.until("one step back", "return document.querySelector('article.flow')?.dataset.step === 'kind' && document.querySelectorAll('.taken li').length === 1 && document.activeElement.tagName === 'H1'").await;
        for (key, step) in [("1", "has-monthly"), ("1", "monthly-size"), ("2", "connect-300")] {
            page.keys(key).await;
            page.until("the next step is shown", &format!("return document.querySelector('article.flow')?.dataset.step === '{step}' && document.activeElement.tagName === 'H1'")).await;
        }
        assert_eq!(page.eval("return [document.querySelectorAll('.taken li').length, document.querySelector('.end') !== null, document.querySelectorAll('.choice').length]").await, json!([4, true, 0]));
        page.keys("c").await;
        page.until("the note is copied", "return document.querySelector('.toast.is-shown') !== null").await;
        let (note, _) = page.clipboard().await;
        let lines: Vec<&str> = note.lines().collect();
        assert_eq!(lines.len(), 6, "{note}");
        assert!(
            lines[0] == "Какой пакет SMS предложить"
                && lines[2].contains("Каждый месяц")
                && lines[5].starts_with("5. Подключите 300"),
            "{note}"
        );
        // Each step has its own link, and the browser's way back is a step back.
        let link = page.eval("return document.querySelector('.flow .copy-link').dataset.href").await;
        assert_eq!(link, json!("/flows/flows/which-sms-package?step=connect%2D300"));
        page.back().await;
        page.until(
            "the way back",
            "return document.querySelector('article.flow')?.dataset.step === 'monthly-size'",
        )
        .await;
        page.goto(link.as_str().unwrap()).await;
        assert!(page.text(".flow h1").await.starts_with("Подключите 300"));
        page.check_faults().await;
    });
}

#[test]
fn products_are_compared_and_rules_told() {
    on_desk(DESKTOP, async |page| {
        // From a search and from an article products are put aside; the link to the comparison counts them and leads there.
        page.goto("/?q=пакеты смс на месяц&open=articles/sms/one-time").await;
        page.click(".hit[data-article='sms/monthly'] .to-compare").await;
        page.click("#reader .to-compare").await;
        page.until("they are counted", "return document.querySelector('[data-nav=compare] .news')?.textContent === '4' && document.querySelectorAll('.to-compare[aria-pressed=true]').length >= 2").await;
        page.eval("document.querySelector('[data-nav=compare]').click()").await;
        page.until(
            "all are compared",
            "return document.querySelectorAll('.compared thead th[data-product]').length === 4",
        )
        .await;
        page.click(".remove").await;
        page.until("one is taken away for good", "return document.querySelectorAll('.compared thead th[data-product]').length === 3 && document.querySelector('[data-nav=compare] .news').textContent === '3'").await;
        // From the catalogue.
        page.goto("/compare").await;
        page.click(".family a[href='/compare?products=sms-100']").await;
        page.click(".family a[href='/compare?products=sms-100,sms-plus-300']").await;
        page.click(".family a[href='/compare?products=sms-100,sms-plus-300,sms-300']").await;
        let text = page.text(".comparison").await;
        for expected in [
            "100 ₽",
            "200 ₽",
            "Не вместе с: «300 SMS в месяц»",
            "Только тарифы, открытые с 1 ноября 2021 года",
        ] {
            assert!(text.replace('\u{a0}', " ").contains(expected), "{expected}: {text}");
        }
        assert!(page.text(".banner").await.contains("вместе не подключаются"));
        assert!(page.text(".as-of").await.contains("20"));
        // Another region on another day, kept by every link of the page.
        page.eval("const f = document.querySelector('form.filter'); f.elements.as_of.value = '2027-03-01'; f.requestSubmit()").await;
        page.until("the day is chosen", "return location.search.includes('as_of=2027-03-01') && document.querySelector('.as-of')?.textContent.includes('01.03.2027')").await;
        assert_eq!(page.eval("return [...document.querySelectorAll('.remove, .family a')].every(a => a.href.includes('as_of=2027-03-01'))").await, json!(true));
        page.back().await;
        page.until("the way back", "return !location.search.includes('as_of')").await;
        // Codes are copied by a click.
        page.click(".compared .code-copy").await;
        page.until("the code is copied", "return document.querySelector('.toast.is-shown') !== null").await;
        assert!(page.clipboard().await.0.starts_with("*155*"));
        page.eval("scrollTo(0, 0)").await;
        // What is the same can be left out.
        let rows = "return [...document.querySelectorAll('.compared tbody tr')].filter(r => r.offsetHeight > 0).length";
        let all = page.eval(rows).await.as_u64().unwrap();
        page.click(".only-differences").await;
        let different = page.eval(rows).await.as_u64().unwrap();
        let same = page
            .eval("return document.querySelectorAll('.compared tbody tr.same').length")
            .await
            .as_u64()
            .unwrap();
        assert_eq!(different + same, all);
        page.click(".remove").await;
        page.until(
            "one is taken away",
            "return document.querySelectorAll('.compared thead th[data-product]').length === 2",
        )
        .await;
        page.check_faults().await;
    });
    on_desk(PHONE, async |page| {
        // Four on a phone: one swipes from one to the next, and the names of the rows stay.
        page.goto("/compare?products=sms-100,sms-300,sms-plus-100,sms-plus-300").await;
        let sizes = page.eval("const c = document.querySelector('.comparison'); const p = document.documentElement; return [c.scrollWidth > c.clientWidth * 1.5, p.scrollWidth <= p.clientWidth]").await;
        assert_eq!(sizes, json!([true, true]));
        page.eval("document.querySelector('.comparison').scrollTo(400, 0)").await;
        page.until("the names of the rows stay", "const c = document.querySelector('.comparison'); return c.scrollLeft > 100 && Math.abs(c.querySelector('tbody th').getBoundingClientRect().left - c.getBoundingClientRect().left) < 3").await;
    });
}

#[test]
fn a_saved_file_reaches_the_open_page_without_disturbing_it() {
    on_desk(Look { height: 500, ..DESKTOP }, async |page| {
        search(page, "пакеты смс на месяц").await;
        page.eval("document.querySelector('.hit[data-article=\"sms/monthly\"] .hit-link').click()").await;
        page.until(
            "the article is open",
            "return document.querySelector('#reader [data-article=\"sms/monthly\"]') !== null",
        )
        .await;
        page.eval("document.querySelector('#q').focus(); document.querySelector('#reader').scrollTop = 400; document.querySelector('#results').scrollTop = 120").await;
        page.press(Key::Down).await;
        page.press(Key::Down).await;
        let before = page.eval("return [document.querySelector('#reader').scrollTop, document.querySelector('#results').scrollTop, document.querySelector('.hit[aria-selected=true]').dataset.article]").await;
        // A price of the catalogue and a sentence of the article change on disk.
        let path = page.base.path("articles/catalog/sms.yaml");
        let catalog = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, catalog.replace("price: 100\n", "price: 117\n")).unwrap();
        page.until(
            "the new price is in the article",
            "return document.querySelector('#reader').textContent.includes('117')",
        )
        .await;
        page.until(
            "and in the results",
            "return document.querySelector('#results').textContent.includes('117')",
        )
        .await;
        let path = page.base.path("articles/sms/monthly.md");
        let article = std::fs::read_to_string(&path).unwrap();
        std::fs::write(
            &path,
            format!("{article}\n## Проверка связи {{#live}}\n\nЭто дописали только что.\n"),
        )
        .unwrap();
        page.until("the new section is there", "return document.querySelector('#live') !== null").await;
        let after = page.eval("return [document.querySelector('#reader').scrollTop, document.querySelector('#results').scrollTop, document.querySelector('.hit[aria-selected=true]').dataset.article]").await;
        assert_eq!(before, after);
        assert_eq!(
            page.eval("return [document.activeElement.id, document.querySelector('#q').value]").await,
            json!(["q", "пакеты смс на месяц"])
        );

        // What is new tells both, section by section, by product; and only what one uses, if one likes.
        page.goto("/new").await;
        let told = page.text(".changes").await.replace('\u{a0}', " ");
        assert!(
            told.contains("Проверка связи")
                && told.contains("Это дописали только что.")
                && told.contains("100 SMS в месяц"),
            "{told}"
        );
        assert_eq!(page.eval("return [...document.querySelectorAll('.diff')].some(d => d.querySelector('del')?.textContent.includes('100') && d.querySelector('ins')?.textContent.includes('117'))").await, json!(true));
        page.click(".only-mine").await;
        assert_eq!(page.eval("return [...document.querySelectorAll('.change:not([hidden])')].map(c => c.dataset.id).includes('sms/monthly')").await, json!(true));
        // A restart does not forget it.
        page.process.take().unwrap().kill();
        let process = crate::harness::Process::serve(&page.base);
        process.wait_ready();
        let changes = process.json("/api/v1/changes?product=sms-100");
        assert!(
            changes["changes"].as_array().unwrap().iter().any(|c| c["sections"][0]["anchor"] == "price"),
            "{changes}"
        );
    });
}

#[test]
fn ones_own_things_are_kept() {
    on_desk(DESKTOP, async |page| {
        page.goto("/?open=sms/monthly").await;
        page.goto("/?open=articles/sms/monthly").await;
        page.until("the article is open", "return document.querySelector('#reader .article') !== null").await;
        page.eval("document.querySelector('#reader').focus()").await;
        page.keys("f").await;
        page.keys("p").await;
        page.until(
            "it is marked",
            "return document.querySelectorAll('.article [aria-pressed=true]').length === 2",
        )
        .await;
        page.goto("/mine").await;
        assert!(page.text("[data-list=favourites]").await.contains("Пакеты SMS на месяц"));
        assert!(page.text("[data-list=recents]").await.contains("Пакеты SMS на месяц"));
        page.eval("const f = document.querySelector('.snippet-form'); f.elements.title.value = 'Пауза'; f.elements.text.value = 'Оставайтесь на линии'; f.requestSubmit()").await;
        page.click(".copy-snippet").await;
        page.until("the snippet is copied", "return document.querySelector('.toast.is-shown') !== null")
            .await;
        assert_eq!(page.clipboard().await.0, "Оставайтесь на линии");
        // One's own phrases stand below the wordings of any article, one arrow and one Enter away.
        page.goto("/?q=смс&open=articles/sms/monthly").await;
        page.until("the article is open", "return document.querySelector('#reader .article') !== null").await;
        page.chord(Key::Alt, "a").await;
        assert_eq!(page.eval("return document.activeElement.id").await, json!("reader"));
        page.keys("t").await;
        page.until("the wordings are open", "return document.querySelector('.wording.is-open') !== null && document.activeElement.matches('.pick')").await;
        page.press(Key::Up).await;
        page.eval("document.querySelector('.toast')?.classList.remove('is-shown'); [...document.querySelectorAll('.wording .pick')].at(-1).focus()").await;
        page.press(Key::Down).await;
        page.press(Key::Enter).await;
        page.until("the phrase is copied", "return document.querySelector('.toast.is-shown') !== null").await;
        assert_eq!(page.clipboard().await.0, "Оставайтесь на линии");
        page.goto("/mine").await;
        // Layout: at once, after a reload from the server's first byte, and on every page.
        page.eval("for (const [name, value] of [['theme', 'dark'], ['density', 'compact'], ['size', 'l'], ['panels', 'reader-first'], ['channel', 'sms']]) { \
            const s = document.querySelector(`.layout-form [name=${name}]`); s.value = value; s.dispatchEvent(new Event('change', { bubbles: true })); }").await;
        let dark = "return [getComputedStyle(document.documentElement).colorScheme, getComputedStyle(document.documentElement).fontSize]";
        assert_eq!(page.eval(dark).await, json!(["dark", "18px"]));
        page.goto("/").await;
        assert_eq!(page.eval(dark).await, json!(["dark", "18px"]));
        page.until(
            "the default channel is chosen",
            "return document.querySelector('form.customer').elements.channel.value === 'sms'",
        )
        .await;
        page.until(
            "pins stand on the start page",
            "return document.querySelector('.mine-lists')?.textContent.includes('Пакеты SMS на месяц')",
        )
        .await;
        page.goto("/?q=смс").await;
        assert_eq!(page.eval("const r = document.querySelector('#reader').getBoundingClientRect(), s = document.querySelector('#results').getBoundingClientRect(); return r.left < s.left").await, json!(true));
        // The list of keys, and a way to switch single keys off.
        page.goto("/").await;
        page.keys("?").await;
        page.until("the keys are listed", "return document.querySelector('dialog.keys[open]') !== null")
            .await;
        assert!(page.text("dialog.keys").await.contains("Шаблоны ответа"));
        page.check_faults().await;
    });
}

#[test]
fn what_was_used_is_read_and_found_without_network() {
    on_desk(DESKTOP, async |page| {
        page.goto("/?q=подключить+300&open=articles/sms/monthly").await;
        page.until("the article is open", "return document.querySelector('#reader .article') !== null").await;
        page.eval("(async () => { for (;;) { const kept = await (await caches.match('/api/v1/offline'))?.json(); \
            document.title = [kept?.articles.length, kept?.articles.some(a => a.id === 'sms/monthly'), Boolean(await caches.match('/')), Boolean(navigator.serviceWorker.controller), navigator.onLine].join(); \
            if (document.title === '9,true,true,true,true') break; await new Promise(d => setTimeout(d, 100)); } })()").await;
        page.until("it is kept", "return document.title === '9,true,true,true,true'").await;
        // The server is gone, and the page is opened anew.
        page.process.take().unwrap().kill();
        page.goto("/?q=300+смс").await;
        page.until(
            "what was kept is found",
            "return document.querySelector('.hit[data-article=\"sms/monthly\"]') !== null",
        )
        .await;
        assert!(page.text("#offline").await.contains("Нет связи"));
        search_kept(page, "gfrtn cvc").await;
        search_kept(page, "*155*981#").await;
        page.press(Key::Enter).await;
        page.until(
            "it is read",
            "return document.querySelector('#reader .text')?.textContent.includes('*155*981#') ?? false",
        )
        .await;
        page.chord(Key::Shift, &Key::Enter.to_string()).await;
        page.until(
            "its wordings are there",
            "return (document.querySelector('.wording.is-open .text-of')?.value.length ?? 0) > 20",
        )
        .await;
        page.press(Key::Enter).await;
        page.until("a wording is copied", "return document.querySelector('.toast.is-shown') !== null").await;
        // In another region it may cost something else: it does not go out.
        page.eval("const s = document.querySelector('form.customer').elements.region; s.value = 'moscow'; s.dispatchEvent(new Event('input', { bubbles: true }))").await;
        page.until("the text of another region is refused", "return document.querySelector('.wording.is-open .blocked')?.textContent.includes('региона') ?? false").await;
        page.eval("const s = document.querySelector('form.customer').elements.region; s.value = ''; s.dispatchEvent(new Event('input', { bubbles: true }))").await;
        // A code that is not kept is not answered by its neighbour.
        page.press(Key::Escape).await;
        page.eval("const q = document.querySelector('#q'); q.value = '*155*98'; q.dispatchEvent(new Event('input'))").await;
        page.until("a part of a code finds nothing", "return document.querySelectorAll('.hit').length === 0")
            .await;
        page.goto("/articles/sms/monthly").await;
        page.until(
            "its own address opens it",
            "return document.querySelector('#reader .text')?.textContent.includes('*155*981#') ?? false",
        )
        .await;
    });
}

async fn search_kept(page: &Page, text: &str) {
    page.eval("document.querySelector('#q').focus(); document.querySelector('#q').select()").await;
    page.keys(text).await;
    page.until(
        &format!("{text} is found"),
        "return document.querySelector('.hit[data-article=\"sms/monthly\"]') !== null",
    )
    .await;
}

#[test]
fn a_phone_shows_one_thing_at_a_time() {
    on_desk(PHONE, async |page| {
        search(page, "подключить пакет").await;
        let visible = "return ['results', 'reader', 'wordings'].filter(id => { const e = document.getElementById(id); return e.offsetParent !== null && e.offsetHeight > 0 && e.childElementCount > 0; }).join()";
        page.until("results alone", &format!("return (() => {{ {visible} }})() === 'results'")).await;
        page.click(".hit-link").await;
        page.until(
            "the article alone",
            &format!("return document.querySelector('.article') && (() => {{ {visible} }})() === 'reader'"),
        )
        .await;
        page.eval("document.querySelector('.open-wordings').click()").await;
        page.until("the wordings alone", &format!("return document.querySelector('.wording.is-open') && (() => {{ {visible} }})() === 'wordings'")).await;
        page.click(".close-wordings").await;
        page.until("back", "return document.querySelector('#wordings').hidden").await;
        // Nothing is wider than the screen, on any page, down to 320 pixels.
        for path in [
            "/?q=sms",
            "/articles/sms/connect",
            "/articles/sms/monthly",
            "/flows/flows/which-sms-package",
            "/compare",
            "/new",
            "/mine",
            "/docs/api",
        ] {
            page.goto(path).await;
            let wide = page.eval("document.body.style.width = '320px'; const w = [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .chips, table, pre, .hidden, .skip, .toast') && e.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(e).position !== 'absolute'); return w.slice(0, 3).map(e => e.outerHTML.slice(0, 120))").await;
            assert_eq!(wide, json!([]), "{path}");
        }
    });
}

#[test]
fn the_interface_speaks_both_languages() {
    on_desk(Look { lang: "en", ..DESKTOP }, async |page| {
        assert_eq!(page.eval("return document.documentElement.lang").await, json!("en"));
        search(page, "price of 300 sms").await;
        page.until(
            "it is English",
            "return document.querySelector('.count').textContent.startsWith('Found')",
        )
        .await;
        page.click(".menu .lang").await;
        page.until("the switch keeps the search", "return document.documentElement.lang === 'ru' && document.querySelector('#q').value === 'price of 300 sms' && document.querySelector('.count')?.textContent.startsWith('Найдено')").await;
        page.goto("/mine").await;
        assert_eq!(page.text("h1").await, "Моё рабочее место");
        page.check_faults().await;
    });
}

#[test]
fn a_crm_page_shows_the_panel_and_passes_the_customer_in() {
    // The CRM is another site: a page of its own server.
    let crm = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://127.0.0.1:{}", crm.local_addr().unwrap().port());
    on_base(sample(), &[("PHAROS_EMBED_ORIGINS", &format!("[\"{origin}\"]"))], DESKTOP, async |page| {
        let html = format!(
            "<!doctype html><title>CRM</title><h1>CRM</h1><div id=k></div><script src='http://{}/embed.js' data-target='#k'></script>\
            <script>Pharos.setCustomer({{name: 'Анна', tariff: 'Чёрный', channel: 'sms'}}); Pharos.search('подключить 300 смс'); Pharos.onCopied(w => {{ document.title = w.channel + ': ' + w.text; }});</script>",
            page.address()
        );
        std::thread::spawn(move || serve_page(&crm, &html));
        page.goto(&origin).await;
        page.enter_frame(0).await;
        page.until("the customer is known", "return document.querySelector('form.customer [name=name]').value === 'Анна' && document.querySelector('form.customer').elements.channel.value === 'sms'").await;
        page.until(
            "the search is done",
            "return document.querySelector('.count')?.dataset.query === 'подключить 300 смс'",
        )
        .await;
        page.eval("document.querySelector('#q').focus()").await;
        page.chord(Key::Shift, &Key::Enter.to_string()).await;
        page.until("the wording is ready", "return document.querySelector('.wording.is-open .text-of')?.value.includes('*155*981#') && document.querySelector('.wording.is-open [name=name]').value === 'Анна'").await;
        page.press(Key::Enter).await;
        page.until("it is copied", "return document.querySelector('.toast.is-shown') !== null").await;
        page.leave_frame().await;
        page.until(
            "the CRM hears of it",
            "return document.title.startsWith('sms: ') && document.title.includes('*155*981#')",
        )
        .await;
        // A message that does not come from the page around the panel changes nothing.
        page.enter_frame(0).await;
        page.eval("window.postMessage({ type: 'pharos:customer', customer: { name: 'Ева' } }, '*')").await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(
            page.eval("return document.querySelector('form.customer [name=name]').value").await,
            json!("Анна")
        );
        page.leave_frame().await;
        page.goto("/").await;
    });
}

fn serve_page(listener: &std::net::TcpListener, html: &str) {
    use std::io::{Read, Write};
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { return };
        let mut asked = [0; 4096];
        let _ = stream.read(&mut asked);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            html.len()
        );
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(html.as_bytes()));
    }
}
