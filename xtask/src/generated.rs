//! Pages that the program itself writes. A test of the program compares them with the committed ones.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The reference of every configuration key, as `headwater config docs` prints it.
const CONFIGURATION: &str = "docs/configuration.md";

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
