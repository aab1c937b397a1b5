//! The levels of the codecs, so that playlists can name a rung's codec before its encoder runs.

use hub::Codec;

use super::Shape;

/// H.264 table A-1: level, macroblocks per second, macroblocks of a picture, kilobits per second (Main; High may have 1.25 of it).
const AVC: [(u8, u64, u64, u64); 14] = [
    (10, 1_485, 99, 64),
    (11, 3_000, 396, 192),
    (12, 6_000, 396, 384),
    (13, 11_880, 396, 768),
    (21, 19_800, 792, 4_000),
    (30, 40_500, 1_620, 10_000),
    (31, 108_000, 3_600, 14_000),
    (32, 216_000, 5_120, 20_000),
    (40, 245_760, 8_192, 20_000),
    (42, 522_240, 8_704, 50_000),
    (50, 589_824, 22_080, 135_000),
    (51, 983_040, 36_864, 240_000),
    (52, 2_073_600, 36_864, 240_000),
    (62, 16_711_680, 139_264, 800_000),
];

/// H.265 table A.8 and A.9, main tier: level, samples per second, samples of a picture, kilobits per second.
const HEVC: [(u8, u64, u64, u64); 10] = [
    (20, 3_686_400, 122_880, 1_500),
    (21, 7_372_800, 245_760, 3_000),
    (30, 16_588_800, 552_960, 6_000),
    (31, 33_177_600, 983_040, 10_000),
    (40, 66_846_720, 2_228_224, 12_000),
    (41, 133_693_440, 2_228_224, 20_000),
    (50, 267_386_880, 8_912_896, 25_000),
    (51, 534_773_760, 8_912_896, 40_000),
    (52, 1_069_547_520, 8_912_896, 60_000),
    (62, 4_278_190_080, 35_651_584, 240_000),
];

/// AV1 annex A.3: level index, displayed samples per second, samples of a picture, kilobits per second (main tier).
const AV1: [(u8, u64, u64, u64); 10] = [
    (0, 4_423_680, 147_456, 1_500),
    (1, 8_363_520, 278_784, 3_000),
    (4, 19_975_680, 665_856, 6_000),
    (5, 31_950_720, 1_065_024, 10_000),
    (8, 70_778_880, 2_359_296, 12_000),
    (9, 141_557_760, 2_359_296, 20_000),
    (12, 267_386_880, 8_912_896, 30_000),
    (13, 534_773_760, 8_912_896, 40_000),
    (14, 1_069_547_520, 8_912_896, 60_000),
    (16, 1_069_547_520, 35_651_584, 60_000),
];

pub(super) fn level(shape: &Shape) -> u8 {
    let (table, pixels): (&[_], u64) = match shape.codec {
        Codec::Avc => (&AVC, blocks(shape.width) * blocks(shape.height)),
        Codec::Hevc => (&HEVC, u64::from(shape.width) * u64::from(shape.height)),
        Codec::Av1 => (&AV1, u64::from(shape.width) * u64::from(shape.height)),
    };
    // A source may be faster than it says.
    let rate = pixels * (shape.frames_per_second().ceil() as u64).max(30);
    let kilobits = u64::from(shape.peak()).div_ceil(1_000);
    let carries = |row: &&(u8, u64, u64, u64)| rate <= row.1 && pixels <= row.2 && kilobits <= row.3;
    let row = table.iter().find(carries).or(table.last());
    row.map_or(0, |row| row.0)
}

pub(super) fn codec_string(shape: &Shape) -> String {
    let level = level(shape);
    match shape.codec {
        Codec::Avc => format!("avc1.6400{level:02X}"),
        Codec::Hevc => format!("hvc1.1.6.L{}.90", u32::from(level) * 3),
        Codec::Av1 => format!("av01.0.{level:02}M.08"),
    }
}

fn blocks(side: u32) -> u64 {
    u64::from(side.div_ceil(16))
}

#[cfg(test)]
mod tests {
    use media::{FrameRate, TrackId};

    use super::*;

    fn shape(codec: Codec, width: u32, height: u32, fps: u32, bitrate: u32) -> Shape {
        Shape {
            track: TrackId::VIDEO,
            name: "x".into(),
            width,
            height,
            divisor: 1,
            frame_rate: FrameRate::new(fps, 1),
            frame_rate_max: fps,
            bitrate,
            codec,
        }
    }

    #[test]
    fn usual_pictures_have_their_usual_levels() {
        for (codec, width, height, fps, bitrate, expected) in [
            (Codec::Avc, 1_920, 1_080, 60, 4_500_000, "avc1.64002A"),
            (Codec::Avc, 1_920, 1_080, 30, 4_500_000, "avc1.640028"),
            (Codec::Avc, 1_280, 720, 60, 2_500_000, "avc1.640020"),
            (Codec::Avc, 1_280, 720, 30, 2_500_000, "avc1.64001F"),
            (Codec::Avc, 854, 480, 30, 1_100_000, "avc1.64001F"),
            (Codec::Avc, 640, 360, 30, 650_000, "avc1.64001E"),
            (Codec::Avc, 426, 240, 30, 300_000, "avc1.640015"),
            (Codec::Hevc, 1_280, 720, 30, 1_500_000, "hvc1.1.6.L93.90"),
            (Codec::Av1, 1_280, 720, 30, 1_500_000, "av01.0.05M.08"),
        ] {
            assert_eq!(codec_string(&shape(codec, width, height, fps, bitrate)), expected);
        }
    }
}
