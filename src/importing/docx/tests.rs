//! Tests of whole DOCX files, made here.

use std::io::{Cursor, Write};

use super::*;

const W: &str = "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main' \
    xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships' \
    xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main'";

fn file(body: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let numbering = "<w:abstractNum w:abstractNumId='0'><w:lvl w:ilvl='0'><w:start w:val='1'/><w:numFmt w:val='decimal'/><w:lvlText w:val='%1.'/></w:lvl>\
        <w:lvl w:ilvl='1'><w:numFmt w:val='bullet'/><w:lvlText w:val='•'/></w:lvl></w:abstractNum><w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num>";
    let styles = "<w:style w:styleId='1'><w:name w:val='Заголовок 1'/></w:style><w:style w:styleId='2'><w:basedOn w:val='1'/><w:name w:val='x'/><w:pPr><w:outlineLvl w:val='1'/></w:pPr></w:style>";
    let parts = [
        ("word/document.xml", format!("<w:document {W}><w:body>{body}</w:body></w:document>")),
        ("word/styles.xml", format!("<w:styles {W}>{styles}</w:styles>")),
        ("word/numbering.xml", format!("<w:numbering {W}>{numbering}</w:numbering>")),
        ("word/footnotes.xml", format!("<w:footnotes {W}><w:footnote w:id='2'><w:p><w:r><w:t>Сноска</w:t></w:r></w:p></w:footnote></w:footnotes>")),
        (
            "word/_rels/document.xml.rels",
            "<Relationships xmlns='r'><Relationship Id='a' Type='x/hyperlink' Target='https://a.example' TargetMode='External'/>\
             <Relationship Id='b' Type='x/image' Target='media/p.png'/><Relationship Id='c' Type='x/hyperlink' Target='javascript:alert(1)' TargetMode='External'/></Relationships>"
                .to_owned(),
        ),
        ("word/media/p.png", "PNG".to_owned()),
        ("docProps/core.xml", "<p xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:t='http://purl.org/dc/terms/'><dc:creator>Иванов</dc:creator><t:modified>2024-02-03T00:00:00Z</t:modified></p>".to_owned()),
    ];
    for (name, text) in parts {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn read_body(body: &str) -> Document {
    document("Папка/Файл.docx", file(body)).unwrap()
}

fn p(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

fn item(level: usize, text: &str) -> String {
    format!(
        "<w:p><w:pPr><w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='1'/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"
    )
}

#[test]
fn headings_links_and_properties() {
    let read = read_body(
        "<w:p><w:pPr><w:pStyle w:val='1'/></w:pPr><w:r><w:t>Тема</w:t></w:r></w:p>\
         <w:p><w:pPr><w:pStyle w:val='2'/></w:pPr><w:bookmarkStart w:name='м'/><w:r><w:rPr><w:b/></w:rPr><w:t>Часть</w:t></w:r></w:p>\
         <w:p><w:hyperlink r:id='a'><w:r><w:t>сайт</w:t></w:r></w:hyperlink></w:p>",
    );
    assert_eq!(
        (read.title.as_str(), read.markdown.as_str()),
        ("Тема", "## Часть\n\n[сайт](https://a.example)\n")
    );
    assert_eq!((read.owner.as_deref(), read.changed.as_deref()), (Some("Иванов"), Some("2024-02-03")));
    assert_eq!(read.folders, ["Папка"]);
}

#[test]
fn fields_are_links_and_contents_go() {
    let field = |instruction: &str, text: &str| {
        format!(
            "<w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText>{instruction}</w:instrText></w:r><w:r><w:fldChar w:fldCharType='separate'/></w:r>\
            <w:r><w:t>{text}</w:t></w:r><w:r><w:fldChar w:fldCharType='end'/></w:r>"
        )
    };
    let read = read_body(&format!(
        "<w:p>{}</w:p><w:p><w:pPr><w:pStyle w:val='2'/></w:pPr><w:bookmarkStart w:name='м'/><w:r><w:t>Часть</w:t></w:r></w:p><w:p>{}{}{}</w:p>",
        field("TOC \\o", "Часть 1"),
        field("HYPERLINK \"https://b.example\"", "б"),
        field("HYPERLINK \\l \"м\"", "в"),
        field("HYPERLINK \"javascript:x()\"", "г"),
    ));
    assert_eq!(read.markdown, "## Часть {#м}\n\n[б](https://b.example)[в](#м)г\n");
    let kinds: Vec<&str> = read.losses.iter().map(|loss| loss.kind.as_str()).collect();
    assert_eq!(kinds, ["contents", "link"]);
}

#[test]
fn lists_nest_and_go_on() {
    let read = read_body(&[item(0, "а"), item(1, "б"), item(0, "в"), p("текст"), item(0, "г")].concat());
    assert_eq!(read.markdown, "1. а\n   - б\n2. в\n\nтекст\n\n3. г\n");
    assert_eq!(read.had.items, 4);
}

#[test]
fn cells_are_spread() {
    let cell =
        |properties: &str, text: &str| format!("<w:tc><w:tcPr>{properties}</w:tcPr>{}</w:tc>", p(text));
    let read = read_body(&format!(
        "<w:tbl><w:tr>{}{}</w:tr><w:tr>{}{}{}</w:tr><w:tr>{}{}{}</w:tr></w:tbl>",
        cell("", "1"),
        cell("<w:gridSpan w:val='2'/>", "2|"),
        cell("<w:vMerge w:val='restart'/>", "3"),
        cell("", "4"),
        cell("", "5"),
        cell("<w:vMerge/>", ""),
        cell("", "6"),
        cell("", "7")
    ));
    assert_eq!(read.markdown, "| 1 | 2\\| |  |\n| --- | --- | --- |\n| 3 | 4 | 5 |\n| 3 | 6 | 7 |\n");
    assert_eq!(read.losses[0].kind, "merged-cells");
}

#[test]
fn changes_notes_and_pictures() {
    let read = read_body(
        "<w:p><w:ins><w:r><w:t>новое</w:t></w:r></w:ins><w:del><w:r><w:delText>старое</w:delText></w:r></w:del><w:r><w:footnoteReference w:id='2'/></w:r></w:p>\
         <w:p><w:r><w:drawing><a:blip r:embed='b'/></w:drawing></w:r></w:p>",
    );
    assert_eq!(
        read.markdown,
        "новое\\[1]\n\n![](within:%D0%9F%D0%B0%D0%BF%D0%BA%D0%B0/%D0%A4%D0%B0%D0%B9%D0%BB.docx%21/word/media/p.png)\n\n---\n\n1. Сноска\n"
    );
    assert_eq!(read.losses.iter().filter(|loss| loss.kind == "tracked-change").count(), 2);
    let archive = Archive::of_bytes("Файл.docx", file("")).unwrap();
    assert_eq!(part(&archive, "Файл.docx!/word/media/p.png").unwrap(), b"PNG");
    assert!(part(&archive, "Файл.docx!/../x").is_err());
}

#[test]
fn hostile_files_are_refused_or_read() {
    let deep = format!("{}{}", "<w:tbl><w:tr><w:tc>".repeat(60), "</w:tc></w:tr></w:tbl>".repeat(60));
    assert!(document("a.docx", file(&deep)).is_ok());
    let deeper = format!("{}{}", "<w:sdtContent>".repeat(3000), "</w:sdtContent>".repeat(3000));
    assert!(document("a.docx", file(&deeper)).unwrap_err().contains("deep"));
    let whole = file(&p("текст"));
    for length in (0..whole.len()).step_by(7) {
        let _ = document("a.docx", whole[..length].to_vec());
    }
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 0x55;
        let _ = document("a.docx", broken);
    }
    let spans = "<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val='4000000000'/></w:tcPr><w:p/></w:tc><w:tc/></w:tr></w:tbl>";
    assert!(document("a.docx", file(spans)).is_ok());
}
