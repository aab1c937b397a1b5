//! The source: tags of an FLV file, played round and round.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use media::Kind;

use crate::stamp;

/// One FLV tag without its header.
#[derive(Clone)]
pub struct Tag {
    pub kind: Kind,
    pub timestamp_ms: u32,
    pub data: Bytes,
}

impl Tag {
    /// Whether this is a decoder configuration, which is sent once.
    pub fn is_configuration(&self) -> bool {
        self.data.get(1) == Some(&0)
    }

    /// The bytes to send: H.264 frames carry the time of sending.
    pub fn stamped(&self, micros: u64) -> Bytes {
        if self.kind == Kind::Audio || self.is_configuration() || self.data.len() < 5 {
            return self.data.clone();
        }
        let (header, frame) = self.data.split_at(5);
        [header, &stamp::nal_unit(micros), frame].concat().into()
    }
}

/// The file's tags: configurations first, then media, and how long it lasts.
pub struct Source {
    pub configurations: Vec<Tag>,
    pub media: Vec<Tag>,
    pub loop_ms: u32,
}

impl Source {
    pub fn read(path: &str) -> Result<Self> {
        let bytes = Bytes::from(std::fs::read(path).with_context(|| path.to_owned())?);
        let (configurations, media): (Vec<_>, Vec<_>) = tags(&bytes)?.into_iter().partition(Tag::is_configuration);
        let videos = media.iter().filter(|tag| tag.kind == Kind::Video);
        let last_ms = videos
            .clone()
            .map(|tag| tag.timestamp_ms)
            .max()
            .context("no video in the file")?;
        // The last frame lasts as long as the mean one.
        let loop_ms = last_ms + last_ms.div_ceil(videos.count().max(2) as u32 - 1);
        let media = media.into_iter().filter(|tag| tag.timestamp_ms < loop_ms).collect();
        Ok(Self {
            configurations,
            media,
            loop_ms,
        })
    }
}

fn tags(bytes: &Bytes) -> Result<Vec<Tag>> {
    ensure!(bytes.starts_with(b"FLV"), "not an FLV file");
    let mut tags = Vec::new();
    let mut at = 13;
    while let Some(header) = bytes.get(at..at + 11) {
        let len = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
        let timestamp_ms = u32::from_be_bytes([header[7], header[4], header[5], header[6]]);
        let end = at + 11 + len;
        ensure!(end <= bytes.len(), "the last tag is cut off");
        let kind = match header[0] & 0x1f {
            8 => Some(Kind::Audio),
            9 => Some(Kind::Video),
            _ => None,
        };
        if let Some(kind) = kind
            && len > 2
        {
            tags.push(Tag {
                kind,
                timestamp_ms,
                data: bytes.slice(at + 11..end),
            });
        }
        at = end + 4;
    }
    Ok(tags)
}
