//! `GET /live/NAME/still.mp4`: the newest key frame, for tiles and posters.

use axum::response::Response;
use http::header;

use super::Live;
use super::answer::{self, Asked};
use super::channel::Channel;

pub(super) async fn get(live: &Live, channel: &Channel, asked: &Asked) -> Response {
    let window = match channel.window() {
        None if !asked.head => channel.started().await,
        window => window,
    };
    let Some(still) = window.and_then(|window| window.still()) else {
        return answer::not_found();
    };
    let etag = format!("\"still-{:x}\"", checksum(&still));
    let length = still.len() as u64;
    let mut response = answer::media(asked, &etag, "video/mp4", length, |range| {
        live.stats().count_media(range.end - range.start);
        answer::bytes(&still, range)
    });
    answer::set(&mut response, header::CACHE_CONTROL, "public, max-age=2");
    response
}

/// Tells stills apart by their length and last bytes: coded pictures that differ end differently.
fn checksum(still: &[u8]) -> u64 {
    let tail = still.iter().rev().take(256);
    tail.fold(still.len() as u64, |sum, byte| {
        sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte)
    })
}
