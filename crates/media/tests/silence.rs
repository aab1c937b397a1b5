//! Frames of silence, decoded by ffmpeg: as many samples as promised, and every one of them zero.

use std::io::Write as _;
use std::process::{Command, Stdio};

use bytes::Bytes;
use media::{AudioParameters, codec};

const FRAMES: usize = 20;

#[test]
fn aac_of_every_layout_decodes_to_silence() {
    for asc in [
        &[0x12, 0x10][..],                           // stereo
        &[0x12, 0x08],                               // mono
        &[0x11, 0xb0],                               // 5.1
        &[0x11, 0xb8],                               // 7.1
        &[0x11, 0x90, 0x56, 0xe5, 0x00],             // what ffmpeg writes
        &[0x2b, 0x92, 0x08, 0x00],                   // HE-AAC
        &[0xeb, 0x8a, 0x08, 0x00],                   // HE-AAC v2
        &[0x13, 0x88, 0x56, 0xe5, 0xa5, 0x48, 0x80], // the same, backward compatible
        HEXAGONAL,                                   // a program config element
    ] {
        let parameters = codec::aac::parameters(Bytes::copy_from_slice(asc)).unwrap();
        let silence = codec::silence(&parameters).unwrap();
        let mut flv = b"FLV\x01\x04\0\0\0\x09\0\0\0\0".to_vec();
        push_flv_tag(&mut flv, &[&[0xaf, 0], asc].concat());
        for _ in 0..FRAMES {
            push_flv_tag(&mut flv, &[&[0xaf, 1], &silence[..]].concat());
        }
        assert_silent("flv", &flv, &parameters, FRAMES);
    }
}

const HEXAGONAL: &[u8] = &[
    0x11, 0x80, 0x04, 0xc8, 0x08, 0x00, 0x20, 0x08, 0x84, 0x0d, 0x4c, 0x61, 0x76, 0x63, 0x35, 0x39, 0x2e, 0x33, 0x37,
    0x2e, 0x31, 0x30, 0x30, 0x56, 0xe5, 0x00,
];

#[test]
fn mp3_decodes_to_silence() {
    for header in [0xfffb_9464_u32, 0xfff3_8064, 0xfffb_90c4, 0xffe3_8864] {
        let parameters = codec::mp3::parameters(&Bytes::copy_from_slice(&header.to_be_bytes())).unwrap();
        let silence = codec::silence(&parameters).unwrap();
        assert_silent("mp3", &silence.repeat(FRAMES), &parameters, FRAMES);
    }
}

#[test]
fn flac_decodes_to_silence() {
    let stream_info = [
        0x10, 0x00, 0x10, 0x00, 0, 0, 0, 0, 0, 0, 0x0b, 0xb8, 0x02, 0xf0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0,
    ];
    let parameters = codec::flac::parameters(Bytes::copy_from_slice(&stream_info)).unwrap();
    let silence = codec::silence(&parameters).unwrap();
    let file = [b"fLaC", &parameters.config[4..], &silence.repeat(FRAMES)].concat();
    assert_silent("flac", &file, &parameters, FRAMES);
}

#[test]
fn opus_decodes_to_silence() {
    for head in [
        &b"OpusHead\x01\x02\0\0\x80\xbb\0\0\0\0\0"[..],
        b"OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0",
        b"OpusHead\x01\x06\0\0\x80\xbb\0\0\0\0\x01\x04\x02\0\x04\x01\x02\x03\x05",
    ] {
        let parameters = codec::opus::parameters(Bytes::copy_from_slice(head)).unwrap();
        let silence = codec::silence(&parameters).unwrap();
        let mut ogg = Ogg::default();
        ogg.push_page(2, 0, head);
        ogg.push_page(0, 0, b"OpusTags\0\0\0\0\0\0\0\0");
        for frame in 1..=FRAMES {
            ogg.push_page(0, frame as u64 * 960, &silence);
        }
        assert_silent("ogg", &ogg.bytes, &parameters, FRAMES);
    }
}

/// Has ffmpeg decode `file` and checks every sample of it.
fn assert_silent(format: &str, file: &[u8], parameters: &AudioParameters, frames: usize) {
    let mut ffmpeg = Command::new("ffmpeg")
        .args([
            "-hide_banner",
            "-loglevel",
            "error",
            "-xerror",
            "-f",
            format,
            "-i",
            "pipe:0",
            "-f",
            "s16le",
            "pipe:1",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ffmpeg is installed (`make test` does so)");
    let mut input = ffmpeg.stdin.take().expect("stdin is a pipe");
    let file = file.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&file));
    let output = ffmpeg.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();

    let name = format!("{} with {} channels", parameters.codec_string, parameters.channels);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
    let frame_samples = codec::frame_samples(parameters, &codec::silence(parameters).unwrap()).unwrap() as usize;
    assert_eq!(
        output.stdout.len(),
        frames * frame_samples * usize::from(parameters.channels) * 2,
        "{name}"
    );
    assert!(output.stdout.iter().all(|byte| *byte == 0), "{name} is not silent");
}

fn push_flv_tag(flv: &mut Vec<u8>, body: &[u8]) {
    let length = (body.len() as u32).to_be_bytes();
    flv.extend(
        [
            &[8],
            &length[1..],
            &[0; 7],
            body,
            &(body.len() as u32 + 11).to_be_bytes(),
        ]
        .concat(),
    );
}

/// An Ogg file (RFC 3533), one packet to a page.
#[derive(Default)]
struct Ogg {
    bytes: Vec<u8>,
    pages: u32,
}

impl Ogg {
    fn push_page(&mut self, flags: u8, granule: u64, packet: &[u8]) {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend(granule.to_le_bytes());
        page.extend(1_u32.to_le_bytes());
        page.extend(self.pages.to_le_bytes());
        page.extend([0; 4]);
        page.extend([1, u8::try_from(packet.len()).unwrap()]);
        page.extend(packet);
        let checksum = page.iter().fold(0_u32, |sum, byte| {
            let sum = sum ^ (u32::from(*byte) << 24);
            (0..8).fold(sum, |sum, _| {
                if sum >> 31 == 0 {
                    sum << 1
                } else {
                    (sum << 1) ^ 0x04c1_1db7
                }
            })
        });
        page[22..26].copy_from_slice(&checksum.to_le_bytes());
        self.bytes.extend(page);
        self.pages += 1;
    }
}
