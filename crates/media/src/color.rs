/// How the colours of a video track are meant, where its container says so. The code points are those of ITU-T H.273.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColorInfo {
    /// Bits of one sample of a colour: 8, 10 or 12.
    pub bit_depth: Option<u8>,
    /// Colour primaries: 9 is BT.2020.
    pub primaries: Option<u8>,
    /// Transfer characteristics: 16 is PQ, 18 is HLG.
    pub transfer: Option<u8>,
    /// Matrix coefficients.
    pub matrix: Option<u8>,
    /// How bright the content gets.
    pub light_level: Option<LightLevel>,
    /// The display that it was made on.
    pub mastering: Option<MasteringDisplay>,
}

/// How bright the content gets: `clli` of ISO/IEC 14496-12, from CTA-861.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LightLevel {
    /// The brightest pixel, in cd/m².
    pub max_content: u16,
    /// The brightest average of a frame, in cd/m².
    pub max_frame_average: u16,
}

/// The display that the content was made on: SMPTE ST 2086, in the units of `mdcv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MasteringDisplay {
    /// Its red, green and blue and its white; left out by encoders that know its luminance only.
    pub gamut: Option<Gamut>,
    /// Its brightest white, in 0.0001 cd/m².
    pub max_luminance: u32,
    /// Its darkest black, in 0.0001 cd/m².
    pub min_luminance: u32,
}

/// Points of the CIE 1931 diagram, `[x, y]` in steps of 0.00002.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gamut {
    /// Red.
    pub red: [u16; 2],
    /// Green.
    pub green: [u16; 2],
    /// Blue.
    pub blue: [u16; 2],
    /// White.
    pub white: [u16; 2],
}

impl ColorInfo {
    /// Whether a display needs to know more than that it is video: PQ or HLG.
    pub fn is_hdr(&self) -> bool {
        const PQ: u8 = 16;
        const HLG: u8 = 18;
        matches!(self.transfer, Some(PQ | HLG))
    }
}
