//! The time, as unix microseconds: the system's, or one that a test moves.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where the time comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A clock that only moves when told to.
    Manual(Arc<AtomicI64>),
}

/// A moment: microseconds since 1970 began, UTC. In JSON it is RFC 3339 with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct Time(pub i64);

impl Clock {
    /// A clock for tests that stands at `time`.
    pub fn manual(time: Time) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(time.0)))
    }

    /// Now.
    pub fn now(&self) -> Time {
        match self {
            Self::System => Time::of(SystemTime::now()),
            Self::Manual(time) => Time(time.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock on; the system's does not hear of it.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(time) = self {
            time.fetch_add(micros(by), Ordering::SeqCst);
        }
    }
}

impl Time {
    /// The moment of a wall clock.
    pub fn of(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, micros))
    }

    /// Later by so much.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(micros(by)))
    }

    /// Earlier by so much.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(micros(by)))
    }

    /// How long ago `earlier` was; nothing if it is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// To the minute, as a person reads it: `2027-01-15 08:00 UTC`.
    pub fn in_words(self) -> String {
        let text = self.to_string();
        let (day, time) = text.split_once('T').expect("RFC 3339 has a T");
        let minute = time.rsplit_once(':').expect("RFC 3339 has seconds").0;
        format!("{day} {minute} UTC")
    }

    /// Whole seconds since 1970, as tokens carry them.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

/// The time for allowances: it never goes back, as the system's clock may when it is set.
#[derive(Clone, Debug)]
pub struct Ticks(pub Clock);

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl governor::clock::Clock for Ticks {
    type Instant = governor::nanos::Nanos;

    fn now(&self) -> Self::Instant {
        match &self.0 {
            Clock::System => START.elapsed().into(),
            Clock::Manual(time) => Duration::from_micros(time.load(Ordering::SeqCst).unsigned_abs()).into(),
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Time {
    /// RFC 3339 with milliseconds. The calendar is the algorithm "civil from days" of Howard Hinnant, *chrono-Compatible Low-Level Date
    /// Algorithms*.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, micros) = (self.0.div_euclid(86_400_000_000), self.0.rem_euclid(86_400_000_000));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let (seconds, millis) = (micros / 1_000_000, micros / 1_000 % 1_000);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"
        )
    }
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl utoipa::PartialSchema for Time {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl utoipa::ToSchema for Time {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_rfc_3339() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
            (1_795_262_399_999_999, "2026-11-21T11:59:59.999Z"),
            (4_107_542_399_000_000, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Time(micros).to_string(), text);
        }
    }

    #[test]
    fn a_manual_clock_moves_only_when_told_to() {
        let clock = Clock::manual(Time(5));
        let other = clock.clone();
        clock.advance(Duration::from_micros(7));
        assert_eq!(other.now(), Time(12));
    }
}
