//! The one dependency rule: arrows point down, and crates of one row do not see each other.
//!
//! The rows are read from the table in ARCHITECTURE.md, so that the page cannot say one thing and the build another.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// Compares `cargo metadata` with the table of ARCHITECTURE.md.
pub fn check(root: &Path) -> Result<()> {
    let page = std::fs::read_to_string(root.join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    let faults = faults(&rows(&page)?, &crates(&metadata(root)?));
    if faults.is_empty() {
        return Ok(());
    }
    bail!(
        "the crates do not follow the rows of ARCHITECTURE.md:\n  {}",
        faults.join("\n  ")
    )
}

/// Row of each crate, by folder name.
type Rows = BTreeMap<String, u32>;

/// Folders under `crates/` that each crate depends on, in tests and builds too.
type Crates = BTreeMap<String, Vec<String>>;

/// Reads lines of the form `row 4   gateway   delivery`.
fn rows(page: &str) -> Result<Rows> {
    let mut rows = Rows::new();
    for line in page.lines() {
        let mut words = line.split_whitespace();
        if words.next() != Some("row") {
            continue;
        }
        let Some(row) = words.next().and_then(|word| word.parse().ok()) else {
            continue;
        };
        for name in words {
            ensure!(
                rows.insert(name.to_owned(), row).is_none(),
                "{name} stands in two rows of ARCHITECTURE.md"
            );
        }
    }
    ensure!(
        !rows.is_empty(),
        "ARCHITECTURE.md has no lines of the form: row 1   media"
    );
    Ok(rows)
}

fn metadata(root: &Path) -> Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn crates(metadata: &Value) -> Crates {
    items(&metadata["packages"])
        .filter_map(|package| {
            let name = crate_folder(Path::new(package["manifest_path"].as_str()?).parent()?)?;
            Some((name, inner_dependencies(package)))
        })
        .collect()
}

fn inner_dependencies(package: &Value) -> Vec<String> {
    items(&package["dependencies"])
        .filter_map(|dependency| crate_folder(Path::new(dependency["path"].as_str()?)))
        .collect()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// `hub` for `…/crates/hub`; nothing for a package elsewhere, such as xtask.
fn crate_folder(path: &Path) -> Option<String> {
    let inside = path.parent()?.file_name()? == "crates";
    inside.then(|| path.file_name()?.to_str().map(str::to_owned))?
}

fn faults(rows: &Rows, crates: &Crates) -> Vec<String> {
    let unlisted = crates
        .keys()
        .filter(|name| !rows.contains_key(*name))
        .map(|name| format!("{name} has no row"));
    let absent = rows
        .keys()
        .filter(|name| !crates.contains_key(*name))
        .map(|name| format!("{name} does not exist"));
    let arrows = crates
        .iter()
        .flat_map(|(name, below)| below.iter().map(move |other| (name, other)));
    let upward = arrows.filter_map(|(name, other)| {
        let (row, other_row) = (rows.get(name)?, rows.get(other)?);
        (other_row >= row).then(|| format!("{name} (row {row}) depends on {other} (row {other_row})"))
    });
    unlisted.chain(absent).chain(upward).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "text\nrow 3   app\nrow 2   rtmp   packager\nrow 1   media\n";

    fn crates_of(arrows: &[(&str, &[&str])]) -> Crates {
        arrows
            .iter()
            .map(|(name, below)| (name.to_string(), below.iter().map(|b| b.to_string()).collect()))
            .collect()
    }

    fn faults_of(arrows: &[(&str, &[&str])]) -> Vec<String> {
        faults(&rows(PAGE).unwrap(), &crates_of(arrows))
    }

    #[test]
    fn arrows_that_point_down_pass() {
        let arrows: &[(&str, &[&str])] = &[
            ("app", &["rtmp", "media"]),
            ("rtmp", &["media"]),
            ("packager", &["media"]),
            ("media", &[]),
        ];
        assert!(faults_of(arrows).is_empty());
    }

    #[test]
    fn a_neighbour_of_the_same_row_is_a_fault() {
        let arrows: &[(&str, &[&str])] = &[("app", &[]), ("rtmp", &["packager"]), ("packager", &[]), ("media", &[])];
        assert_eq!(faults_of(arrows), ["rtmp (row 2) depends on packager (row 2)"]);
    }

    #[test]
    fn an_arrow_upwards_is_a_fault() {
        let arrows: &[(&str, &[&str])] = &[("app", &[]), ("rtmp", &[]), ("packager", &[]), ("media", &["app"])];
        assert_eq!(faults_of(arrows), ["media (row 1) depends on app (row 3)"]);
    }

    #[test]
    fn the_table_and_the_folders_name_the_same_crates() {
        let arrows: &[(&str, &[&str])] = &[("app", &[]), ("rtmp", &[]), ("media", &[]), ("srt", &[])];
        assert_eq!(faults_of(arrows), ["srt has no row", "packager does not exist"]);
    }

    #[test]
    fn a_crate_is_known_by_its_folder_and_tools_are_left_out() {
        assert_eq!(crate_folder(Path::new("/somewhere/crates/app")), Some("app".to_owned()));
        assert_eq!(crate_folder(Path::new("/somewhere/xtask")), None);
    }
}
