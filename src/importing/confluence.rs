//! Spaces of Confluence, exported as XML or as HTML.

use super::archive::Archive;
use super::document::Found;

mod entities;
mod pages;
mod storage;

/// Whether this is a space export of Confluence.
pub fn recognise(archive: &Archive) -> bool {
    entities::file(archive).is_some() || pages::recognise(archive)
}

/// Reads all pages and blog posts in their current versions.
pub fn read(archive: &Archive, found: &mut Found<'_>) {
    match entities::file(archive) {
        Some(file) => entities::read(archive, file, found),
        None => pages::read(archive, found),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::importing::document::{Document, State};

    fn imported(files: &[(&str, &str)]) -> (Vec<Document>, BTreeMap<String, String>) {
        crate::importing::imported(files, recognise, read)
    }

    fn page(id: &str, title: &str, more: &str, body: &str) -> String {
        format!(
            "<object class=\"Page\" package=\"x\"><id name=\"id\">{id}</id><property name=\"title\"><![CDATA[{title}]]></property>\
             <property name=\"space\" class=\"Space\"><id name=\"id\">1</id>\n</property>{more}</object>\
             <object class=\"BodyContent\"><id name=\"id\">b{id}</id><property name=\"body\"><![CDATA[{body}]]></property>\
             <property name=\"content\" class=\"Page\"><id name=\"id\">{id}</id></property><property name=\"bodyType\">2</property></object>"
        )
    }

    fn export(pages: &str) -> String {
        format!(
            "<hibernate-generic datetime=\"2024\"><object class=\"Space\"><id name=\"id\">1</id><property name=\"key\">TS</property>\
             <property name=\"name\">Тарифы</property><property name=\"homePage\" class=\"Page\"><id name=\"id\">10</id></property></object>{pages}\
             <object class=\"Attachment\"><id name=\"id\">50</id><property name=\"title\">схема.png</property><property name=\"version\">2</property>\
             <property name=\"containerContent\" class=\"Page\"><id name=\"id\">11</id></property></object>\
             <object class=\"Label\"><id name=\"id\">60</id><property name=\"name\">роуминг</property><property name=\"namespace\">global</property></object>\
             <object class=\"Labelling\"><id name=\"id\">61</id><property name=\"label\" class=\"Label\"><id name=\"id\">60</id></property>\
             <property name=\"content\" class=\"Page\"><id name=\"id\">11</id></property></object>\
             <object class=\"ConfluenceUserImpl\"><id name=\"key\">u1</id><property name=\"name\">ivan</property></object></hibernate-generic>"
        )
    }

    fn body_of(body: &str) -> Document {
        let (documents, _) = imported(&[
            ("entities.xml", &export(&page("11", "Роуминг", "", body))),
            ("attachments/11/50/2", "x"),
        ]);
        documents.into_iter().next().unwrap()
    }

    #[test]
    fn pages_keep_their_place_and_only_current_ones_are_read() {
        let parent = "<property name=\"parent\" class=\"Page\"><id name=\"id\">10</id></property>\
                      <property name=\"lastModificationDate\">2024-05-06 07:08:09.000</property>\
                      <property name=\"lastModifier\" class=\"ConfluenceUserImpl\"><id name=\"key\">u1</id></property>";
        let below = "<property name=\"parent\" class=\"Page\"><id name=\"id\">11</id></property><property name=\"contentStatus\">archived</property>";
        let old = "<property name=\"originalVersion\" class=\"Page\"><id name=\"id\">11</id></property>";
        let draft = "<property name=\"contentStatus\">draft</property>";
        let pages = [
            page("10", "Начало", "", "<p>a</p>"),
            page("11", "Роуминг", parent, "<p>b</p>"),
            page("12", "Египет", below, "<p>c</p>"),
            page("13", "Роуминг", old, "<p>old</p>"),
            page("14", "Черновик", draft, "<p>d</p>"),
        ];
        let (documents, unreadable) = imported(&[("entities.xml", &export(&pages.concat()))]);
        assert_eq!(
            documents.iter().map(|document| document.key.as_str()).collect::<Vec<_>>(),
            ["10", "11", "12"]
        );
        assert_eq!(documents[1].folders, ["Тарифы"]);
        assert_eq!(
            (documents[1].owner.as_deref(), documents[1].changed.as_deref()),
            (Some("ivan"), Some("2024-05-06"))
        );
        assert_eq!(documents[1].tags, ["роуминг"]);
        assert_eq!(
            (documents[2].folders.join("/"), documents[2].state),
            ("Тарифы/Роуминг".to_owned(), State::Archived)
        );
        assert_eq!(unreadable.keys().collect::<Vec<_>>(), ["14"]);
    }

    #[test]
    fn links_pictures_and_users_are_resolved() {
        let document = body_of(
            "<h2>Где и как</h2><p><ac:link ac:anchor=\"Где и как\"><ac:plain-text-link-body><![CDATA[сюда]] ></ac:plain-text-link-body></ac:link> \
             <ac:link><ri:page ri:content-title=\"роуминг\" /></ac:link> <ac:link><ri:page ri:content-title=\"Нет\" /></ac:link> \
             <ac:link><ri:user ri:userkey=\"u1\" /></ac:link> <ac:image><ri:attachment ri:filename=\"схема.png\" /></ac:image>&nbsp;&mdash;</p>",
        );
        assert_eq!(
            document.markdown,
            "## Где и как {#Гдеикак}\n\n[сюда](#Гдеикак) [роуминг](within:11) [Нет](within:%D0%9D%D0%B5%D1%82) @ivan ![схема.png](within:attachments/11/50/2)\u{a0}—\n"
        );
        assert_eq!(
            document.losses.iter().map(|loss| loss.kind.as_str()).collect::<Vec<_>>(),
            ["missing-target"]
        );
    }

    #[test]
    fn macros_are_carried_or_told() {
        let document = body_of(
            "<ac:structured-macro ac:name=\"toc\" /><ac:structured-macro ac:name=\"info\"><ac:parameter ac:name=\"title\">Цена</ac:parameter>\
             <ac:rich-text-body><p>С НДС</p></ac:rich-text-body></ac:structured-macro><ac:structured-macro ac:name=\"code\">\
             <ac:parameter ac:name=\"language\">sql</ac:parameter><ac:plain-text-body><![CDATA[select *\nfrom t]] ></ac:plain-text-body></ac:structured-macro>\
             <p><ac:structured-macro ac:name=\"status\"><ac:parameter ac:name=\"title\">ГОТОВО</ac:parameter></ac:structured-macro></p>\
             <ac:structured-macro ac:name=\"чужой\"><ac:rich-text-body><p>внутри</p></ac:rich-text-body></ac:structured-macro>\
             <ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>complete</ac:task-status><ac:task-body>сделать</ac:task-body></ac:task></ac:task-list>",
        );
        assert_eq!(
            document.markdown,
            "> [!NOTE]\n> **Цена**\n>\n> С НДС\n\n```sql\nselect *\nfrom t\n```\n\n**ГОТОВО**\n\nвнутри\n\n- [x] сделать\n"
        );
        assert_eq!(document.losses.iter().map(|loss| loss.kind.as_str()).collect::<Vec<_>>(), ["macro"]);
    }

    #[test]
    fn what_stands_before_damage_is_read() {
        let whole = export(&page("11", "Роуминг", "", "<p>b</p>"));
        let cut = &whole[..whole.find("роуминг").unwrap()];
        let (documents, unreadable) = imported(&[("entities.xml", cut)]);
        assert_eq!(documents.len(), 1);
        assert!(unreadable.contains_key("entities.xml"));
    }

    #[test]
    fn what_only_some_may_view_is_a_draft_with_all_below_it() {
        let below = "<property name=\"parent\" class=\"Page\"><id name=\"id\">11</id></property>";
        let pages = [
            page("11", "Для своих", "", "<p>a</p>"),
            page(
                "12",
                "Ниже",
                &format!("{below}<property name=\"contentStatus\">archived</property>"),
                "<p>b</p>",
            ),
            page("13", "Для всех", "", "<p>c</p>"),
        ];
        let set = |id: &str, kind: &str, page: &str| {
            format!(
                "<object class=\"ContentPermissionSet\"><id name=\"id\">{id}</id><property name=\"type\"><![CDATA[{kind}]]></property>\
                 <collection name=\"contentPermissions\"><element class=\"ContentPermission\"><id name=\"id\">90</id></element></collection>\
                 <property name=\"owningContent\" class=\"Page\"><id name=\"id\">{page}</id></property></object>"
            )
        };
        let all = [pages.concat(), set("80", "View", "11"), set("81", "Edit", "13")].concat();
        let (documents, _) = imported(&[("entities.xml", &export(&all))]);
        let states: Vec<State> = documents.iter().map(|document| document.state).collect();
        assert_eq!(states, [State::Draft, State::Draft, State::Active]);
        assert!(documents[1].losses.iter().any(|loss| loss.kind == "restricted"));
    }

    #[test]
    fn files_of_an_export_as_html_are_found_by_all_their_addresses() {
        let page = |title: &str, crumbs: &str, body: &str| {
            format!(
                "<html><head><title>S : {title}</title></head><body><div id=\"main\" class=\"aui-page-panel\"><ol id=\"breadcrumbs\"><li>S</li>{crumbs}</ol>\
                 <h1><span id=\"title-text\">S : {title}</span></h1><div class=\"page-metadata\">Created by <span class=\"author\">Eva</span> on 19.08.2025</div>\
                 <div id=\"main-content\" class=\"wiki-content group\">{body}</div>\
                 <div class=\"greybox\"><a href=\"attachments/100/501.png\">Схема.png</a> <a href=\"attachments/100/502.pdf\">how.pdf</a></div></div></body></html>"
            )
        };
        let first = page(
            "One",
            "<li>GIS</li>",
            "<p><img src=\"../out/attachments/100/501.png\"><img src=\"/wiki/x.png\" data-image-src=\"attachments/100/501.png\">\
             <a href=\"/wiki/download/attachments/100/how.pdf?version=1\">how</a> <a href=\"/display/S/Two\">two</a> <a href=\"/display/~eva\">Eva</a> <a href=\"https://other.example/display/T/Two\">other</a>\
             <img class=\"emoticon\" data-emoji-fallback=\"\\uD83D\\uDDD3\"></p>\
             <div class=\"tabs-pane\" role=\"tabpanel\" aria-hidden=\"true\"><p>Вторая вкладка</p></div><table><tr><td>x</td><td>y</td></tr><tr style=\"display: none\"><td>Upload</td><td>z</td></tr></table>",
        );
        let second = page(
            "Two",
            "<li>Math</li>",
            "<ul class=\"childpages-macro\"><li><a href=\"One_100.html\">One</a></li></ul>",
        );
        let (documents, _) = imported(&[
            ("One_100.html", &format!("{first}<!-- generated by Confluence -->")),
            ("Two_200.html", &second),
            (
                "index.html",
                "<p>Space Details:</p><table><tr><th>Key</th><td class=\"confluenceTd\">S</td></tr></table>",
            ),
            ("attachments/100/501.png", "x"),
            ("attachments/100/502.pdf", "x"),
        ]);
        let one = &documents[0];
        let text = &one.markdown;
        assert_eq!(text.matches("](within:attachments/100/501.png)").count(), 2, "{text}");
        assert!(
            text.contains("[how](within:attachments/100/502.pdf) [two](within:200)")
                && text.contains("[other](https://other.example"),
            "{text}"
        );
        assert!(text.contains("🗓") && text.contains("Вторая вкладка") && !text.contains("Upload"), "{text}");
        assert_eq!((one.owner.as_deref(), one.changed.as_deref()), (Some("Eva"), Some("2025-08-19")));
        // The space has two first pages: neither is the space itself.
        assert_eq!(one.folders, ["S", "GIS"]);
        // What only lists other pages is not empty.
        assert_eq!(documents[1].markdown.trim(), "- [One](within:100)");
    }

    #[test]
    fn pages_exported_as_html_are_read() {
        let html = "<html><head><title>Тарифы : Роуминг</title></head><body><div id=\"main\" class=\"aui-page-panel\"><ol id=\"breadcrumbs\">\
             <li><a href=\"index.html\">Тарифы</a></li><li><a href=\"1000.html\">Начало</a></li><li><a href=\"Up_1001.html\">Выше</a></li></ol>\
             <h1 id=\"title-heading\"><span id=\"title-text\">Тарифы : Роуминг</span></h1><div class=\"page-metadata\">Created by <span class=\"author\">A</span>, \
             last modified by <span class=\"editor\">B</span> on Jul 16, 2024</div><div id=\"main-content\" class=\"wiki-content group\">\
             <div class=\"confluence-information-macro confluence-information-macro-tip\"><p class=\"title\">Важно знать</p>\
             <div class=\"confluence-information-macro-body\"><p>Да</p></div></div><p><a href=\"Up_1001.html\">вверх</a> <img src=\"attachments/1002/1.png\"></p></div>\
             <div id=\"footer\">Document generated by Confluence</div></div></body></html>";
        let (documents, unreadable) = imported(&[
            ("TS/Roaming_1002.html", html),
            ("TS/Up_1001.html", "<div id=\"main-content\" class=\"wiki-content\"></div>"),
            ("TS/index.html", "<p>generated by Confluence"),
            ("TS/attachments/1002/1.png", "x"),
        ]);
        let page = &documents[0];
        assert_eq!(
            (page.key.as_str(), page.title.as_str(), page.folders.join("/")),
            ("1002", "Роуминг", "Тарифы/Выше".to_owned())
        );
        assert_eq!((page.owner.as_deref(), page.changed.as_deref()), (Some("B"), Some("2024-07-16")));
        assert_eq!(
            page.markdown,
            "> [!TIP]\n> **Важно знать**\n>\n> Да\n\n[вверх](within:1001) ![](within:TS/attachments/1002/1.png)\n"
        );
        assert_eq!(unreadable.keys().collect::<Vec<_>>(), ["TS/index.html"]);
    }
}
