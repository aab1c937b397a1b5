use bytes::{Bytes, BytesMut};

use super::cursor::{Cursor, Stop};
use super::frame::FrameHeader;
use super::header::{Known, Main, Stream};
use super::{Error, Limits};

const FILE_ID: &[u8] = b"nut/multimedia container\0";
const MAIN: u64 = 0x4e4d_7a56_1f5f_04ad;
const STREAM: u64 = 0x4e53_1140_5bf2_f9db;
const SYNCPOINT: u64 = 0x4e4b_e4ad_eeca_4569;
/// Packets longer than this have a checksum of their header.
const CHECKED_FROM: u64 = 4_096;

/// What a stream says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It begins.
    Stream(Stream),
    /// A frame, in the order of decoding.
    Frame {
        /// Presentation time, in ticks of the stream's timescale.
        pts: i64,
        /// Whether decoding can start here.
        keyframe: bool,
        /// The coded bytes.
        data: Bytes,
    },
}

/// Reads a NUT stream of one track as it arrives.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    buffer: BytesMut,
    began: bool,
    main: Option<Main>,
    stream: Option<Known>,
    last_pts: i64,
}

impl Reader {
    /// A reader of a stream that begins.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            buffer: BytesMut::new(),
            began: false,
            main: None,
            stream: None,
            last_pts: 0,
        }
    }

    /// Where the next bytes go: append to it, then ask for events. It holds at most one unread frame and what was appended.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next event; `None` until more bytes are there.
    ///
    /// # Errors
    /// If the bytes are no NUT stream of one track, or pass a limit. Nothing can be read after that.
    pub fn poll_event(&mut self) -> Result<Option<Event>, Error> {
        loop {
            match self.step() {
                Ok(Some(event)) => return Ok(Some(event)),
                Ok(None) => {}
                Err(Stop::Short) => return Ok(None),
                Err(Stop::Fault(error)) => return Err(error),
            }
        }
    }

    fn step(&mut self) -> Result<Option<Event>, Stop> {
        if !self.began {
            return self.begin().map(|()| None);
        }
        match self.buffer.first() {
            None => Err(Stop::Short),
            Some(b'N') => self.packet(),
            Some(_) => self.frame().map(Some),
        }
    }

    fn begin(&mut self) -> Result<(), Stop> {
        let id = Cursor::new(&self.buffer).take(FILE_ID.len())?;
        if id != FILE_ID {
            return Err(Error::NotNut.into());
        }
        drop(self.buffer.split_to(FILE_ID.len()));
        self.began = true;
        Ok(())
    }

    fn packet(&mut self) -> Result<Option<Event>, Stop> {
        let mut cursor = Cursor::new(&self.buffer);
        let code = cursor.u64()?;
        let len = cursor.number()?;
        if len > CHECKED_FROM {
            cursor.take(4)?;
        }
        let max = self.limits.header_bytes_max;
        let len = usize::try_from(len)
            .ok()
            .filter(|len| *len <= max)
            .ok_or(Error::HeaderTooLarge { len, max })?;
        let start = cursor.position();
        cursor.take(len)?;
        let whole = self.buffer.split_to(cursor.position());
        let body = whole.get(start..).unwrap_or_default();
        // All of it is there: what is short now stays short.
        self.read_packet(code, &mut Cursor::new(body))
            .map_err(|stop| match stop {
                Stop::Short => Stop::Fault(Error::Invalid("a header that ends early")),
                fault => fault,
            })
    }

    fn read_packet(&mut self, code: u64, body: &mut Cursor<'_>) -> Result<Option<Event>, Stop> {
        match code {
            // Headers are repeated now and then.
            MAIN if self.main.is_none() => self.main = Some(Main::read(body)?),
            STREAM if self.stream.is_none() => {
                let main = self
                    .main
                    .as_ref()
                    .ok_or(Error::Invalid("a stream before the main header"))?;
                let known = Known::read(body, main)?;
                let stream = known.stream.clone();
                self.stream = Some(known);
                return Ok(Some(Event::Stream(stream)));
            }
            SYNCPOINT => self.last_pts = self.synchronised(body)?,
            _ => {}
        }
        Ok(None)
    }

    /// The time that a synchronisation point gives, in the stream's ticks.
    fn synchronised(&self, body: &mut Cursor<'_>) -> Result<i64, Stop> {
        let (main, stream) = self.headers()?;
        let value = body.number()?;
        let count = main.time_bases.len() as u64;
        let index = value.checked_rem(count).and_then(|index| usize::try_from(index).ok());
        let base = index.and_then(|index| main.time_bases.get(index));
        let base = base.ok_or(Error::Invalid("a time base"))?;
        let time = u128::from(value.checked_div(count).unwrap_or(0));
        let from = u128::from(base.num).saturating_mul(u128::from(stream.base.den));
        let to = u128::from(base.den).saturating_mul(u128::from(stream.base.num));
        let ticks = time.saturating_mul(from).checked_div(to).unwrap_or(0);
        Ok(i64::try_from(ticks).unwrap_or(i64::MAX))
    }

    fn frame(&mut self) -> Result<Event, Stop> {
        let (main, stream) = self.headers()?;
        let mut cursor = Cursor::new(&self.buffer);
        let header = FrameHeader::read(&mut cursor, main, stream, self.last_pts, self.limits)?;
        if cursor.remaining() < header.len {
            return Err(Stop::Short);
        }
        let elided = main.elided.get(header.elided).map(Vec::as_slice).unwrap_or_default();
        let elided = Bytes::copy_from_slice(elided);
        let start = cursor.position();
        let whole = self.buffer.split_to(start.saturating_add(header.len)).freeze();
        let data = whole.slice(start..);
        self.last_pts = header.pts;
        Ok(Event::Frame {
            pts: header.pts,
            keyframe: header.keyframe,
            data: if elided.is_empty() {
                data
            } else {
                [elided, data].concat().into()
            },
        })
    }

    fn headers(&self) -> Result<(&Main, &Known), Error> {
        let missing = Error::Invalid("a frame before the headers");
        Ok((self.main.as_ref().ok_or(missing)?, self.stream.as_ref().ok_or(missing)?))
    }
}
