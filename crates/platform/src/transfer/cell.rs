//! One value of one row, as both engines and a line of the backup hold it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::{ColumnIndex, Decode, Row, Type as SqlType};

use super::catalogue::Type;
use crate::store::{Json, Result};

/// A value. Bytes are written as base64, JSON as it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cell {
    /// Nothing.
    None,
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
    /// JSON.
    Json(Box<RawValue>),
    /// Bytes.
    Bytes(#[serde(with = "base64_text")] Vec<u8>),
}

impl Cell {
    /// Reads the value in one column of a row.
    pub(super) fn read<'r, R>(row: &'r R, index: usize, kind: Type) -> Result<Self>
    where
        R: Row,
        usize: ColumnIndex<R>,
        String: Decode<'r, R::Database> + SqlType<R::Database>,
        i64: Decode<'r, R::Database> + SqlType<R::Database>,
        bool: Decode<'r, R::Database> + SqlType<R::Database>,
        Vec<u8>: Decode<'r, R::Database> + SqlType<R::Database>,
        Json<Box<RawValue>>: Decode<'r, R::Database> + SqlType<R::Database>,
    {
        Ok(match kind {
            Type::Text => row.try_get::<Option<_>, _>(index)?.map(Self::Text),
            Type::Integer => row.try_get::<Option<_>, _>(index)?.map(Self::Integer),
            Type::Boolean => row.try_get::<Option<_>, _>(index)?.map(Self::Boolean),
            Type::Bytes => row.try_get::<Option<_>, _>(index)?.map(Self::Bytes),
            Type::Json => row.try_get::<Option<Json<_>>, _>(index)?.map(|json| Self::Json(json.0)),
        }
        .unwrap_or(Self::None))
    }
}

mod base64_text {
    use serde::{Deserializer, Serializer, de::Error};

    use super::{Deserialize, Engine, STANDARD};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}
