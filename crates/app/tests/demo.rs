//! `headwater demo` as a person sees it.

mod common;

use common::{Publisher, Server};

/// The bar code in the upper ninth of a gray 1280x720 picture: milliseconds and frame number, if its checksum is right.
fn read_code(luma: &[u8]) -> Option<(u32, u16)> {
    let bit = |n: usize| luma[(n / 32 * 40 + 20) * 1_280 + n % 32 * 40 + 20] > 128;
    let code = (0..64).fold(0u64, |code, n| code << 1 | u64::from(bit(n)));
    let crc = (code >> 16).to_be_bytes()[2..].iter().fold(0xFFFFu16, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
        })
    });
    (u64::from(crc) == code & 0xFFFF).then_some(((code >> 32) as u32, (code >> 16) as u16))
}

#[test]
fn its_picture_carries_a_clock_that_runs_and_somebody_elses_picture_takes_its_place() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::run("demo", data.path(), &[]);
    server.get_until("/live/colors.m3u8", |answer| answer.status == 200);
    let url = server.url("/live/colors.m3u8");
    let arguments = format!("-v error -i {url} -map 0:v -frames:v 30 -f rawvideo -pix_fmt gray -");
    let frames = std::process::Command::new("ffmpeg")
        .args(arguments.split_whitespace())
        .output()
        .unwrap()
        .stdout;
    let codes: Vec<_> = frames.chunks_exact(1_280 * 720).filter_map(read_code).collect();
    assert!(codes.len() >= 29, "{} of 30 pictures could be read", codes.len());
    for pair in codes.windows(2) {
        assert_eq!(pair[1].1.wrapping_sub(pair[0].1), 1, "a frame is missing");
        assert!((1..500).contains(&pair[1].0.wrapping_sub(pair[0].0)), "{pair:?}");
    }

    let sources = |server: &Server| server.get("/metrics").text();
    assert!(sources(&server).contains("headwater_sources{protocol=\"pipe\"} 1"));
    let publisher = Publisher::plain(&server.publish_url("colors"));
    server.get_until("/metrics", |answer| {
        answer.text().contains("headwater_sources{protocol=\"rtmp\"} 1")
    });
    drop(publisher);
    server.get_until("/metrics", |answer| {
        answer.text().contains("headwater_sources{protocol=\"pipe\"} 1")
    });
}
