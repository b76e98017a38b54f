//! The editor's desk in real Chromium: writing, preview, publishing, meeting others, and what is never lost.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::browser::{DESKTOP, PHONE, Page, on_base};
use crate::harness::Process;
use crate::people_pages::{choose_password, invited, sign_in};
use crate::quality::{axe, look_at};

const PATH: &str = "articles/sms/monthly.md";

/// The lines that the editor shows; long files are shown in part.
const LINES: &str = "return [...document.querySelector('#editor').shadowRoot.querySelectorAll('.cm-line')].map(l => l.textContent).join('\\n')";

async fn open(page: &Page, path: &str) {
    page.goto(&format!("/edit/{path}")).await;
    until_ready(page).await;
}

async fn until_ready(page: &Page) {
    page.until("the editor is ready", "return document.querySelector('#saved')?.textContent.length > 0")
        .await;
}

async fn focus(page: &Page) {
    page.eval("document.querySelector('#editor').shadowRoot.querySelector('.cm-content').focus()").await;
}

/// Types at the end of the text.
async fn write(page: &Page, text: &str) {
    focus(page).await;
    page.chord(Key::Control, &Key::End.to_string()).await;
    page.keys(text).await;
}

async fn until_saved(page: &Page) {
    page.until(
        "the draft is saved",
        "return /^(Черновик сохранён|Draft saved)/.test(document.querySelector('#saved').textContent)",
    )
    .await;
}

async fn publish(page: &Page, reason: &str) {
    page.fill("#reason", reason).await;
    page.click("#publish").await;
}

async fn until_published(page: &Page) {
    page.until(
        "it is published",
        "return document.querySelector('#saved').textContent.startsWith('Опубликовано')",
    )
    .await;
}

#[test]
fn an_editor_writes_previews_publishes_and_undoes() {
    let (base, secret) = invited();
    on_base(base, &[], DESKTOP, async |page| {
        choose_password(page, &secret).await;
        // An operator's page is open meanwhile.
        page.goto("/articles/sms/monthly").await;
        let operators = page.tab().await;
        page.new_tab().await;
        page.goto("/articles/sms/monthly").await;
        page.click("a[href='/edit/articles/sms/monthly.md']").await;
        until_ready(page).await;
        page.shoot("edit-begin").await;
        write(page, "\n\n## Проверка редактора {#check region=moscow}\n\nСтоит {{ sms-100.price }}, это тестоведение.\n").await;
        until_saved(page).await;
        page.until(
            "the preview follows",
            "return document.querySelector('#preview').textContent.includes('тестоведение')",
        )
        .await;
        let preview = page.text("#preview").await;
        assert!(!preview.contains("{{"), "{preview}");
        // As somebody elsewhere sees it.
        page.eval("const r = document.querySelector('#as [name=region]'); r.append(new Option('kazan')); r.value = 'kazan'; r.dispatchEvent(new Event('input', { bubbles: true }))").await;
        page.until(
            "the section is not for him",
            "return !document.querySelector('#preview').textContent.includes('тестоведение')",
        )
        .await;
        page.eval("const r = document.querySelector('#as [name=region]'); r.value = ''; r.dispatchEvent(new Event('input', { bubbles: true }))").await;
        page.until(
            "the preview is back",
            "return document.querySelector('#preview').textContent.includes('тестоведение')",
        )
        .await;
        page.shoot("edit-preview").await;
        // A second file comes into the same draft; it stays there until both go live.
        let id =
            page.eval("return fetch('/api/v1/drafts').then(r => r.json()).then(l => l.drafts[0].id)").await;
        page.goto(&format!("/edit/articles/sms/one-time.md?draft={}", id.as_str().unwrap())).await;
        until_ready(page).await;
        write(page, "\nВторой файл.\n").await;
        until_saved(page).await;
        page.until(
            "the first file is named",
            "return document.querySelector('#together').textContent.includes('monthly.md')",
        )
        .await;
        open(page, PATH).await;
        page.until(
            "the second file is named",
            "return document.querySelector('#together').textContent.includes('one-time.md')",
        )
        .await;
        // Nobody gets it yet.
        let article = "return fetch('/api/v1/articles/sms/monthly').then(r => r.json()).then(a => a.html.includes('тестоведение'))";
        assert_eq!(page.eval(article).await, json!(false));
        publish(page, "проверка").await;
        until_published(page).await;
        assert_eq!(page.eval(article).await, json!(true));
        assert!(
            std::fs::read_to_string(page.base.path("articles/sms/one-time.md"))
                .unwrap()
                .contains("Второй файл.")
        );
        page.check_faults().await;
        let editors = page.tab().await;
        page.go_to_tab(operators).await;
        page.until(
            "the open page shows it",
            "return document.querySelector('.article').textContent.includes('тестоведение')",
        )
        .await;
        page.go_to_tab(editors).await;
        // History tells it word by word, and it is undone by one click.
        page.goto(&format!("/history/{PATH}")).await;
        page.until("the difference is shown", "return [...document.querySelectorAll('.diff ins')].some(i => i.textContent.includes('тестоведение'))").await;
        page.shoot("history").await;
        page.goto("/edit").await;
        page.shoot("edit-desk").await;
        page.eval("window.confirm = () => true").await;
        page.click("[data-api$='/undo']").await;
        page.until("it is undone", &format!("{article}.then(is => !is)")).await;
        page.check_faults().await;
    });
}

#[test]
fn what_is_scheduled_reaches_an_open_page_in_its_time() {
    let (base, secret) = invited();
    on_base(base, &[], DESKTOP, async |page| {
        choose_password(page, &secret).await;
        page.goto("/articles/sms/monthly").await;
        let operators = page.tab().await;
        page.new_tab().await;
        open(page, PATH).await;
        write(page, "\nЭто выйдет само.\n").await;
        until_saved(page).await;
        // In a few seconds, as one of the place of the browser writes it.
        page.eval("const at = document.querySelector('#at'); at.step = 1; const d = new Date(Date.now() + 6000); at.value = new Date(d - d.getTimezoneOffset() * 60000).toISOString().slice(0, 19)").await;
        publish(page, "по времени").await;
        page.until(
            "it is scheduled",
            "return document.querySelector('#alert').textContent.startsWith('Будет опубликовано')",
        )
        .await;
        page.shoot("edit-scheduled").await;
        let is_out = "return fetch('/api/v1/articles/sms/monthly').then(r => r.json()).then(a => a.html.includes('Это выйдет само'))";
        assert_eq!(page.eval(is_out).await, json!(false));
        page.check_faults().await;
        page.go_to_tab(operators).await;
        page.until(
            "the open page shows it",
            "return document.querySelector('.article').textContent.includes('Это выйдет само')",
        )
        .await;
    });
}

#[test]
fn problems_are_told_while_one_types_and_names_are_completed() {
    let (base, secret) = invited();
    on_base(base, &[], DESKTOP, async |page| {
        choose_password(page, &secret).await;
        open(page, PATH).await;
        write(page, "\nЦена {{ sms-100.wieght }} и [нет](nowhere.md).\n").await;
        page.until("two problems are told", "return document.querySelectorAll('#problems li').length === 2")
            .await;
        page.until("they are underlined", "return document.querySelector('#editor').shadowRoot.querySelectorAll('.cm-lintRange').length >= 2").await;
        page.shoot("edit-problems").await;
        write(page, "\n{{ sms-100.pri").await;
        page.until("values are offered", "return [...document.querySelector('#editor').shadowRoot.querySelectorAll('.cm-completionLabel')].some(l => l.textContent === 'sms-100.price')").await;
        page.shoot("edit-completion").await;
        // A key that comes with the list is not taken for an answer to it.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        page.press(Key::Enter).await;
        page.until("the value is in the text", &format!("{LINES}.endsWith('{{{{ sms-100.price }}}}')")).await;
        // What is copied from a page comes as Markdown.
        page.eval("const data = new DataTransfer(); data.setData('text/html', '<h2>Из Word</h2><p style=\"color:red\">Текст <b>важный</b></p><ul><li>раз</li><li>два</li></ul><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>'); data.setData('text/plain', 'x'); \
            document.querySelector('#editor').shadowRoot.querySelector('.cm-content').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))").await;
        let pasted = page.eval(LINES).await.as_str().unwrap().to_owned();
        for piece in ["## Из Word", "Текст **важный**", "- раз\n- два", "| a ", "| 1 "] {
            assert!(pasted.contains(piece), "{piece} in {pasted}");
        }
        assert!(!pasted.contains("red") && !pasted.contains('<'), "{pasted}");
        // A picture from the clipboard is kept beside the article.
        page.eval("const canvas = document.createElement('canvas'); canvas.width = canvas.height = 40; const c = canvas.getContext('2d'); c.fillStyle = 'teal'; c.fillRect(0, 0, 40, 40); \
            canvas.toBlob(blob => { const data = new DataTransfer(); data.items.add(new File([blob], 'image.png', { type: 'image/png' })); \
            document.querySelector('#editor').shadowRoot.querySelector('.cm-content').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })) })").await;
        page.until(
            "the picture is in the preview",
            "return [...document.querySelectorAll('#preview img')].some(i => i.naturalWidth === 40)",
        )
        .await;
        assert!(page.base.path("articles/sms/monthly-picture.png").is_file());
        page.shoot("edit-picture").await;
        // A head that cannot be read is not published by mistake.
        open(page, "articles/new-one.md").await;
        focus(page).await;
        page.chord(Key::Control, &Key::Home.to_string()).await;
        page.keys("---\ntitle: [x\n---\n").await;
        until_saved(page).await;
        page.click("#publish").await;
        page.until("it is refused", "return !document.querySelector('#alert').hidden && document.querySelector('#alert').textContent.includes('Не опубликовано')").await;
        page.shoot("edit-refused").await;
        page.check_faults().await;
    });
}

#[test]
fn two_who_write_at_once_see_both() {
    let (base, secret) = invited();
    on_base(base, &[], DESKTOP, async |page| {
        choose_password(page, &secret).await;
        open(page, PATH).await;
        write(page, "\nНаш конец.\n").await;
        until_saved(page).await;
        // Somebody changes the beginning on disk: it is merged.
        let file = page.base.path(PATH);
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replacen("title: ", "title: Иначе ", 1)).unwrap();
        publish(page, "первый").await;
        until_published(page).await;
        let both = std::fs::read_to_string(&file).unwrap();
        assert!(both.contains("title: Иначе") && both.contains("Наш конец."), "{both}");
        // The same place: both versions come into the text, and one decides.
        write(page, "Наша строка.\n").await;
        until_saved(page).await;
        std::fs::write(&file, format!("{}Их строка.\n", std::fs::read_to_string(&file).unwrap())).unwrap();
        publish(page, "второй").await;
        page.until("the conflict is told", "return !document.querySelector('#alert').hidden && document.querySelector('#alert').textContent.includes('<<<<<<<')").await;
        let marked = page.eval(LINES).await.as_str().unwrap().to_owned();
        assert!(marked.contains("Наша строка.") && marked.contains("Их строка."), "{marked}");
        page.shoot("edit-conflict").await;
        assert!(!std::fs::read_to_string(&file).unwrap().contains("Наша строка."));
        // Marks are not published; settled, it is.
        page.click("#publish").await;
        page.until("marks are refused", "return !document.querySelector('#alert').hidden && document.querySelector('#alert').textContent.length > 20").await;
        page.check_faults().await;
        // (When lines are typed over, Chromium itself puts styles into what it edits, and the policy keeps them out.)
        focus(page).await;
        page.chord(Key::Control, "a").await;
        page.keys("---\ntitle: Решено\n---\nНаша строка. Их строка.\n").await;
        until_saved(page).await;
        page.click("#publish").await;
        until_published(page).await;
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            "---\ntitle: Решено\n---\nНаша строка. Их строка.\n"
        );
    });
}

#[test]
fn what_is_typed_outlives_server_tab_and_session() {
    let (base, secret) = invited();
    on_base(base, &[], DESKTOP, async |page| {
        choose_password(page, &secret).await;
        let first = page.tab().await;
        page.new_tab().await;
        open(page, PATH).await;
        write(page, "\nДо смерти сервера.\n").await;
        until_saved(page).await;
        page.process.take().unwrap().kill();
        write(page, "После смерти сервера.\n").await;
        page.until("it is told that the server is gone", "return !document.querySelector('#alert').hidden")
            .await;
        page.shoot("edit-offline").await;
        // The tab dies without a word: nothing can be put in order before.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        page.crash().await;
        page.go_to_tab(first).await;
        page.process = Some(Process::serve_at(&page.base, page.address(), &[]));
        page.process.as_ref().unwrap().wait_ready();
        page.new_tab().await;
        open(page, PATH).await;
        let back = page.eval(LINES).await.as_str().unwrap().to_owned();
        assert!(back.contains("До смерти сервера.") && back.contains("После смерти сервера."), "{back}");
        until_saved(page).await;
        // The session ends while one writes; one signs in in another window, and it is saved.
        page.eval("return fetch('/api/v1/session', { method: 'DELETE' }).then(() => 1)").await;
        write(page, "После конца сеанса.\n").await;
        page.until(
            "it is told to sign in",
            "return document.querySelector('#alert a')?.href.includes('/sign-in')",
        )
        .await;
        page.shoot("edit-session").await;
        let writing = page.tab().await;
        page.new_tab().await;
        page.goto("/sign-in").await;
        sign_in(page, "admin").await;
        page.until("one is in", "return location.pathname === '/'").await;
        page.go_to_tab(writing).await;
        page.until("it is saved", "return document.querySelector('#alert').hidden && /^Черновик сохранён/.test(document.querySelector('#saved').textContent)").await;
        // And the server has it, whatever this browser still holds.
        let kept = "return fetch('/api/v1/drafts').then(r => r.json()).then(l => fetch('/api/v1/drafts/' + l.drafts[0].id)).then(r => r.json()).then(d => d.files[0].text.includes('После конца сеанса.'))";
        page.until("the draft is whole", kept).await;
        // Thrown away, it is as it was.
        page.eval("window.confirm = () => true").await;
        page.click("#discard").await;
        page.until(
            "it is as published",
            "return document.querySelector('#saved')?.textContent === 'Как опубликовано'",
        )
        .await;
        assert!(!page.eval(LINES).await.as_str().unwrap().contains("смерти"));
    });
}

/// Sends JSON as who is signed in, and returns the reply.
async fn post(page: &Page, address: &str, body: &Value) -> Value {
    page.eval(&format!(
        "return fetch('{address}', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, body: JSON.stringify({body}) }}).then(r => r.text()).then(t => t ? JSON.parse(t) : null)"
    ))
    .await
}

/// Asks for a review of what is edited. Returns the address of its page.
async fn ask_review(page: &Page) -> String {
    // After typing at the end, the way back up is the reader's own.
    page.eval("scrollTo(0, 0)").await;
    page.click("#review").await;
    page.until("the review is there", "return location.pathname.startsWith('/reviews/')").await;
    page.eval("return location.pathname").await.as_str().unwrap().to_owned()
}

/// Sends a text to be imported, as the page of imports does. Returns the address of its page.
async fn import_something(page: &Page) -> String {
    page.goto("/import").await;
    page.eval(
        "const text = '# Переезд\\n\\nСм. [нет](gone.md).\\n'; const files = new DataTransfer(); \
         files.items.add(new File([text], 'moved.md', { type: 'text/markdown' })); \
         document.querySelector('[name=file]').files = files.files",
    )
    .await;
    page.fill("[name=into]", "moved").await;
    page.click("#import [type=submit]").await;
    let waits = "return document.querySelector('[data-api$=\"/write\"]') !== null";
    page.until("what would come of it is shown", waits).await;
    page.eval("return location.pathname").await.as_str().unwrap().to_owned()
}

async fn sign_out(page: &Page) {
    page.goto("/account").await;
    page.eval("document.querySelector('[data-signs-out]').click()").await;
    page.until("one is out", "return location.pathname === '/sign-in'").await;
}

/// Somebody who came in by a link; the administrator is signed in before and nobody after it.
async fn another(page: &Page, login: &str, role: &str) -> String {
    let new = json!({"login": login, "name": login, "roles": [role]});
    let link = post(page, "/api/v1/people", &new).await["link"].as_str().unwrap().to_owned();
    link.rsplit('#').next().unwrap().to_owned()
}

/// An operator sees it above the article, what is new in it, and cannot say it is read with a wrong answer.
async fn read_what_must_be_read(page: &Page) {
    page.goto("/articles/sms/monthly").await;
    page.click(".banner a[href^='/must-read/']").await;
    page.until("what is new is shown", "return [...document.querySelectorAll('ins')].some(i => i.textContent.includes('имя')) || document.body.textContent.includes('Спросите имя клиента')").await;
    page.shoot("must-read-new").await;
    let choose = |answer: &str| {
        format!(
            "[...document.querySelectorAll('[name=answer]')].find(a => a.parentElement.textContent.includes('{answer}')).click(); document.querySelector('main form .primary').click()"
        )
    };
    page.eval(&choose("Адрес")).await;
    page.until(
        "it is told",
        "return [...document.querySelectorAll('[role=alert]')].some(a => !a.hidden && a.textContent)",
    )
    .await;
    page.eval(&choose("Имя")).await;
    page.until(
        "it is read",
        "return location.pathname === '/must-read' && document.querySelector('.badge.guided') !== null",
    )
    .await;
    page.shoot("must-read-done").await;
}

async fn mark_a_sentence_as_wrong(page: &Page) -> String {
    page.goto("/articles/sms/monthly").await;
    page.eval("const p = [...document.querySelectorAll('.text p')].find(p => p.textContent.includes('имя')); getSelection().selectAllChildren(p)").await;
    page.eval("document.querySelector('a.tell').click()").await;
    page.until(
        "the sentence is there",
        "return document.querySelector('[name=quote]')?.value.includes('имя клиента')",
    )
    .await;
    page.fill("[name=body]", "Имя видно в программе").await;
    page.click("main [type=submit]").await;
    page.until("it is said", "return location.pathname.startsWith('/feedback/')").await;
    page.shoot("feedback-told").await;
    page.check_faults().await;
    page.eval("return location.pathname").await.as_str().unwrap().to_owned()
}

#[test]
fn a_change_is_reviewed_read_and_answered_by_others() {
    let (base, secret) = invited();
    on_base(base, &[], DESKTOP, async |page| {
        choose_password(page, &secret).await;
        let vera = another(page, "vera", "reviewer").await;
        let oleg = another(page, "oleg", "operator").await;
        open(page, PATH).await;
        write(page, "\n\n## Новое правило {#rule}\n\nСпросите имя клиента.\n").await;
        until_saved(page).await;
        let review = ask_review(page).await;
        sign_out(page).await;
        // The second person sees it, says something of a line, and approves.
        choose_password(page, &vera).await;
        page.goto("/notices").await;
        page.click("main a[href^='/reviews/']").await;
        page.until("the review is open", "return location.pathname.startsWith('/reviews/')").await;
        page.eval("[...document.querySelectorAll('tr.added')].find(r => r.textContent.includes('имя')).querySelector('.say').click()").await;
        page.fill("tr.remark textarea", "А если он против?").await;
        page.click("tr.remark [type=submit]").await;
        page.until(
            "the remark stands at its line",
            "return document.querySelector('tr.added + tr.remark')?.textContent.includes('против')",
        )
        .await;
        page.shoot("review-remark").await;
        page.click("form.verdict [type=submit].primary").await;
        page.until(
            "it is approved",
            "return document.querySelector('.badge.guided')?.textContent === 'одобрено'",
        )
        .await;
        page.shoot("review-approved").await;
        page.check_faults().await;
        sign_out(page).await;
        // Its author is told, publishes, and says who must read it.
        sign_in(page, "admin").await;
        page.until("one is in", "return location.pathname === '/'").await;
        assert_eq!(page.text("[data-nav=notices] .badge").await, "2");
        page.goto(&review).await;
        page.click(".card .primary").await;
        page.until("it is published", "return location.pathname === '/edit'").await;
        page.goto("/must-read-of/sms/monthly").await;
        page.fill("[name=note]", "Спрашивать имя").await;
        page.fill("[name=audience]", "operator").await;
        page.fill("#question", "Что спросить?").await;
        page.fill("#choices", "Имя\nАдрес").await;
        page.click("form.must-read [type=submit]").await;
        page.until("it is announced", "return document.querySelector('main .number')?.textContent.includes('0 / 1') || [...document.querySelectorAll('main .number')].some(n => n.textContent === '0 / 1')").await;
        page.check_faults().await;
        sign_out(page).await;
        choose_password(page, &oleg).await;
        read_what_must_be_read(page).await;
        let thread = mark_a_sentence_as_wrong(page).await;
        sign_out(page).await;
        // The queue, an answer, and it is closed; who told it learns that.
        sign_in(page, "admin").await;
        page.until("one is in", "return location.pathname === '/'").await;
        page.goto("/feedback").await;
        page.click(&format!("a[href='{thread}']")).await;
        page.until("the thread is open", "return location.pathname.startsWith('/feedback/')").await;
        page.fill("[name=body]", "Верно, убрали.").await;
        page.eval("document.querySelector('[data-set*=true]').click()").await;
        page.until("it is resolved", "return document.querySelector('main .badge.guided') !== null").await;
        sign_out(page).await;
        sign_in(page, "oleg").await;
        page.until("one is in", "return location.pathname === '/'").await;
        page.goto("/notices").await;
        page.click(&format!("main a[href='{thread}']")).await;
        page.until("the answer is read", "return document.body.textContent.includes('Верно, убрали.')").await;
        page.shoot("feedback-closed").await;
        page.check_faults().await;
    });
}

#[test]
fn old_knowledge_moves_in_by_the_browser_and_goes_on_its_day() {
    let (base, secret) = invited();
    on_base(base, &[], DESKTOP, async |page| {
        choose_password(page, &secret).await;
        import_something(page).await;
        page.shoot("import-waiting").await;
        page.click("[data-api$='/write']").await;
        page.until(
            "it is written",
            "return document.querySelector('main .badge')?.textContent === 'записано'",
        )
        .await;
        page.until("readers have it", "return fetch('/api/v1/articles/moved/moved').then(r => r.ok)").await;
        page.shoot("import-done").await;
        page.goto("/archive/moved/moved").await;
        page.fill("[name=replaced_by]", "sms/monthly").await;
        page.shoot("archive").await;
        page.click("main [type=submit]").await;
        page.until("it is archived", "return location.pathname === '/freshness'").await;
        page.goto("/articles/moved/moved").await;
        page.until(
            "readers are led on",
            "return document.querySelector('.banner a[href$=\"/sms/monthly\"]') !== null",
        )
        .await;
        page.check_faults().await;
    });
}

#[test]
fn pages_of_editing_break_no_rule_of_axe() {
    let Some(axe) = axe() else { return };
    for look in [DESKTOP, PHONE] {
        let (base, secret) = invited();
        let width = look.width;
        on_base(base, &[], look, async |page| {
            let mut found = Vec::new();
            choose_password(page, &secret).await;
            open(page, PATH).await;
            write(page, "\n[нет](nowhere.md)\n").await;
            until_saved(page).await;
            // What is found wrong moves what stands below it: nobody presses a button that moves.
            page.until(
                "the preview is there",
                "return document.querySelector('#preview')?.textContent.includes('нет')",
            )
            .await;
            let review = ask_review(page).await;
            let id = review.rsplit('/').next().unwrap();
            let remark = json!({"path": PATH, "line": 1, "body": "Верно?"});
            post(page, &format!("/api/v1/reviews/{id}/remarks"), &remark).await;
            let say =
                json!({"article": "sms/monthly", "quote": "Пакет", "kind": "unclear", "body": "Что это?"});
            let thread =
                post(page, "/api/v1/feedback", &say).await["thread"]["id"].as_str().unwrap().to_owned();
            let question = json!({"text": "Сколько?", "choices": ["раз", "два"], "right": 0});
            let new =
                json!({"article": "sms/monthly", "note": "Новое", "question": question, "with_code": true});
            let must_read = post(page, "/api/v1/must-reads", &new).await["id"].as_str().unwrap().to_owned();
            post(page, "/api/v1/hooks", &json!({"url": "http://127.0.0.1:9/", "kinds": ["published"]})).await;
            let import = import_something(page).await;
            const HEADING: &str = "return document.querySelector('main h1') !== null";
            const PREVIEW: &str = "return document.querySelector('#preview h1') !== null";
            let pages = [
                ("editing-edit", format!("/edit/{PATH}"), PREVIEW),
                ("editing-desk", "/edit".to_owned(), HEADING),
                ("editing-freshness", "/freshness".to_owned(), HEADING),
                ("editing-quality", "/quality".to_owned(), HEADING),
                ("editing-history", format!("/history/{PATH}"), HEADING),
                ("review", review.clone(), HEADING),
                ("notices", "/notices".to_owned(), HEADING),
                ("feedback", "/feedback".to_owned(), HEADING),
                ("feedback-tell", "/tell/sms/monthly".to_owned(), HEADING),
                ("feedback-thread", format!("/feedback/{thread}"), HEADING),
                ("must-reads", "/must-read?all=1".to_owned(), HEADING),
                ("must-read", format!("/must-read/{must_read}"), HEADING),
                ("must-read-new", "/must-read-of/sms/monthly".to_owned(), HEADING),
                ("hooks", "/admin/hooks".to_owned(), HEADING),
                ("feeds", "/feeds".to_owned(), HEADING),
                ("imports", "/import".to_owned(), HEADING),
                ("import", import.clone(), HEADING),
                ("archive", "/archive/sms/monthly".to_owned(), HEADING),
            ];
            for theme in ["light", "dark"] {
                found.extend(look_at(page, &axe, theme, width, &pages).await);
            }
            assert_eq!(found, Vec::<String>::new(), "axe: {found:#?}");
        });
    }
}
