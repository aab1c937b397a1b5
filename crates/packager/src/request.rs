//! What a request for a playlist or a part gets: now, later, or never.
//!
//! The rules are those of RFC 8216bis §6.2.5. They are judged on a window, so that whoever serves requests only waits and
//! asks again.

use media::TrackId;

use crate::Window;
use crate::hls::names::File;
use crate::hls::{Choice, Form};
use crate::window::{Init, Part, Rendition, Segment};
use std::sync::Arc;

/// A request's query: how the viewer wants the playlist, and what it waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Kept for the children.
    pub choice: Choice,
    /// `_HLS_msn`
    pub segment: Option<u64>,
    /// `_HLS_part`
    pub part: Option<u64>,
    /// `_HLS_skip`
    pub skip: bool,
}

/// A query that says nothing sensible; the text says what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// `_HLS_msn` or `_HLS_part` is no number.
    #[error("{0} is not a whole number")]
    NotANumber(&'static str),
    /// Directives that make no sense together or now.
    #[error("{0}")]
    Refused(&'static str),
}

impl Query {
    /// Reads a query string, without its question mark. Unknown keys are let be.
    ///
    /// # Errors
    /// [`BadQuery::NotANumber`] where a number is due.
    pub fn parse(text: &str) -> Result<Self, BadQuery> {
        let mut query = Self::default();
        for pair in text.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "_HLS_msn" => query.segment = Some(number("_HLS_msn", value)?),
                "_HLS_part" => query.part = Some(number("_HLS_part", value)?),
                "_HLS_skip" => query.skip = matches!(value, "YES" | "v2"),
                "latency" => query.choice.normal = value == "normal",
                "window" => query.choice.window_seconds = Some(seconds(value)?),
                "max_resolution" => query.choice.resolution_max = Some(lines("max_resolution", value)?),
                "min_resolution" => query.choice.resolution_min = Some(lines("min_resolution", value)?),
                "rendition_order" => query.choice.descending = Some(descending(value)?),
                _ => {}
            }
        }
        Ok(query)
    }

    /// How the playlist is to be written.
    pub fn form(&self) -> Form {
        if self.choice.is_plain() {
            Form::Plain {
                seconds: self.choice.window_seconds,
            }
        } else {
            Form::LowLatency { delta: self.skip }
        }
    }

    /// The same without what a viewer waits for.
    #[must_use]
    pub fn unblocked(self) -> Self {
        Self {
            segment: None,
            part: None,
            ..self
        }
    }
}

fn number(name: &'static str, value: &str) -> Result<u64, BadQuery> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    // A number that is too large for us is too far ahead for everybody.
    if digits {
        Ok(value.parse().unwrap_or(u64::MAX))
    } else {
        Err(BadQuery::NotANumber(name))
    }
}

/// `720p`, or 720.
fn lines(name: &'static str, value: &str) -> Result<u32, BadQuery> {
    let lines = number(name, value.strip_suffix('p').unwrap_or(value))?;
    Ok(u32::try_from(lines).unwrap_or(u32::MAX))
}

fn descending(value: &str) -> Result<bool, BadQuery> {
    match value {
        "desc" => Ok(true),
        "asc" => Ok(false),
        _ => Err(BadQuery::Refused("rendition_order is asc or desc")),
    }
}

fn seconds(value: &str) -> Result<u32, BadQuery> {
    let seconds = number("window", value)?;
    Ok(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// Whether a playlist can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds what was asked for.
    Serve,
    /// It will, soon.
    Wait,
}

/// Judges a request for a media playlist.
///
/// # Errors
/// [`BadQuery::Refused`] for what must be answered with 400.
pub fn judge(window: &Window, rendition: &Rendition, query: &Query) -> Result<Verdict, BadQuery> {
    if window.ended || query.choice.is_plain() {
        return Ok(Verdict::Serve);
    }
    let Some(segment) = query.segment else {
        return match query.part {
            Some(_) => Err(BadQuery::Refused("_HLS_part needs _HLS_msn")),
            None => Ok(Verdict::Serve),
        };
    };
    let growing = rendition.next_whole();
    if segment > growing.saturating_add(1) {
        return Err(BadQuery::Refused("_HLS_msn is too far ahead"));
    }
    // Without parts there is nothing but whole segments to wait for.
    let part = query
        .part
        .filter(|_| window.targets.part(rendition.track.kind).is_some());
    let Some(part) = part else {
        return Ok(serve_if(segment < growing));
    };
    if is_too_far(window, rendition, segment, part) {
        return Err(BadQuery::Refused("_HLS_part is too far ahead"));
    }
    Ok(serve_if(has_part(rendition, segment, part)))
}

fn serve_if(there: bool) -> Verdict {
    if there { Verdict::Serve } else { Verdict::Wait }
}

/// A part index past the last one of a whole segment means the first part of the next.
fn has_part(rendition: &Rendition, segment: u64, part: u64) -> bool {
    let Some((newest, newest_part)) = rendition.newest() else {
        return false;
    };
    if segment == newest {
        return part <= newest_part;
    }
    segment < newest
}

/// The advance part limit: three parts, or so many as last a second and more, past the newest.
fn is_too_far(window: &Window, rendition: &Rendition, segment: u64, part: u64) -> bool {
    let growing = rendition.next_whole();
    let target = window
        .targets
        .part(rendition.track.kind)
        .map_or(1_000_000, crate::Span::micros);
    let limit = (3_000_000 / target.clamp(1, 1_000_000)).max(3);
    let there = if segment == growing {
        rendition.open_parts().len() as u64
    } else {
        0
    };
    segment >= growing && part.saturating_add(1) > there.saturating_add(limit)
}

/// What a request for a file of a rendition's folder finds.
#[derive(Clone, Debug)]
pub enum Found {
    /// An initialisation segment.
    Init(Arc<Init>),
    /// A segment, whole or growing.
    Segment {
        /// As it is now.
        segment: Arc<Segment>,
        /// Whether nothing will be added to it.
        whole: bool,
    },
    /// A part.
    Part(Part),
    /// A segment that never came: a gap, or the one that would have come next, had the broadcast not ended or another source not come.
    /// Players of DASH ask for it before they know.
    Past,
    /// It will be there soon: the part that playlists hint at, or the segment after the growing one.
    Soon,
    /// It was never there, is there no more, or is too far in the future.
    Nothing,
}

/// Finds a file.
pub fn find(window: &Window, track: TrackId, file: File) -> Found {
    let Some(rendition) = window.rendition(track) else {
        // Its first segment begins as the initialisation segment is there.
        return soon_if(!window.ended && window.plan(track).is_some() && matches!(file, File::Init(_)));
    };
    match file {
        File::Init(number) => rendition
            .init(number)
            .map_or(Found::Nothing, |init| Found::Init(Arc::clone(init))),
        File::Part(number) => match rendition.part(number) {
            Some(part) => Found::Part(part.clone()),
            None => soon_if(!window.ended && number == rendition.next_part),
        },
        File::Segment { number, discontinuity } => match rendition
            .segment(number)
            .filter(|segment| segment.gap.is_some() || !segment.parts.is_empty())
        {
            // Who asks by the name of a stretch that is over did not know that it would be.
            Some(segment) if segment.gap.is_some() || discontinuity < segment.discontinuity => Found::Past,
            Some(segment) if discontinuity > segment.discontinuity => Found::Nothing,
            Some(segment) => Found::Segment {
                segment: Arc::clone(segment),
                whole: number < rendition.next_whole(),
            },
            None if window.ended && is_next(rendition, number) => Found::Past,
            None => soon_if(is_next(rendition, number)),
        },
    }
}

fn is_next(rendition: &Rendition, number: u64) -> bool {
    number == rendition.next_segment || rendition.open.as_ref().is_some_and(|open| open.number == number)
}

fn soon_if(soon: bool) -> Found {
    if soon { Found::Soon } else { Found::Nothing }
}
