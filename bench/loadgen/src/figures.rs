//! Percentiles of what was measured.

use serde_json::{Value, json};

/// Measured times, in milliseconds.
#[derive(Default)]
pub struct Times(Vec<f64>);

impl Times {
    pub fn add_micros(&mut self, micros: u64) {
        self.0.push(micros as f64 / 1e3);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    pub fn figures(mut self) -> Value {
        if self.0.is_empty() {
            return Value::Null;
        }
        self.0.sort_by(f64::total_cmp);
        json!({
            "count": self.0.len(), "min": self.at(0.0), "p50": self.at(0.5), "p99": self.at(0.99), "max": self.at(1.0),
        })
    }

    fn at(&self, share: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * share).round() as usize]
    }
}
