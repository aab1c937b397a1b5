//! Links between pages: the file exists, so does the heading, and an item named in code is still there.

use std::path::Path;

/// What is wrong with the links of one page, as lines for people.
pub fn faults(root: &Path, page: &Path, text: &str) -> Vec<String> {
    links(text)
        .into_iter()
        .filter_map(|link| fault(root, page, text, &link))
        .collect()
}

/// `[text](target)` on a line.
#[derive(Debug, PartialEq)]
struct Link {
    line: usize,
    text: String,
    target: String,
}

fn links(page: &str) -> Vec<Link> {
    prose(page).flat_map(|(line, text)| links_in(line, text)).collect()
}

/// Numbered lines outside fenced code.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    page.lines().zip(1..).filter_map(move |(text, line)| {
        let fence = text.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((line, text))
    })
}

fn links_in(line: usize, text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let Some((target, tail)) = after.split_once(')') else {
            break;
        };
        let label = before.rsplit_once('[').map_or("", |(_, label)| label);
        found.push(Link {
            line,
            text: label.to_owned(),
            target: target.to_owned(),
        });
        rest = tail;
    }
    found
}

fn fault(root: &Path, page: &Path, own_text: &str, link: &Link) -> Option<String> {
    if ["http://", "https://", "mailto:"]
        .iter()
        .any(|scheme| link.target.starts_with(scheme))
    {
        return None;
    }
    let what = broken(root, page, own_text, link)?;
    Some(format!("{}:{}: {what}: {}", page.display(), link.line, link.target))
}

fn broken(root: &Path, page: &Path, own_text: &str, link: &Link) -> Option<&'static str> {
    let (file, heading) = link.target.split_once('#').unwrap_or((&link.target, ""));
    if file.is_empty() {
        return (!has_heading(own_text, heading)).then_some("no such heading");
    }
    let path = root.join(page).parent()?.join(file);
    if !path.exists() {
        return Some("no such file");
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    if !heading.is_empty() && !has_heading(&text, heading) {
        return Some("no such heading");
    }
    let item = named_item(link)?;
    (!text.contains(item)).then_some("the file does not name this item any more")
}

/// `message_bytes_max` of a link like [`Limits::message_bytes_max`](limits.rs).
fn named_item(link: &Link) -> Option<&str> {
    let code = link.text.strip_prefix('`')?.strip_suffix('`')?;
    link.target.ends_with(".rs").then(|| code.rsplit("::").next())?
}

fn has_heading(page: &str, wanted: &str) -> bool {
    prose(page).any(|(_, line)| line.starts_with('#') && slug(line) == wanted)
}

/// The anchor that code hosts give a heading: lower case, hyphens for spaces, other punctuation dropped.
fn slug(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    words
        .chars()
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            '-' | '_' => Some(letter),
            _ => letter.is_alphanumeric().then_some(letter),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn faults_in(text: &str) -> Vec<String> {
        faults(here(), Path::new("page.md"), text)
    }

    #[test]
    fn links_to_files_that_exist_pass() {
        assert!(faults_in("see [this](src/links.rs) and [that](https://example.org/none)").is_empty());
    }

    #[test]
    fn a_link_to_nowhere_is_named_with_its_line() {
        assert_eq!(
            faults_in("\n[gone](src/gone.rs)"),
            ["page.md:2: no such file: src/gone.rs"]
        );
    }

    #[test]
    fn an_item_that_was_renamed_is_found() {
        assert!(faults_in("[`links::named_item`](src/links.rs)").is_empty());
        let gone = ["never", "written"].join("_");
        let text = format!("[`{gone}`](src/links.rs)");
        assert_eq!(
            faults_in(&text),
            ["page.md:1: the file does not name this item any more: src/links.rs"]
        );
    }

    #[test]
    fn headings_are_found_by_their_anchor() {
        assert!(faults_in("# One log, one cursor\n[up](#one-log-one-cursor)").is_empty());
        assert_eq!(faults_in("# One\n[up](#two)"), ["page.md:2: no such heading: #two"]);
    }

    #[test]
    fn code_blocks_hold_no_links() {
        assert!(faults_in("```\n[gone](gone.md)\n```").is_empty());
    }
}
