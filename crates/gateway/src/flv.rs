//! An FLV byte stream as a source: what a child process writes to its standard output.
//!
//! The format is the body of an FLV file: Adobe Flash Video File Format Specification 10.1, annex E.

use bytes::{Bytes, BytesMut};
use hub::{Ending, Publisher};
use media::Kind;
use rtmp::amf0;
use rtmp::flv::Metadata;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::rtmp::{Ingest, Stats};

/// Largest tag that is taken, in bytes.
const TAG_MAX: usize = 8 << 20;
/// The tag that carries `onMetaData`.
const SCRIPT: u8 = 18;

/// Why an FLV stream cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error("cannot read the stream: {0}")]
    Read(#[from] std::io::Error),
    /// It does not begin like FLV.
    #[error("this is not FLV")]
    NotFlv,
    /// A tag is larger than any frame.
    #[error("a tag of {len} bytes is over the limit of {TAG_MAX}")]
    TagTooLarge {
        /// Its length as it says.
        len: usize,
    },
}

/// Publishes everything that comes out of `flv`, and leaves with `ending` when it ends. The publisher's clock is [`Ingest::CLOCK`].
///
/// # Errors
/// If the stream cannot be read, or is no FLV. The source then counts as cut off.
pub async fn publish(publisher: Publisher, mut flv: impl AsyncRead + Unpin, ending: Ending) -> Result<(), Error> {
    let mut ingest = Ingest::new(publisher, Stats::default().into());
    skip_header(&mut flv).await?;
    while let Some(tag) = Tag::read(&mut flv).await? {
        tag.give(&mut ingest);
        ingest.flush();
        if let Some(wait) = ingest.pace() {
            tokio::time::sleep(wait).await;
        }
    }
    ingest.finish(ending);
    Ok(())
}

async fn skip_header(flv: &mut (impl AsyncRead + Unpin)) -> Result<(), Error> {
    let mut header = [0; 9];
    flv.read_exact(&mut header).await?;
    let [b'F', b'L', b'V', _, _, offset @ ..] = header else {
        return Err(Error::NotFlv);
    };
    if u32::from_be_bytes(offset) != 9 {
        return Err(Error::NotFlv);
    }
    flv.read_u32().await?;
    Ok(())
}

struct Tag {
    kind: u8,
    timestamp: u32,
    body: Bytes,
}

impl Tag {
    async fn read(flv: &mut (impl AsyncRead + Unpin)) -> Result<Option<Self>, Error> {
        let mut header = [0; 11];
        match flv.read_exact(&mut header).await {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let [kind, l0, l1, l2, t0, t1, t2, extended, ..] = header;
        let len = u32::from_be_bytes([0, l0, l1, l2]) as usize;
        if len > TAG_MAX {
            return Err(Error::TagTooLarge { len });
        }
        let mut body = BytesMut::zeroed(len);
        flv.read_exact(&mut body).await?;
        flv.read_u32().await?;
        Ok(Some(Self {
            kind,
            timestamp: u32::from_be_bytes([extended, t0, t1, t2]),
            body: body.freeze(),
        }))
    }

    fn give(&self, ingest: &mut Ingest) {
        match self.kind {
            8 => drop(ingest.media(Kind::Audio, self.timestamp, &self.body)),
            9 => drop(ingest.media(Kind::Video, self.timestamp, &self.body)),
            SCRIPT => {
                if let Some(metadata) = self.metadata() {
                    ingest.metadata(&metadata);
                }
            }
            _ => {}
        }
    }

    fn metadata(&self) -> Option<Metadata> {
        let mut reader = amf0::Reader::new(&self.body, amf0::Budget::default());
        let values = std::iter::from_fn(|| (!reader.is_empty()).then(|| reader.value()));
        Metadata::read(&values.collect::<Result<Vec<_>, _>>().ok()?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hub::authority::Local;
    use hub::{Caller, Follow, Hub, Item, Limits, Protocol, PublishRequest, Settings, StreamKey};

    use super::*;

    const HEADER: &[u8] = b"FLV\x01\x05\0\0\0\x09\0\0\0\0";

    async fn source(hub: &Hub) -> Publisher {
        let request = PublishRequest {
            key: StreamKey::new("colors"),
            caller: Caller::at(([127, 0, 0, 1], 0).into(), Protocol::Pipe),
            clock: Ingest::CLOCK,
        };
        hub.publish(request).await.expect("loopback is open")
    }

    fn hub() -> Hub {
        Hub::new(Arc::new(Local::new(true, Settings::default())), Limits::default())
    }

    fn tag(kind: u8, timestamp: u32, body: &[u8]) -> Vec<u8> {
        let [_, l0, l1, l2] = u32::try_from(body.len()).unwrap().to_be_bytes();
        let [t3, t0, t1, t2] = timestamp.to_be_bytes();
        [&[kind, l0, l1, l2, t0, t1, t2, t3, 0, 0, 0], body, &[0; 4]].concat()
    }

    async fn published(tail: &[u8]) -> Result<(), Error> {
        let bytes = [HEADER, tail].concat();
        publish(source(&hub()).await, &bytes[..], Ending::Unpublished).await
    }

    #[tokio::test]
    async fn sound_of_a_file_reaches_followers() {
        let hub = hub();
        let publisher = source(&hub).await;
        let mut follower = publisher.broadcast().follow(Follow::FromStart);
        let mut bytes = HEADER.to_vec();
        bytes.extend(tag(8, 0, &[0xAF, 0, 0x11, 0x90]));
        for frame in 0..40 {
            bytes.extend(tag(8, frame * 21, &[0xAF, 1, 0x21, 0x10, 0x04]));
        }
        publish(publisher, &bytes[..], Ending::Unpublished).await.unwrap();
        let mut items = Vec::new();
        follower.next_batch(&mut items).await;
        assert!(
            items.iter().any(|item| matches!(
                item,
                Item::Sample {
                    track: media::TrackId::AUDIO,
                    ..
                }
            )),
            "{items:?}"
        );
    }

    #[tokio::test]
    async fn what_is_no_flv_is_said_so() {
        let publisher = source(&hub()).await;
        let result = publish(publisher, &b"GIF89a and so on"[..], Ending::Unpublished).await;
        assert!(matches!(result, Err(Error::NotFlv)));
    }

    #[tokio::test]
    async fn a_length_that_promises_too_much_is_refused() {
        let result = published(&[9, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0]).await;
        assert!(matches!(result, Err(Error::TagTooLarge { len: 0xFF_FFFF })));
    }

    #[tokio::test]
    async fn a_stream_that_is_cut_off_inside_a_tag_is_an_error_and_between_tags_is_not() {
        let whole = tag(18, 0, &[2, 0, 1]);
        assert!(published(&whole).await.is_ok());
        assert!(matches!(published(&whole[..13]).await, Err(Error::Read(_))));
    }
}
