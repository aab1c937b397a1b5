//! Times as whole ticks, and how playlists print them.

use std::fmt;
use std::time::Duration;

/// A length of time: so many ticks of a timescale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// How many ticks.
    pub ticks: u64,
    /// Ticks per second; never zero.
    pub timescale: u32,
}

impl Span {
    /// `ticks` of a timescale; a negative count is taken as none.
    pub(crate) fn new(ticks: i64, timescale: u32) -> Self {
        Self {
            ticks: u64::try_from(ticks).unwrap_or(0),
            timescale: timescale.max(1),
        }
    }

    /// The nearest number of microseconds.
    pub fn micros(self) -> u64 {
        self.scaled(1_000_000)
    }

    /// The same length as a [`Duration`], to the microsecond.
    pub fn duration(self) -> Duration {
        Duration::from_micros(self.micros())
    }

    /// The nearest number of ticks of another timescale.
    pub fn scaled(self, timescale: u32) -> u64 {
        let from = u128::from(self.timescale.max(1));
        let wide = (u128::from(self.ticks) * u128::from(timescale) + from / 2) / from;
        u64::try_from(wide).unwrap_or(u64::MAX)
    }
}

/// Seconds with five digits after the point, as every duration in a playlist: equal lengths print alike, and sums of
/// parts agree with their segment far below a frame.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.scaled(100_000);
        write!(f, "{}.{:05}", units / 100_000, units % 100_000)
    }
}

/// A duration as ticks of a timescale, rounded down.
pub(crate) fn ticks_of(duration: Duration, timescale: u32) -> i64 {
    let wide = duration.as_micros() * u128::from(timescale) / 1_000_000;
    i64::try_from(wide).unwrap_or(i64::MAX)
}

/// A time in ticks of one timescale as ticks of another, rounded down.
pub(crate) fn rescale(ticks: i64, from: u32, to: u32) -> i64 {
    if from == to {
        return ticks;
    }
    let wide = (i128::from(ticks) * i128::from(to)).div_euclid(i128::from(from.max(1)));
    i64::try_from(wide).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX })
}

/// A wall-clock time in milliseconds since 1970, printed as ISO 8601 in UTC: `2026-11-20T09:07:24.153Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub i64);

impl DateTime {
    /// From microseconds since 1970.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.div_euclid(1_000))
    }

    /// The same as a 64-bit NTP timestamp: seconds since 1900 and their binary fraction.
    pub(crate) fn ntp(self) -> u64 {
        const SECONDS_FROM_1900_TO_1970: i64 = 2_208_988_800;
        let seconds = self.0.div_euclid(1_000).saturating_add(SECONDS_FROM_1900_TO_1970);
        let fraction = (self.0.rem_euclid(1_000) << 32) / 1_000;
        ((seconds as u64) << 32) | fraction as u64
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, of_day) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let (year, month, day) = civil(days);
        let (seconds, millis) = (of_day / 1_000, of_day % 1_000);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"
        )
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is a year's last; 400 years are 146,097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (400 * era + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_print_as_seconds_with_five_digits() {
        for (ticks, timescale, text) in [
            (0, 90_000, "0.00000"),
            (30_000, 90_000, "0.33333"),
            (60_000, 90_000, "0.66667"),
            (1_024, 48_000, "0.02133"),
            (749_250, 90_000, "8.32500"),
        ] {
            assert_eq!(Span::new(ticks, timescale).to_string(), text);
        }
    }

    #[test]
    fn date_times_print_as_iso_8601() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_165_644_153, "2026-11-20T09:07:24.153Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(DateTime(millis).to_string(), text);
        }
    }

    #[test]
    fn ntp_counts_from_1900() {
        assert_eq!(DateTime(0).ntp(), 2_208_988_800 << 32);
        assert_eq!(DateTime(500).ntp() & 0xffff_ffff, 1 << 31);
    }

    #[test]
    fn rescaling_rounds_down_and_never_overflows() {
        assert_eq!(rescale(-1, 90_000, 48_000), -1);
        assert_eq!(rescale(180_000, 90_000, 44_100), 88_200);
        assert_eq!(rescale(i64::MAX, 1, 90_000), i64::MAX);
        assert_eq!(rescale(i64::MIN, 1, 90_000), i64::MIN);
    }
}
