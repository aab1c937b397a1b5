//! Puts the built web app into `OUT_DIR/dist`, from the first of four places that has it:
//!
//! 1. `WEB_DIST=/path`: a folder built before (packagers, CI).
//! 2. `web/build`, when its stamp equals the hash of the sources: whoever works on the app has it already.
//! 3. npm: a copy of the sources is installed and built under `OUT_DIR`.
//! 4. Nothing: a small page that says so. The feature `release-ui` makes this an error.
//!
//! The source tree is never written to.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use sha2::{Digest, Sha256};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What the built app depends on: `web/scripts/stamp.js` has the same list.
const INPUTS: [&str; 8] = [
    "package-lock.json",
    "package.json",
    "scripts",
    "src",
    "static",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
];

fn main() -> Result<()> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let web = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../web");
    announce_inputs(&web);
    let dist = out.join("dist");
    remove(&dist)?;
    match find_or_build(&web, &out) {
        Ok(built) => copy(&built, &dist),
        Err(error) if must_have_it() => Err(error),
        Err(error) => {
            warn(&format!("the web app is not part of this build: {error}"));
            // A path that is never there: the next build tries again, even though no source has changed.
            println!("cargo::rerun-if-changed={}", out.join("try-again").display());
            fs::create_dir_all(&dist)?;
            Ok(fs::write(dist.join("index.html"), include_str!("src/not-built.html"))?)
        }
    }
}

/// A release, or a folder that was named and is wrong: better no build than one without its app.
fn must_have_it() -> bool {
    ["CARGO_FEATURE_RELEASE_UI", "WEB_DIST"]
        .iter()
        .any(|name| env::var_os(name).is_some())
}

/// Tells cargo what to watch. A path that does not exist would make every build a new one.
fn announce_inputs(web: &Path) {
    println!("cargo::rerun-if-env-changed=WEB_DIST");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/not-built.html");
    let watched = INPUTS.iter().map(|input| web.join(input));
    for path in watched.chain([web.join("build/stamp")]).filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

/// The folder that holds a built app.
fn find_or_build(web: &Path, out: &Path) -> Result<PathBuf> {
    if let Some(given) = env::var_os("WEB_DIST") {
        let given = PathBuf::from(given);
        println!("cargo::rerun-if-changed={}", given.display());
        let whole = given.join("index.html").is_file();
        return if whole {
            Ok(given)
        } else {
            Err("WEB_DIST has no index.html".into())
        };
    }
    let built = web.join("build");
    if fs::read_to_string(built.join("stamp")).is_ok_and(|found| stamp(web).is_ok_and(|s| s == found)) {
        return Ok(built);
    }
    build(web, &out.join("web"))
}

/// Installs and builds a copy of the sources. What was installed stays for the next time.
fn build(web: &Path, work: &Path) -> Result<PathBuf> {
    fs::create_dir_all(work)?;
    let installed = work.join("installed-lock.json");
    for input in INPUTS.iter().chain([&".npmrc"]) {
        remove(&work.join(input))?;
        copy(&web.join(input), &work.join(input))?;
    }
    let lock = fs::read(work.join("package-lock.json"))?;
    if fs::read(&installed).ok().as_ref() != Some(&lock) {
        npm(work, &["ci", "--omit=dev", "--no-audit", "--no-fund"])?;
        fs::write(&installed, &lock)?;
    }
    remove(&work.join("build"))?;
    npm(work, &["run", "build"])?;
    Ok(work.join("build"))
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<()> {
    let run = Command::new("npm").args(arguments).current_dir(folder).output();
    let output = run.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "npm was not found; install Node.js 20.19 or newer with npm".to_owned(),
        _ => format!("npm does not run: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    for line in &lines[lines.len().saturating_sub(15)..] {
        warn(line);
    }
    Err(format!("npm {} failed in {}", arguments.join(" "), folder.display()).into())
}

/// The hash over all inputs: 64 hex digits, as `web/scripts/stamp.js` makes it.
fn stamp(web: &Path) -> Result<String> {
    let mut paths = Vec::new();
    for input in INPUTS {
        list(web, input.to_owned(), &mut paths)?;
    }
    paths.sort_unstable();
    let mut hash = Sha256::new();
    for path in paths {
        let bytes = fs::read(web.join(&path))?;
        hash.update(format!("{path}\n{}\n", bytes.len()));
        hash.update(&bytes);
    }
    Ok(hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

/// Every file below `path`, with forward slashes on every system.
fn list(root: &Path, path: String, into: &mut Vec<String>) -> Result<()> {
    let full = root.join(&path);
    if full.is_file() {
        into.push(path);
    } else if full.is_dir() {
        for entry in fs::read_dir(full)? {
            let name = entry?.file_name();
            list(root, format!("{path}/{}", name.to_string_lossy()), into)?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
    } else if from.is_file() {
        fs::copy(from, to)?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    if path.is_dir() {
        fs::remove_dir_all(path)?;
    } else if path.exists() {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn warn(line: &str) {
    println!("cargo::warning={line}");
}
