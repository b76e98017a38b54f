//! Tests of wikitext and of dumps.

use super::*;
use crate::importing::document::Document;

fn page(text: &str) -> Document {
    let mut wiki = Wiki::default().with_template("Тариф", "<noinclude>Описание</noinclude>Тариф '''{{{1|без имени}}}'''{{#if:{{{цена|}}}|&nbsp;— {{{цена}}} ₽}}");
    wiki.keys.insert("Тарифы".to_owned(), "7".to_owned());
    fragments(text, &mut wiki.fragments);
    let mut document = Document::default();
    Page::new(&wiki, "Главная", &mut document).read(text);
    document
}

fn kinds(document: &Document) -> Vec<&str> {
    document.losses.iter().map(|loss| loss.kind.as_str()).collect()
}

#[test]
fn text_and_links() {
    let read = page(
        "== Раздел один ==\n'''Жирный''', ''курсив'' и [[тарифы|тариф]]ы, [[#Раздел один]].\n\n[https://a.example сайт] [[нет такой]]",
    );
    assert_eq!(
        read.markdown,
        "## Раздел один {#Раздел-один}\n\n**Жирный**, _курсив_ и [тарифы](within:7), [\\#Раздел один](#Раздел-один).\n\n[сайт](https://a.example) нет такой\n"
            .replace("[\\#", "[#")
    );
    assert_eq!(kinds(&read), ["missing-page"]);
}

#[test]
fn lists_of_all_signs() {
    let read = page("* а\n*# б\n*# в\n*: г\n* д\n; термин : смысл");
    assert_eq!(read.markdown, "- а\n\n  1. б\n  2. в\n\n  г\n\n- д\n\n**термин**\n\nсмысл\n");
    assert_eq!(read.had.items, 4);
}

#[test]
fn templates_are_filled_in_or_told() {
    let read = page("{{Тариф|Лето|цена=100}} {{Тариф}} {{неведомый|текст|вид=1}}{{Внимание|Осторожно!}}");
    assert_eq!(
        read.markdown,
        "Тариф **Лето** — 100 ₽ Тариф **без имени** текст\n\n> [!WARNING]\n> Осторожно!\n"
            .replace(" —", "\u{a0}—")
    );
    assert_eq!(kinds(&read), ["template"]);
}

#[test]
fn tables_with_spans() {
    let read = page(
        "{| class=\"wikitable\"\n|+ Цены\n! Что !! Сколько\n|-\n| rowspan=2 | SMS || 1\n|-\n| 2 || [[Файл:нет.png|мини|подпись]]\n|}",
    );
    assert_eq!(
        read.markdown,
        "**Цены**\n\n| Что | Сколько |  |\n| --- | --- | --- |\n| SMS | 1 |  |\n| SMS | 2 | _подпись_ |\n"
    );
    assert_eq!(kinds(&read), ["picture", "merged-cells"]);
}

#[test]
fn verbatim_parts_and_notes() {
    let read = page(
        "<nowiki>[[не ссылка]]</nowiki> <code>*100#</code><ref>Откуда</ref>\n<syntaxhighlight lang=\"Bash\">\nls *\n</syntaxhighlight><!-- тайна -->",
    );
    assert_eq!(read.markdown, "\\[\\[не ссылка]] `*100#`\\[1]\n\n```bash\nls *\n```\n\n---\n\n1. Откуда\n");
}

#[test]
fn hostile_text_ends() {
    for text in [
        "{{".repeat(50_000),
        "[[".repeat(50_000),
        "<ref>".repeat(20_000),
        "{|\n|".repeat(20_000),
        "*".repeat(100_000),
        "<".repeat(100_000),
        "{{{".repeat(9999) + &"}}}".repeat(9999),
        "'".repeat(99_999),
        "<blockquote>".repeat(5000),
    ] {
        page(&text);
    }
    let wiki = Wiki::default()
        .with_template("А", "{{А}}{{Б}}{{Б}}")
        .with_template("Б", "{{В}}{{В}}{{А}}")
        .with_template("В", "{{Г}}{{Г}}")
        .with_template("Г", "x{{Б}}");
    let mut document = Document::default();
    Page::new(&wiki, "Я", &mut document).read("{{А}}");
}

#[test]
fn a_dump_gives_the_latest_revision_of_content_pages() {
    let xml = "<mediawiki><siteinfo><namespaces><namespace key='0'/><namespace key='12'>Справка</namespace></namespaces></siteinfo>\
        <page><title>Связь</title><ns>0</ns><id>1</id><revision><timestamp>2020-01-02T00:00:00Z</timestamp><text>старое</text></revision>\
        <revision><timestamp>2024-05-06T00:00:00Z</timestamp><text>новое &amp;lt; [[Категория:Сеть]]</text></revision></page>\
        <page><title>Линк</title><ns>0</ns><id>2</id><redirect title='Связь'/><revision><text>#REDIRECT [[Связь]]</text></revision></page>\
        <page><title>Обсуждение:Связь</title><ns>1</ns><id>3</id><revision><text>спор</text></revision></page>\
        <page><title>Справка:Вход</title><ns>12</ns><id>4</id><revision><text>см. [[линк]]</text></revision></page></mediawiki>";
    let archive = Archive::of_bytes("w.xml", xml.as_bytes().to_vec()).unwrap();
    assert!(recognise(&archive));
    let progress = |_: usize, _: usize| {};
    let mut found = Found::new(&progress);
    read(&archive, &mut found);
    let [first, second] = found.documents.as_slice() else { panic!("{:?}", found.documents) };
    assert_eq!((first.markdown.as_str(), first.changed.as_deref()), ("новое <\n", Some("2024-05-06")));
    assert_eq!(
        (first.tags.as_slice(), first.aliases.as_slice()),
        (&["Сеть".to_owned()][..], &["Линк".to_owned()][..])
    );
    assert_eq!((second.title.as_str(), second.folders.as_slice()), ("Вход", &["Справка".to_owned()][..]));
    assert_eq!(second.markdown, "см. [линк](within:1)\n");
}

#[test]
fn braces_of_parameters_within_parameters() {
    let read = page("{{#if:{{#switch:{{{a|{{{b|}}}}}}|x|y=1}}|да|нет}} {{#switch:y|x|y=1|2}}");
    assert_eq!(read.markdown, "нет 1\n");
}
