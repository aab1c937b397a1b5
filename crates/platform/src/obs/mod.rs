//! What OBS Studio asks before it sends several qualities at once ("Multitrack Video", "Enhanced Broadcasting"), and the answer.
//!
//! OBS posts what it has: canvases, encoders, processors, the limits that its user set. The answer tells it what to encode: the
//! canvas as the main track, and the ladder's rungs as further ones. All of this is values; `api::obs` is the route.

mod answer;
mod encoder;
mod plan;
mod request;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Outcome};
pub use plan::Limits;
pub use request::Request;

use std::sync::Arc;

use hub::{Codec, Rung};

/// What OBS is to send, of these rungs and to these addresses (without the key), the first of them first.
pub fn answer(request: &Request, rungs: &[Rung], limits: &Limits, addresses: &[String]) -> Answer {
    if addresses.is_empty() {
        return Answer::refusal("this server takes no RTMP");
    }
    match plan::tracks(request, rungs, limits) {
        Some(tracks) => Answer::new(request, &tracks, addresses),
        None => Answer::refusal("OBS did not say how large its canvas is: it may be too old"),
    }
}

/// The rungs where nobody has chosen others.
pub fn usual_rungs() -> Vec<Rung> {
    const RUNGS: [(u32, u32); 4] = [(720, 3_000_000), (480, 1_400_000), (360, 800_000), (240, 400_000)];
    let rung = |(size, bitrate)| Rung {
        name: Arc::from(format!("{size}p")),
        size,
        frame_rate_max: 30,
        bitrate,
        codec: Codec::Avc,
    };
    RUNGS.map(rung).into()
}
