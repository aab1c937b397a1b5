use bytes::Bytes;
use hub::Publisher;
use media::codec::{self, av1, avc, hevc, vp9};
use media::{ColorInfo, Parameters, TrackId, VideoCodec, VideoParameters};
use rtmp::flv::Video;

use super::trouble::Trouble;

/// A video track of a publisher.
#[derive(Debug, Default)]
pub(super) struct Picture {
    parameters: Option<VideoParameters>,
    /// VP9's record says nothing of the picture's size: it waits for a key frame.
    vpcc: Bytes,
    /// What was last said of the colours: it holds from the next key frame on.
    color: Option<ColorInfo>,
    /// Whether a key frame came: what comes before it nobody could decode.
    began: bool,
}

impl Picture {
    /// Takes a packet of this track; `at` is its decode time in microseconds.
    pub(super) fn take(
        &mut self,
        publisher: &mut Publisher,
        track: TrackId,
        at: u64,
        video: Video,
    ) -> Result<(), Trouble> {
        match video {
            Video::Config {
                codec: VideoCodec::Vp9,
                record,
            } => self.vpcc = record,
            Video::Config { codec, record } => {
                let parameters = configured(codec, record)?;
                self.configure(publisher, track, parameters);
            }
            // ffmpeg sends the colours of all its tracks as those of the main one.
            Video::Color { codec, color } => {
                if self.parameters.as_ref().is_none_or(|video| video.codec == codec) {
                    self.color = color;
                }
            }
            Video::Frame {
                codec,
                keyframe,
                cts_ms,
                data,
            } => {
                if keyframe {
                    self.look_for_parameters(publisher, track, codec, &data)?;
                }
                let cts = cts_ms.saturating_mul(1_000);
                return self.frame(publisher, track, codec, (at, cts), data);
            }
            Video::End { .. } => {}
            Video::Unused(unused) => return Err(unused.into()),
        }
        Ok(())
    }

    fn configure(&mut self, publisher: &mut Publisher, track: TrackId, mut parameters: VideoParameters) {
        parameters.color = self.color;
        if self.parameters.as_ref() != Some(&parameters) {
            self.parameters = Some(parameters.clone());
            self.began = false;
            publisher.configure(track, Parameters::Video(parameters));
        }
    }

    /// Parameters that a key frame brings along, and what was said of its colours since the last.
    fn look_for_parameters(
        &mut self,
        publisher: &mut Publisher,
        track: TrackId,
        codec: VideoCodec,
        data: &Bytes,
    ) -> Result<(), Trouble> {
        let known = self.parameters.as_ref().filter(|video| video.codec == codec);
        let parameters = if codec == VideoCodec::Vp9 {
            Some(vp9::parameters(self.vpcc.clone(), data)?)
        } else if let Some(record) = known.and_then(|video| codec::in_band_config(video, data)) {
            Some(configured(codec, record)?)
        } else {
            known.filter(|video| video.color != self.color).cloned()
        };
        if let Some(parameters) = parameters {
            self.configure(publisher, track, parameters);
        }
        Ok(())
    }

    fn frame(
        &mut self,
        publisher: &mut Publisher,
        track: TrackId,
        codec: VideoCodec,
        (at, cts): (u64, i32),
        data: Bytes,
    ) -> Result<(), Trouble> {
        let Some(video) = self.parameters.as_ref().filter(|video| video.codec == codec) else {
            return Err(Trouble::NoConfig);
        };
        // The bitstream knows better than the tag.
        let keyframe = codec::is_keyframe(video, &data);
        self.began |= keyframe;
        if self.began {
            publisher.push(track, at, cts, keyframe, out_of_band(video, data));
        }
        Ok(())
    }
}

fn configured(codec: VideoCodec, record: Bytes) -> Result<VideoParameters, media::Error> {
    match codec {
        VideoCodec::Avc => avc::parameters(record),
        VideoCodec::Hevc => hevc::parameters(record),
        VideoCodec::Av1 => av1::parameters(record),
        // Its record is never enough.
        VideoCodec::Vp9 => vp9::parameters(record, &[]),
    }
}

/// The frame as it is to be carried: parameter sets stand in the configuration record, and AV1 has no delimiters.
fn out_of_band(video: &VideoParameters, data: Bytes) -> Bytes {
    match video.codec {
        VideoCodec::Avc => avc::without_parameter_sets(data, avc::length_size(&video.config)),
        VideoCodec::Hevc => hevc::without_parameter_sets(data, hevc::length_size(&video.config)),
        VideoCodec::Av1 => av1::strip_temporal_delimiters(data),
        VideoCodec::Vp9 => data,
    }
}
