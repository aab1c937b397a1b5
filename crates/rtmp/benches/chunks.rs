//! One second of a 2.5 Mb/s stream: 30 video and 47 audio messages, read from chunks and written into them.

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rtmp::Limits;
use rtmp::chunk::{Chunked, Envelope, Reader, append};
use rtmp::kind;

/// What OBS and many others send.
const CHUNK_SIZE: usize = 4_096;

struct Message {
    envelope: Envelope,
    payload: Bytes,
}

fn one_second() -> Vec<Message> {
    let video = (0..30).map(|number| message(6, kind::VIDEO, number * 33, 9_880));
    let audio = (0..47).map(|number| message(4, kind::AUDIO, number * 21, 340));
    let mut messages: Vec<_> = video.chain(audio).collect();
    messages.sort_by_key(|message| message.envelope.timestamp);
    messages
}

fn message(chunk_stream: u8, kind: u8, timestamp: u32, len: usize) -> Message {
    let envelope = Envelope {
        chunk_stream,
        kind,
        stream: 1,
        timestamp,
    };
    Message {
        envelope,
        payload: vec![0x5a; len].into(),
    }
}

fn read(c: &mut Criterion) {
    let mut bytes = Vec::new();
    for message in one_second() {
        append(&mut bytes, message.envelope, &message.payload, CHUNK_SIZE);
    }
    let mut group = c.benchmark_group("chunks");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("read one second", |b| {
        b.iter(|| {
            let mut reader = Reader::new(Limits::default());
            reader
                .set_chunk_size(CHUNK_SIZE as u32)
                .expect("a size that the limits allow");
            // As the socket gives it: in pieces that know nothing of chunks.
            bytes
                .chunks(16 << 10)
                .map(|piece| drain(&mut reader, piece))
                .sum::<usize>()
        });
    });
    group.finish();
}

fn drain(reader: &mut Reader, mut piece: &[u8]) -> usize {
    let mut messages = 0;
    while let Some(message) = reader.read(&mut piece).expect("well-formed chunks") {
        messages += usize::from(!message.payload.is_empty());
    }
    messages
}

fn write(c: &mut Criterion) {
    let messages = one_second();
    let mut group = c.benchmark_group("chunks");
    group.bench_function("write one second, for every player at once", |b| {
        b.iter(|| {
            let chunked = |message: &Message| Chunked::new(message.envelope, &[0x27, 1], &message.payload, 65_536);
            messages.iter().map(|message| chunked(message).len()).sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, read, write);
criterion_main!(benches);
