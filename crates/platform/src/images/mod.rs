//! Pictures of channels: taken from strangers, so each is decoded within limits, cut to its shape and written anew.

mod picture;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::store::{self, Conn};
use crate::{optional, run};

pub use picture::{Picture, Shape};

/// Bytes of a picture that is sent.
pub const UPLOAD_BYTES_MAX: usize = 4 << 20;
/// Pictures that are decoded at once.
const DECODING_MAX: usize = 2;
/// Pictures that are received or wait to be decoded at once.
const UPLOADS_MAX: usize = 16;

/// Decodes pictures, a few at a time.
#[derive(Clone, Debug)]
pub struct Studio {
    uploads: Arc<Semaphore>,
    decoding: Arc<Semaphore>,
}

impl Default for Studio {
    fn default() -> Self {
        Self {
            uploads: Arc::new(Semaphore::new(UPLOADS_MAX)),
            decoding: Arc::new(Semaphore::new(DECODING_MAX)),
        }
    }
}

/// A place among those who send pictures.
#[derive(Debug)]
pub struct Upload {
    _place: OwnedSemaphorePermit,
}

impl Studio {
    /// A place among those who send pictures, taken before any byte is read.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where all are taken.
    pub fn enter(&self) -> Result<Upload> {
        let place = Arc::clone(&self.uploads).try_acquire_owned();
        place
            .map(|place| Upload { _place: place })
            .map_err(|_| Error::Unavailable("many pictures are being sent: try again shortly".into()))
    }

    /// Makes what was sent a picture of that shape.
    ///
    /// # Errors
    /// [`Error::MediaType`] where it is none that is understood, [`Error::Field`] where it is broken or too large.
    pub async fn develop(&self, _place: Upload, sent: bytes::Bytes, shape: Shape) -> Result<Picture> {
        let _turn = self.decoding.acquire().await;
        let developed = tokio::task::spawn_blocking(move || Picture::read(&sent, shape)).await;
        // A decoder that panics has met a file that it cannot read.
        developed.unwrap_or_else(|_| Err(picture::broken()))
    }
}

/// Keeps a picture: it belongs to `owner`, whose account it does not outlive.
///
/// # Errors
/// Those of the database.
pub async fn insert(
    conn: &mut Conn<'_>,
    picture: Picture,
    (environment, owner): (&Id, &Id),
    now: Time,
) -> store::Result<Id> {
    let id = Kind::Image.random();
    run!(
        conn,
        "insert into images (id, environment_id, content_type, bytes, created_by, created_at) values ($1, $2, $3, $4, $5, $6)",
        &id,
        environment,
        picture.content_type,
        picture.bytes,
        owner,
        now
    )?;
    Ok(id)
}

/// A picture that is kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Kept {
    /// Its type.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A picture of that environment. Whoever knows its id may see it.
///
/// # Errors
/// [`Error::NotFound`], and those of the database.
pub async fn get(conn: &mut Conn<'_>, environment: &Id, id: &Id) -> Result<Kept> {
    let kept = optional!(
        conn,
        Kept,
        "select content_type, bytes from images where id = $1 and environment_id = $2",
        id,
        environment
    )?;
    kept.ok_or(Error::NotFound)
}
