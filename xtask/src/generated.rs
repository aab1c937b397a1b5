//! Pages that the program itself writes, and whether the committed ones are fresh.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The reference of every configuration key, as `headwater config docs` prints it.
const CONFIGURATION: &str = "docs/configuration.md";

/// Says which generated pages differ from what the program prints.
pub fn faults(root: &Path) -> Result<Vec<String>> {
    let committed = std::fs::read_to_string(root.join(CONFIGURATION)).unwrap_or_default();
    if committed == configuration(root)? {
        return Ok(Vec::new());
    }
    Ok(vec![format!(
        "{CONFIGURATION} is stale: write it again with: cargo xtask docs --write"
    )])
}

/// Writes the generated pages.
pub fn write(root: &Path) -> Result<()> {
    std::fs::write(root.join(CONFIGURATION), configuration(root)?).context(CONFIGURATION)
}

fn configuration(root: &Path) -> Result<String> {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "headwater", "--", "config", "docs"])
        .current_dir(root)
        .output()
        .context("headwater config docs")?;
    ensure!(
        output.status.success(),
        "headwater config docs failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
