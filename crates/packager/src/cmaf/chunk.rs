//! A chunk: `moof` and `mdat`, and before a segment's first one a `prft`. Also called a part.

use bytes::Bytes;
use media::Kind;

use super::TRACK_ID;
use super::boxes::{boxed, full_box, put_u32, put_u64};
use crate::time::DateTime;

/// A sample with its times as they are written.
#[derive(Clone, Debug)]
pub(crate) struct Timed {
    /// Decode time: the sum of all durations before it.
    pub(crate) dts: i64,
    /// Presentation time.
    pub(crate) pts: i64,
    /// Time until the next sample's decode time.
    pub(crate) duration: u32,
    pub(crate) keyframe: bool,
    pub(crate) data: Bytes,
}

impl Timed {
    fn offset(&self) -> i32 {
        i32::try_from(self.pts - self.dts).unwrap_or(0)
    }

    /// Key frames depend on no other sample; the rest do, and are no place to start.
    fn flags(&self) -> u32 {
        if self.keyframe { 0x0200_0000 } else { 0x0101_0000 }
    }
}

/// The wall-clock time at which a sample was produced (`prft`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference {
    pub(crate) wall: DateTime,
    /// The presentation time of that sample, in ticks.
    pub(crate) media: i64,
}

/// What one chunk is made of.
pub(crate) struct Chunk<'a> {
    pub(crate) sequence: u64,
    pub(crate) kind: Kind,
    /// At least one.
    pub(crate) samples: &'a [Timed],
    pub(crate) reference: Option<Reference>,
}

/// Which fields `trun` gives per sample, and which are the same for all.
struct Layout {
    duration: Option<u32>,
    flags: SampleFlags,
    offsets: bool,
}

enum SampleFlags {
    Same(u32),
    /// Only the first differs: a group's usual beginning.
    First {
        first: u32,
        others: u32,
    },
    Each,
}

impl Chunk<'_> {
    /// Writes the chunk into a buffer of just its size.
    pub(crate) fn write(&self) -> Bytes {
        let layout = self.layout();
        let media: usize = self.samples.iter().map(|sample| sample.data.len()).sum();
        let mut out = Vec::with_capacity(self.header_length(&layout) + media);
        if let Some(reference) = self.reference {
            producer_reference_time(&mut out, reference);
        }
        let moof = out.len();
        boxed(&mut out, *b"moof", |out| {
            full_box(out, *b"mfhd", 0, 0, |out| put_u32(out, self.sequence as u32));
            boxed(out, *b"traf", |out| self.track_fragment(out, &layout));
        });
        set_data_offset(&mut out, moof, self.samples.len() * layout.entry_length(), &layout);
        put_u32(&mut out, u32::try_from(media + 8).unwrap_or(u32::MAX));
        out.extend(b"mdat");
        for sample in self.samples {
            out.extend_from_slice(&sample.data);
        }
        out.into()
    }

    /// Where the first sample's bytes begin in the chunk.
    pub(crate) fn data_start(&self) -> usize {
        self.header_length(&self.layout())
    }

    fn layout(&self) -> Layout {
        let first = &self.samples[0];
        let same_duration = self.samples.iter().all(|sample| sample.duration == first.duration);
        let others = self.samples.get(1).unwrap_or(first).flags();
        let flags = match (
            self.kind,
            self.samples[1..].iter().all(|sample| sample.flags() == others),
        ) {
            (Kind::Audio, _) => SampleFlags::Same(first.flags()),
            (Kind::Video, true) if first.flags() == others => SampleFlags::Same(others),
            (Kind::Video, true) => SampleFlags::First {
                first: first.flags(),
                others,
            },
            (Kind::Video, false) => SampleFlags::Each,
        };
        Layout {
            duration: same_duration.then_some(first.duration),
            flags,
            offsets: self.samples.iter().any(|sample| sample.offset() != 0),
        }
    }

    fn header_length(&self, layout: &Layout) -> usize {
        let reference = if self.reference.is_some() { 32 } else { 0 };
        let defaults = 4 * (usize::from(layout.duration.is_some()) + usize::from(layout.default_flags().is_some()));
        let run = 20 + 4 * usize::from(layout.first_flags().is_some()) + self.samples.len() * layout.entry_length();
        reference + 8 + 16 + 8 + (16 + defaults) + 20 + run + 8
    }

    fn track_fragment(&self, out: &mut Vec<u8>, layout: &Layout) {
        const DEFAULT_BASE_IS_MOOF: u32 = 0x02_0000;
        let defaults = bit(layout.duration.is_some(), 0x08) | bit(layout.default_flags().is_some(), 0x20);
        full_box(out, *b"tfhd", 0, DEFAULT_BASE_IS_MOOF | defaults, |out| {
            put_u32(out, TRACK_ID);
            layout.duration.into_iter().for_each(|duration| put_u32(out, duration));
            layout.default_flags().into_iter().for_each(|flags| put_u32(out, flags));
        });
        full_box(out, *b"tfdt", 1, 0, |out| {
            put_u64(out, u64::try_from(self.samples[0].dts).unwrap_or(0));
        });
        full_box(out, *b"trun", 1, layout.run_flags(), |out| {
            put_u32(out, self.samples.len() as u32);
            put_u32(out, 0); // the data offset, once it is known
            layout.first_flags().into_iter().for_each(|flags| put_u32(out, flags));
            for sample in self.samples {
                layout.entry(out, sample);
            }
        });
    }
}

impl Layout {
    fn default_flags(&self) -> Option<u32> {
        match self.flags {
            SampleFlags::Same(flags) | SampleFlags::First { others: flags, .. } => Some(flags),
            SampleFlags::Each => None,
        }
    }

    fn first_flags(&self) -> Option<u32> {
        match self.flags {
            SampleFlags::First { first, .. } => Some(first),
            _ => None,
        }
    }

    fn each_flags(&self) -> bool {
        matches!(self.flags, SampleFlags::Each)
    }

    fn run_flags(&self) -> u32 {
        const DATA_OFFSET: u32 = 0x01;
        const SIZE: u32 = 0x200;
        DATA_OFFSET
            | bit(self.first_flags().is_some(), 0x04)
            | bit(self.duration.is_none(), 0x100)
            | SIZE
            | bit(self.each_flags(), 0x400)
            | bit(self.offsets, 0x800)
    }

    fn entry_length(&self) -> usize {
        4 * (1 + usize::from(self.duration.is_none()) + usize::from(self.each_flags()) + usize::from(self.offsets))
    }

    fn entry(&self, out: &mut Vec<u8>, sample: &Timed) {
        if self.duration.is_none() {
            put_u32(out, sample.duration);
        }
        put_u32(out, sample.data.len() as u32);
        if self.each_flags() {
            put_u32(out, sample.flags());
        }
        if self.offsets {
            put_u32(out, sample.offset().cast_unsigned());
        }
    }
}

fn bit(set: bool, mask: u32) -> u32 {
    if set { mask } else { 0 }
}

/// The data follows the `moof` and the header of `mdat`; `entries` bytes of `trun` stand after the offset.
fn set_data_offset(out: &mut [u8], moof: usize, entries: usize, layout: &Layout) {
    let offset = u32::try_from(out.len() - moof + 8).unwrap_or(u32::MAX);
    let at = out.len() - entries - 4 * usize::from(layout.first_flags().is_some()) - 4;
    out[at..at + 4].copy_from_slice(&offset.to_be_bytes());
}

/// ISO/IEC 14496-12 §8.16.5. Flags 24: the time is that of capture, as far as this end can know.
fn producer_reference_time(out: &mut Vec<u8>, reference: Reference) {
    const CAPTURED: u32 = 24;
    full_box(out, *b"prft", 1, CAPTURED, |out| {
        put_u32(out, TRACK_ID);
        put_u64(out, reference.wall.ntp());
        put_u64(out, u64::try_from(reference.media).unwrap_or(0));
    });
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use mp4_atom::{Any, Decode, Moof};

    use super::*;

    fn sample(dts: i64, cts: i64, duration: u32, keyframe: bool) -> Timed {
        Timed {
            dts,
            pts: dts + cts,
            duration,
            keyframe,
            data: Bytes::from(vec![dts as u8; 10 + dts as usize % 7]),
        }
    }

    /// What another parser makes of a chunk: decode time, and (duration, size, flags, offset) of each sample.
    fn decoded(bytes: &Bytes) -> (u64, Vec<(u32, u32, u32, i64)>) {
        let mut reader = Cursor::new(&bytes[..]);
        let mut found = None;
        while (reader.position() as usize) < bytes.len() {
            match Any::decode(&mut reader).expect("a box") {
                Any::Moof(moof) => found = Some(moof),
                Any::Mdat(_) | Any::Prft(_) => {}
                other => panic!("{other:?}"),
            }
        }
        let moof: Moof = found.expect("a moof");
        let traf = &moof.traf[0];
        let run = &traf.trun[0];
        let entries = run.samples.iter().map(|entry| {
            (
                entry
                    .duration
                    .or(traf.tfhd.default_sample_duration)
                    .expect("a duration"),
                entry.size.expect("a size"),
                entry.flags.or(traf.tfhd.default_sample_flags).expect("flags"),
                entry.cts.unwrap_or(0),
            )
        });
        (
            traf.tfdt.as_ref().expect("tfdt").base_media_decode_time,
            entries.collect(),
        )
    }

    fn check(samples: &[Timed], reference: Option<Reference>) {
        let chunk = Chunk {
            sequence: 7,
            kind: Kind::Video,
            samples,
            reference,
        };
        let bytes = chunk.write();
        let (start, entries) = decoded(&bytes);
        assert_eq!(start, samples[0].dts as u64);
        let expected: Vec<_> = samples
            .iter()
            .map(|sample| {
                (
                    sample.duration,
                    sample.data.len() as u32,
                    sample.flags(),
                    i64::from(sample.offset()),
                )
            })
            .collect();
        assert_eq!(entries, expected);
        let media: Vec<u8> = samples.iter().flat_map(|sample| sample.data.to_vec()).collect();
        assert_eq!(&bytes[chunk.data_start()..], media);
    }

    #[test]
    fn another_parser_reads_back_what_was_written() {
        let key = [sample(0, 0, 3_000, true), sample(3_000, 0, 3_000, false)];
        let reordered = [
            sample(90_000, 6_000, 3_000, false),
            sample(93_000, -1, 3_001, false),
            sample(96_001, 3_000, 2_999, true),
        ];
        let stills = [sample(0, 0, 15_000, true), sample(15_000, 0, 15_000, true)];
        let reference = Reference {
            wall: DateTime(1_795_165_644_153),
            media: 90_000,
        };
        for samples in [&key[..], &reordered, &stills, &key[..1], &reordered[..1]] {
            check(samples, None);
            check(samples, Some(reference));
        }
    }

    #[test]
    fn decode_times_are_64_bits_wide() {
        let far = 90_000 * 86_400 * 365;
        check(&[sample(far, 0, 3_000, true)], None);
    }
}
