//! What the fuzzer and the replay of its corpora run: every reader of a stranger's bytes, with its promises checked.

use bytes::Bytes;

use crate::{AudioParameters, VideoParameters};

/// `avcC` and samples.
pub fn avc(data: &[u8]) {
    let (record, sample) = halves(data);
    let _ = super::avc::in_band_parameter_sets(&[], sample).map(|avcc| super::avc::parameters(avcc).map(check_video));
    if let Ok(parameters) = super::avc::parameters(Bytes::copy_from_slice(record)) {
        video(&parameters, sample);
        assert_eq!(
            super::avc::parameters(parameters.config.clone()),
            Ok(parameters),
            "reading it again changes it"
        );
    }
    let kept = super::avc::without_parameter_sets(Bytes::copy_from_slice(sample), 4);
    assert!(kept.len() <= sample.len(), "parameter sets were added");
}

/// `hvcC` and samples.
pub fn hevc(data: &[u8]) {
    let (record, sample) = halves(data);
    let _ = super::hevc::in_band_parameter_sets(&[], sample).map(|hvcc| super::hevc::parameters(hvcc).map(check_video));
    if let Ok(parameters) = super::hevc::parameters(Bytes::copy_from_slice(record)) {
        video(&parameters, sample);
        assert_eq!(
            super::hevc::parameters(parameters.config.clone()),
            Ok(parameters),
            "reading it again changes it"
        );
    }
    let kept = super::hevc::without_parameter_sets(Bytes::copy_from_slice(sample), 4);
    assert!(kept.len() <= sample.len(), "parameter sets were added");
}

/// `av1C` and samples.
pub fn av1(data: &[u8]) {
    let (record, sample) = halves(data);
    if let Some(av1c) = super::av1::sequence_header_in(&[], sample) {
        let _ = super::av1::parameters(av1c.clone()).map(check_video);
        assert_eq!(
            super::av1::sequence_header_in(&av1c, sample),
            None,
            "its own sequence header is news"
        );
    }
    if let Ok(parameters) = super::av1::parameters(Bytes::copy_from_slice(record)) {
        video(&parameters, sample);
    }
    let kept = super::av1::strip_temporal_delimiters(Bytes::copy_from_slice(sample));
    assert_eq!(
        super::av1::strip_temporal_delimiters(kept.clone()),
        kept,
        "delimiters were left"
    );
}

/// `vpcC` and keyframes.
pub fn vp9(data: &[u8]) {
    let (record, sample) = halves(data);
    if let Ok(parameters) = super::vp9::parameters(Bytes::copy_from_slice(record), sample) {
        video(&parameters, sample);
    }
}

/// `AudioSpecificConfig`.
pub fn aac(data: &[u8]) {
    let _ = super::aac::parameters(Bytes::copy_from_slice(data)).map(|parameters| audio(&parameters, data));
}

/// `OpusHead` and packets.
pub fn opus(data: &[u8]) {
    let _ = super::opus::packet_samples(data);
    let _ = super::opus::parameters(Bytes::copy_from_slice(data)).map(|parameters| audio(&parameters, data));
}

/// `STREAMINFO` and frames.
pub fn flac(data: &[u8]) {
    let _ = super::flac::frame_samples(data);
    let _ = super::flac::parameters(Bytes::copy_from_slice(data)).map(|parameters| audio(&parameters, data));
}

/// MP3 frames.
pub fn mp3(data: &[u8]) {
    let _ = super::mp3::frame_length(data);
    let _ = super::mp3::parameters(&Bytes::copy_from_slice(data)).map(|parameters| audio(&parameters, data));
}

/// AC-3 and E-AC-3 frames.
pub fn ac3(data: &[u8]) {
    let _ = super::ac3::parameters(&Bytes::copy_from_slice(data)).map(|parameters| audio(&parameters, data));
}

/// A record and a sample: the first byte says how long the record is.
fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let Some((&length, rest)) = data.split_first() else {
        return (&[], &[]);
    };
    rest.split_at_checked(usize::from(length)).unwrap_or((rest, &[]))
}

fn video(parameters: &VideoParameters, sample: &[u8]) {
    check_video(parameters.clone());
    let _ = super::is_keyframe(parameters, sample);
    let _ = super::in_band_config(parameters, sample);
}

fn check_video(parameters: VideoParameters) {
    assert!(
        (1..=16_384).contains(&parameters.width) && (1..=16_384).contains(&parameters.height),
        "a size without limit"
    );
    assert!(
        parameters.codec_string.is_ascii(),
        "a codec string that no playlist can hold"
    );
}

fn audio(parameters: &AudioParameters, frame: &[u8]) {
    assert!(
        (8_000..=192_000).contains(&parameters.sample_rate),
        "a sample rate without limit"
    );
    assert!((1..=8).contains(&parameters.channels), "a channel count without limit");
    let _ = super::frame_samples(parameters, frame);
    if let Some(silence) = super::silence(parameters) {
        assert!(
            super::frame_samples(parameters, &silence).is_some(),
            "silence that lasts no time"
        );
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_corpora_pass() {
        let corpora = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        for (name, target) in [
            ("codec_avc", super::avc as fn(&[u8])),
            ("codec_hevc", super::hevc as fn(&[u8])),
            ("codec_av1", super::av1 as fn(&[u8])),
            ("codec_vp9", super::vp9 as fn(&[u8])),
            ("codec_aac", super::aac as fn(&[u8])),
            ("codec_opus", super::opus as fn(&[u8])),
            ("codec_flac", super::flac as fn(&[u8])),
            ("codec_mp3", super::mp3 as fn(&[u8])),
            ("codec_ac3", super::ac3 as fn(&[u8])),
        ] {
            for input in std::fs::read_dir(corpora.join(name)).unwrap() {
                target(&std::fs::read(input.unwrap().path()).unwrap());
            }
        }
    }
}
