//! Colours of a video track: `colorInfo` in a metadata packet (Enhanced RTMP v2, "Metadata Frame").

use media::{ColorInfo, Gamut, LightLevel, MasteringDisplay};

use super::Error;
use crate::amf0::{self, Budget, Properties, Value};

/// Bytes of the metadata in one packet.
pub(super) const METADATA_BYTES_MAX: usize = 64 << 10;
const BUDGET: Budget = Budget { depth: 4, values: 256 };

/// Reads pairs of name and value. `None` if none of them is about colours; `Some(None)` if what was said of them no longer holds.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Option<ColorInfo>>, Error> {
    if bytes.len() > METADATA_BYTES_MAX {
        return Err(Error::Metadata);
    }
    let mut reader = amf0::Reader::new(bytes, BUDGET);
    let mut found = None;
    while !reader.is_empty() {
        let mut value = || reader.value().map_err(|_| Error::Metadata);
        let (name, value) = (value()?, value()?);
        if name.as_str() == Some("colorInfo") {
            found = Some(color(&value));
        }
    }
    Ok(found)
}

/// No properties at all mean that what was said before no longer holds.
fn color(value: &Value) -> Option<ColorInfo> {
    value.properties().filter(|properties| !properties.is_empty())?;
    let config = value.property("colorConfig");
    let number = |name| code_point(config?.property(name)?.as_number()?);
    Some(ColorInfo {
        bit_depth: number("bitDepth"),
        primaries: number("colorPrimaries"),
        transfer: number("transferCharacteristics"),
        matrix: number("matrixCoefficients"),
        light_level: value.property("hdrCll").and_then(light_level),
        mastering: value.property("hdrMdcv").and_then(mastering),
    })
}

fn code_point(number: f64) -> Option<u8> {
    // The range is checked, and a float-to-integer cast saturates anyway.
    (0.0..=255.0).contains(&number).then_some(number as u8)
}

fn light_level(value: &Value) -> Option<LightLevel> {
    let nits = |name| scaled(value.property(name)?.as_number()?, 1.0, u16::MAX.into());
    let level = |name| nits(name).and_then(|nits| u16::try_from(nits).ok());
    Some(LightLevel {
        max_content: level("maxCLL")?,
        max_frame_average: level("maxFall").unwrap_or_default(),
    })
}

fn mastering(value: &Value) -> Option<MasteringDisplay> {
    let luminance = |name| scaled(value.property(name)?.as_number()?, LUMINANCE_STEPS, u32::MAX);
    Some(MasteringDisplay {
        gamut: gamut(value),
        max_luminance: luminance("maxLuminance")?,
        min_luminance: luminance("minLuminance").unwrap_or_default(),
    })
}

/// Steps in one cd/m².
const LUMINANCE_STEPS: f64 = 10_000.0;
/// Steps between 0 and 1 in the diagram.
const CHROMATICITY_STEPS: f64 = 50_000.0;

fn gamut(value: &Value) -> Option<Gamut> {
    let coordinate = |name| {
        let steps = scaled(value.property(name)?.as_number()?, CHROMATICITY_STEPS, 50_000)?;
        u16::try_from(steps).ok()
    };
    let point = |x, y| Some([coordinate(x)?, coordinate(y)?]);
    Some(Gamut {
        red: point("redX", "redY")?,
        green: point("greenX", "greenY")?,
        blue: point("blueX", "blueY")?,
        white: point("whitePointX", "whitePointY")?,
    })
}

/// A number in steps; `None` where it is negative, too large or none.
fn scaled(number: f64, steps: f64, max: u32) -> Option<u32> {
    let scaled = (number * steps).round();
    (0.0..=f64::from(max)).contains(&scaled).then_some(scaled as u32)
}

/// The pair that says these colours, or that what was said before no longer holds.
pub(super) fn write(color: Option<&ColorInfo>) -> Vec<u8> {
    let mut out = Vec::new();
    amf0::write(&mut out, &"colorInfo".into());
    amf0::write(&mut out, &color.map_or(Value::Undefined, to_value));
    out
}

fn to_value(color: &ColorInfo) -> Value {
    let config = [
        ("bitDepth", color.bit_depth),
        ("colorPrimaries", color.primaries),
        ("transferCharacteristics", color.transfer),
        ("matrixCoefficients", color.matrix),
    ];
    let config = config
        .into_iter()
        .filter_map(|(name, code)| Some((name, f64::from(code?))));
    let mut properties = vec![("colorConfig".to_owned(), object(config))];
    if let Some(level) = color.light_level {
        let pairs = [("maxFall", level.max_frame_average), ("maxCLL", level.max_content)];
        let pairs = pairs.into_iter().map(|(name, nits)| (name, f64::from(nits)));
        properties.push(("hdrCll".to_owned(), object(pairs)));
    }
    if let Some(display) = color.mastering {
        properties.push(("hdrMdcv".to_owned(), object(display_numbers(display))));
    }
    Value::Object(properties)
}

fn display_numbers(display: MasteringDisplay) -> impl Iterator<Item = (&'static str, f64)> {
    let chromaticities = display.gamut.into_iter().flat_map(|gamut| {
        let points = [
            (["redX", "redY"], gamut.red),
            (["greenX", "greenY"], gamut.green),
            (["blueX", "blueY"], gamut.blue),
            (["whitePointX", "whitePointY"], gamut.white),
        ];
        points
            .into_iter()
            .flat_map(|(names, point)| names.into_iter().zip(point))
    });
    let chromaticities = chromaticities.map(|(name, steps)| (name, f64::from(steps) / CHROMATICITY_STEPS));
    let luminances = [
        ("maxLuminance", display.max_luminance),
        ("minLuminance", display.min_luminance),
    ];
    let luminances = luminances.map(|(name, steps)| (name, f64::from(steps) / LUMINANCE_STEPS));
    chromaticities.chain(luminances)
}

fn object(numbers: impl Iterator<Item = (&'static str, f64)>) -> Value {
    let properties: Properties = numbers
        .map(|(name, number)| (name.to_owned(), Value::Number(number)))
        .collect();
    Value::Object(properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hdr10() -> ColorInfo {
        ColorInfo {
            bit_depth: Some(10),
            primaries: Some(9),
            transfer: Some(16),
            matrix: Some(9),
            light_level: Some(LightLevel {
                max_content: 1_000,
                max_frame_average: 400,
            }),
            mastering: Some(MasteringDisplay {
                gamut: Some(Gamut {
                    red: [35_400, 14_600],
                    green: [8_500, 39_850],
                    blue: [6_550, 2_300],
                    white: [15_635, 16_450],
                }),
                max_luminance: 10_000_000,
                min_luminance: 1,
            }),
        }
    }

    #[test]
    fn colours_come_back_as_they_were_written() {
        let bare = ColorInfo {
            light_level: None,
            mastering: None,
            ..hdr10()
        };
        for color in [hdr10(), bare] {
            assert_eq!(read(&write(Some(&color))), Ok(Some(Some(color))));
        }
        assert!(hdr10().is_hdr() && !ColorInfo::default().is_hdr());
    }

    #[test]
    fn undefined_and_an_empty_object_take_back_what_was_said() {
        assert_eq!(read(&write(None)), Ok(Some(None)));
        assert_eq!(read(b"\x02\0\x09colorInfo\x03\0\0\x09"), Ok(Some(None)));
    }

    #[test]
    fn a_display_of_which_only_the_luminance_is_known_is_taken_as_obs_sends_it() {
        let display = [("maxLuminance", 1_000.0), ("minLuminance", 0.0)];
        let info = Value::Object(vec![("hdrMdcv".into(), object(display.into_iter()))]);
        let mut bytes = Vec::new();
        amf0::write(&mut bytes, &"colorInfo".into());
        amf0::write(&mut bytes, &info);
        let mastering = Some(MasteringDisplay {
            gamut: None,
            max_luminance: 10_000_000,
            min_luminance: 0,
        });
        let color = ColorInfo {
            mastering,
            ..ColorInfo::default()
        };
        assert_eq!(read(&bytes), Ok(Some(Some(color))));
    }

    #[test]
    fn numbers_that_no_display_has_are_left_out() {
        for number in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            let info = Value::Object(vec![
                ("colorConfig".into(), object([("colorPrimaries", number)].into_iter())),
                ("hdrCll".into(), object([("maxCLL", number)].into_iter())),
                ("hdrMdcv".into(), object([("maxLuminance", number)].into_iter())),
            ]);
            assert_eq!(color(&info), Some(ColorInfo::default()), "{number}");
        }
    }

    #[test]
    fn what_is_cut_off_or_too_large_is_an_error() {
        let whole = write(Some(&hdr10()));
        for end in 1..whole.len() {
            assert_eq!(read(&whole[..end]), Err(Error::Metadata), "cut at {end}");
        }
        assert_eq!(read(&vec![5; METADATA_BYTES_MAX + 1]), Err(Error::Metadata));
    }
}
