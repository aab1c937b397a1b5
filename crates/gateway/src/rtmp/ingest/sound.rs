use bytes::Bytes;
use hub::Publisher;
use media::codec::{aac, ac3, flac, mp3, opus};
use media::{AudioCodec, AudioParameters, Parameters, TrackId};
use rtmp::flv::Audio;

use super::trouble::Trouble;

/// An audio track of a publisher.
#[derive(Debug, Default)]
pub(super) struct Sound {
    codec: Option<AudioCodec>,
    /// How many channels there are, where the encoder said so apart.
    channels: Option<u8>,
}

impl Sound {
    /// Takes a packet of this track; `at` is its time in microseconds.
    pub(super) fn take(
        &mut self,
        publisher: &mut Publisher,
        track: TrackId,
        at: u64,
        audio: Audio,
    ) -> Result<(), Trouble> {
        match audio {
            Audio::Config { codec, record } => {
                if let Some(parameters) = self.configured(codec, record)? {
                    self.configure(publisher, track, parameters);
                }
            }
            Audio::Channels { layout, .. } => self.channels = Some(layout.channels),
            // An empty frame is how some encoders say that nothing is heard.
            Audio::Frame { data, .. } if data.is_empty() => {}
            Audio::Frame { codec, data } => {
                if self.codec != Some(codec) {
                    self.configure(publisher, track, of_frame(codec, &data)?);
                }
                publisher.push(track, at, 0, true, data);
            }
            Audio::End { .. } => {}
            Audio::Unused(unused) => return Err(unused.into()),
        }
        Ok(())
    }

    fn configure(&mut self, publisher: &mut Publisher, track: TrackId, parameters: AudioParameters) {
        self.codec = Some(parameters.codec);
        publisher.configure(track, Parameters::Audio(parameters));
    }

    fn configured(&self, codec: AudioCodec, record: Bytes) -> Result<Option<AudioParameters>, media::Error> {
        match codec {
            AudioCodec::Aac => aac::parameters(record).map(Some),
            AudioCodec::Opus if record.is_empty() => opus::parameters(self.opus_head()).map(Some),
            AudioCodec::Opus => opus::parameters(record).map(Some),
            AudioCodec::Flac => flac::parameters(record).map(Some),
            AudioCodec::Mp3 | AudioCodec::Ac3 | AudioCodec::Eac3 => Ok(None),
        }
    }

    /// Enhanced RTMP v2, "Enhanced Audio": a sequence start that is empty means what was said of the channels apart, or else stereo.
    fn opus_head(&self) -> Bytes {
        const CHANNELS_DEFAULT: u8 = 2;
        let channels = self.channels.unwrap_or(CHANNELS_DEFAULT);
        // RFC 7845 §5.1: version 1, the usual pre-skip of 312 samples, 48 kHz, no gain, mono or stereo.
        let head = [&b"OpusHead\x01"[..], &[channels], b"\x38\x01\x80\xbb\0\0\0\0\0"].concat();
        Bytes::from(head)
    }
}

/// Codecs whose every frame says all that is to be known.
fn of_frame(codec: AudioCodec, frame: &Bytes) -> Result<AudioParameters, Trouble> {
    match codec {
        AudioCodec::Mp3 => Ok(mp3::parameters(frame)?),
        AudioCodec::Ac3 | AudioCodec::Eac3 => Ok(ac3::parameters(frame)?),
        AudioCodec::Aac | AudioCodec::Opus | AudioCodec::Flac => Err(Trouble::NoConfig),
    }
}
