//! The reference manual of every key, as Markdown.

use std::fmt::Write as _;

use super::keys::{Form, KEYS, Key, variable};

/// The whole page.
pub fn page() -> String {
    let mut page = String::from(HEAD);
    let mut section = "";
    for key in KEYS {
        let (of, _) = key.name.split_once('.').unwrap_or((key.name, ""));
        if of != section {
            section = of;
            let _ = write!(
                page,
                "\n## {section}\n\n| key | default | variable | |\n|---|---|---|---|\n"
            );
        }
        row(&mut page, key);
    }
    page
}

const HEAD: &str = "# Configuration

Values come from a TOML file (`--config FILE`, by default `headwater.toml` in the working folder, where present), then from
environment variables, then from flags; the later wins. `headwater config check` says what is wrong with them,
`headwater config print` what is in force and where it comes from. An unknown key is an error.

Times are written with a unit: `333 ms`, `2 s`, `10 m`, `1 h`, `365 d`. Lists are separated by commas, or arrays in the file. Addresses to listen on are `ADDRESS:PORT`, or `off`.

This page is the output of `headwater config docs`.
";

fn row(page: &mut String, key: &Key) {
    let default = if key.default.is_empty() {
        "–".to_owned()
    } else {
        format!("`{}`", key.default)
    };
    let choices = match key.form {
        Form::Choice(words) => format!(" One of {}.", words.map_words()),
        _ => String::new(),
    };
    let _ = writeln!(
        page,
        "| `{}` | {default} | `{}` | {}{choices} |",
        key.name,
        variable(key.name),
        key.doc
    );
}

trait Words {
    fn map_words(&self) -> String;
}

impl Words for &[&str] {
    fn map_words(&self) -> String {
        self.iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}
