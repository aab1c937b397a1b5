//! Documentation that cannot rot unseen: links resolve, and items of code that are named exist.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::links;

/// Checks every Markdown page of the repository.
pub fn check(root: &Path) -> Result<()> {
    let mut faults = Vec::new();
    for page in pages(root)? {
        let text = std::fs::read_to_string(root.join(&page)).with_context(|| page.display().to_string())?;
        faults.extend(links::faults(root, &page, &text));
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!(
        "the documentation is wrong in {} places:\n  {}",
        faults.len(),
        faults.join("\n  ")
    )
}

/// Every Markdown file that git knows or would add.
fn pages(root: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    ensure!(
        output.status.success(),
        "git ls-files failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let names = String::from_utf8(output.stdout)?;
    Ok(names
        .lines()
        .map(PathBuf::from)
        .filter(|page| root.join(page).exists())
        .collect())
}
