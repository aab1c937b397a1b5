//! Entry points of the fuzz targets; an ordinary test replays their corpora.

use crate::bitstream::Bitstream;
use crate::nut::{Event, Limits, Reader};

/// What an encoder's output may be. Its first byte says how it is cut into reads.
pub fn nut(data: &[u8]) {
    let Some((cut, data)) = data.split_first() else { return };
    let mut reader = Reader::new(Limits::default());
    let mut bitstream = None;
    for bytes in data.chunks(usize::from(*cut) + 1) {
        reader.buffer().extend_from_slice(bytes);
        loop {
            match reader.poll_event() {
                Ok(Some(Event::Stream(stream))) => bitstream = Bitstream::new(&stream),
                Ok(Some(Event::Frame { data, .. })) => {
                    let len = data.len();
                    let converted = bitstream.as_mut().map(|bitstream| bitstream.convert(data).len());
                    // A length of four bytes stands for a start code of three.
                    assert!(converted.unwrap_or(0) <= 2 * len, "a frame grows only by its lengths");
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_corpora_pass() {
        let corpora = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        for input in std::fs::read_dir(corpora.join("nut_reader")).unwrap() {
            super::nut(&std::fs::read(input.unwrap().path()).unwrap());
        }
    }
}
