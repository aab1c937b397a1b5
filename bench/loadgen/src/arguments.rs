//! `COMMAND --name value …`, and nothing more.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

pub struct Arguments {
    pub command: String,
    values: HashMap<String, String>,
}

impl Arguments {
    pub fn from_command_line() -> Result<Self> {
        let mut words = std::env::args().skip(1);
        let command = words.next().unwrap_or_default();
        let mut values = HashMap::new();
        while let Some(name) = words.next() {
            let name = name
                .strip_prefix("--")
                .with_context(|| format!("not an option: {name}"))?
                .to_owned();
            let value = words.next().with_context(|| format!("no value for --{name}"))?;
            values.insert(name, value);
        }
        Ok(Self { command, values })
    }

    pub fn text(&self, name: &str) -> Result<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("--{name} is needed"))
    }

    pub fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T> {
        let Some(text) = self.values.get(name) else {
            return Ok(default);
        };
        text.parse().map_err(|_| anyhow!("--{name} is not a number: {text}"))
    }

    pub fn seconds(&self, name: &str, default: f64) -> Result<Duration> {
        Ok(Duration::from_secs_f64(self.number(name, default)?))
    }
}
