use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::error::{Error, Result};

/// Pixels of a side.
const SIDE_MAX: u32 = 6_000;
/// Pixels in all.
const PIXELS_MAX: u64 = 24_000_000;
/// Bytes that a decoder may take for one picture.
const DECODED_BYTES_MAX: u64 = 128 << 20;
/// Of JPEG: beyond it, files grow and nobody sees why.
const QUALITY: u8 = 85;

/// What a picture is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Small and square.
    Avatar,
    /// Wide.
    Banner,
}

impl Shape {
    const fn size(self) -> (u32, u32) {
        match self {
            Self::Avatar => (256, 256),
            Self::Banner => (1_600, 400),
        }
    }
}

/// A picture that was written here.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Picture {
    /// Reads what somebody sent, cuts it to its shape and writes it anew, without whatever else the file held.
    ///
    /// # Errors
    /// [`Error::MediaType`] where it is no picture that is understood, [`Error::Field`] where it is broken or too large.
    pub fn read(sent: &[u8], shape: Shape) -> Result<Self> {
        let format = sniff(sent).ok_or(Error::MediaType("a PNG, JPEG or WebP picture is wanted".into()))?;
        let decoded = decode(sent, format)?;
        let (width, height) = shape.size();
        write(&decoded.resize_to_fill(width, height, FilterType::CatmullRom))
    }
}

/// The format by its first bytes: what the sender says of it counts for nothing.
fn sniff(bytes: &[u8]) -> Option<ImageFormat> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(ImageFormat::Png)
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some(ImageFormat::Jpeg)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(ImageFormat::WebP)
    } else {
        None
    }
}

fn decode(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| refused(&error))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX || decoder.total_bytes() > DECODED_BYTES_MAX {
        return Err(too_large());
    }
    // Cameras turn the picture by a note beside it.
    let turned = decoder.orientation().map_err(|error| refused(&error))?;
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|error| refused(&error))?;
    decoded.apply_orientation(turned);
    Ok(decoded)
}

/// As JPEG; where something shines through as WebP, which keeps that.
fn write(picture: &DynamicImage) -> Result<Picture> {
    let mut bytes = Vec::new();
    let (width, height) = (picture.width(), picture.height());
    let rgba = picture.to_rgba8();
    if rgba.pixels().any(|pixel| pixel.0[3] < u8::MAX) {
        let encoder = WebPEncoder::new_lossless(&mut bytes);
        encoder
            .encode(&rgba, width, height, ExtendedColorType::Rgba8)
            .map_err(|error| unwritten(&error))?;
        return Ok(Picture {
            content_type: "image/webp",
            bytes,
        });
    }
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    encoder
        .encode(&picture.to_rgb8(), width, height, ExtendedColorType::Rgb8)
        .map_err(|error| unwritten(&error))?;
    Ok(Picture {
        content_type: "image/jpeg",
        bytes,
    })
}

fn refused(error: &image::ImageError) -> Error {
    match error {
        image::ImageError::Limits(_) => too_large(),
        _ => broken(),
    }
}

pub(super) fn broken() -> Error {
    Error::field("", "the picture cannot be read: it is broken or of an unusual kind")
}

fn too_large() -> Error {
    Error::field(
        "",
        "the picture is too large: at most 6000 pixels a side and 24 million in all",
    )
}

fn unwritten(error: &image::ImageError) -> Error {
    Error::Fault(format!("a picture could not be written: {error}"))
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn file(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn opened(picture: &Picture) -> DynamicImage {
        image::load_from_memory(&picture.bytes).unwrap()
    }

    #[test]
    fn a_picture_of_any_kind_gets_its_shape() {
        let wide = RgbImage::from_fn(64, 20, |x, _| Rgb([if x < 32 { 255 } else { 0 }, 0, 0]));
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let sent = file(wide.clone(), format);
            let avatar = Picture::read(&sent, Shape::Avatar).unwrap();
            assert_eq!(avatar.content_type, "image/jpeg");
            let avatar = opened(&avatar);
            assert_eq!((avatar.width(), avatar.height()), (256, 256));
            let banner = opened(&Picture::read(&sent, Shape::Banner).unwrap());
            assert_eq!((banner.width(), banner.height()), (1_600, 400));
            let red = |x| banner.to_rgb8().get_pixel(x, 200).0[0];
            assert!(red(100) > 200 && red(1_500) < 60, "{format:?}");
        }
    }

    #[test]
    fn what_shines_through_still_does() {
        let clear = RgbaImage::from_pixel(9, 9, Rgba([1, 2, 3, 0]));
        let picture = Picture::read(&file(clear, ImageFormat::Png), Shape::Avatar).unwrap();
        assert_eq!(picture.content_type, "image/webp");
        assert_eq!(opened(&picture).to_rgba8().get_pixel(5, 5).0[3], 0);
    }

    #[test]
    fn other_kinds_are_refused_whatever_they_are_called() {
        for sent in [
            &b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..],
            b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
            b"BM",
            b"",
            b"%PDF-1.4",
        ] {
            assert!(matches!(Picture::read(sent, Shape::Avatar), Err(Error::MediaType(_))));
        }
    }

    #[test]
    fn a_picture_over_the_limits_is_not_decoded() {
        let long = file(RgbImage::new(SIDE_MAX + 1, 1), ImageFormat::Png);
        assert!(matches!(Picture::read(&long, Shape::Avatar), Err(Error::Field { .. })));
        // The head promises 5900 × 5900 pixels; few bytes follow.
        let mut bomb = file(RgbImage::new(1, 1), ImageFormat::Png);
        bomb[16..20].copy_from_slice(&5_900_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&5_900_u32.to_be_bytes());
        assert!(matches!(Picture::read(&bomb, Shape::Avatar), Err(Error::Field { .. })));
    }

    #[test]
    fn a_broken_file_is_the_senders_fault() {
        let picture = RgbImage::from_fn(24, 24, |x, y| Rgb([(x * 10) as u8, (y * 10) as u8, 7]));
        let mut seed = 1_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as usize
        };
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let whole = file(picture.clone(), format);
            for round in 0..300 {
                let mut broken = whole.clone();
                for _ in 0..=round % 5 {
                    let at = 12 + next() % (broken.len() - 12);
                    broken[at] = next() as u8;
                }
                if round % 3 == 0 {
                    broken.truncate(12 + next() % (broken.len() - 12));
                }
                match std::panic::catch_unwind(|| decode(&broken, format)) {
                    Ok(Ok(_) | Err(Error::Field { .. })) => {}
                    other => panic!("{format:?} {round}: {other:?}"),
                }
            }
        }
    }
}
