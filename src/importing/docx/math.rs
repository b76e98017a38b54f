//! Equations of a DOCX file in one line.

use crate::importing::xml::Node;

/// What an equation says: fractions with a slash, powers with `^`, indices with `_`, roots with `√`.
pub(super) fn said(node: &Node) -> String {
    let mut text = String::new();
    say(node, &mut text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn part(node: &Node, name: &str) -> String {
    node.child(name).map(said).unwrap_or_default()
}

fn grouped(text: String) -> String {
    if text.chars().count() > 1 { format!("({text})") } else { text }
}

fn sign(node: &Node, property: &str, name: &str, default: &str) -> String {
    let sign =
        node.child(property).and_then(|properties| properties.child(name)).and_then(|sign| sign.get("val"));
    sign.unwrap_or(default).to_owned()
}

fn say(node: &Node, text: &mut String) {
    match &*node.name {
        "m:t" | "w:t" => text.push_str(&node.text),
        "m:f" => {
            let (above, below) = (grouped(part(node, "m:num")), grouped(part(node, "m:den")));
            text.push_str(&format!("{above}/{below}"));
        }
        "m:sSup" => text.push_str(&format!("{}^{}", part(node, "m:e"), grouped(part(node, "m:sup")))),
        "m:sSub" => text.push_str(&format!("{}_{}", part(node, "m:e"), grouped(part(node, "m:sub")))),
        "m:sSubSup" => {
            let (sub, sup) = (grouped(part(node, "m:sub")), grouped(part(node, "m:sup")));
            text.push_str(&format!("{}_{sub}^{sup}", part(node, "m:e")));
        }
        "m:rad" => {
            let degree = part(node, "m:deg");
            text.push_str(&format!("{degree}√({})", part(node, "m:e")));
        }
        "m:nary" => {
            text.push_str(&sign(node, "m:naryPr", "m:chr", "∫"));
            for (mark, name) in [("_", "m:sub"), ("^", "m:sup")] {
                let limit = grouped(part(node, name));
                if !limit.is_empty() {
                    text.push_str(&format!("{mark}{limit}"));
                }
            }
            text.push_str(&format!(" {}", part(node, "m:e")));
        }
        "m:d" => {
            text.push_str(&sign(node, "m:dPr", "m:begChr", "("));
            let parts: Vec<String> =
                node.children.iter().filter(|child| &*child.name == "m:e").map(said).collect();
            text.push_str(&parts.join(", "));
            text.push_str(&sign(node, "m:dPr", "m:endChr", ")"));
        }
        "m:mr" => {
            let parts: Vec<String> =
                node.children.iter().filter(|child| &*child.name == "m:e").map(said).collect();
            text.push_str(&format!("{}; ", parts.join(", ")));
        }
        "w:rPr" | "m:rPr" | "m:ctrlPr" | "w:del" => {}
        _ => node.children.iter().for_each(|child| say(child, text)),
    }
}
