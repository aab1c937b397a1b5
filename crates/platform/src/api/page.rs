//! Lists come in pages: each says where the next begins.

use std::fmt::Display;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::clock::Time;
use crate::error::{Error, Result};

/// Items of one page.
const LIMIT_MAX: i64 = 100;
const LIMIT_DEFAULT: i64 = 25;

/// A page of a list, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Items<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which page is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// How many items: one more is read, to see whether there is a next page.
    ///
    /// # Errors
    /// If it is not 1 to 100.
    pub fn limit(&self) -> Result<i64> {
        match self.limit.unwrap_or(LIMIT_DEFAULT) {
            limit @ 1..=LIMIT_MAX => Ok(limit),
            _ => Err(Error::Invalid("limit must be 1 to 100".into())),
        }
    }

    /// The time and id after which the page begins: rows with a smaller `(time, id)` belong to it.
    ///
    /// # Errors
    /// If it is not a cursor of ours.
    pub fn after(&self) -> Result<(Time, String)> {
        let Some(cursor) = &self.cursor else {
            return Ok((Time(i64::MAX), String::new()));
        };
        let parse = || {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
            let (time, id) = text.split_once(':')?;
            let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
            plain.then_some((Time(time.parse().ok()?), id.to_owned()))
        };
        parse().ok_or(Error::Invalid("the cursor is not one of ours".into()))
    }
}

/// A yes or no of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
pub enum Flag {
    /// Yes.
    #[serde(rename = "1", alias = "true")]
    Yes,
    /// No, as without it.
    #[serde(rename = "0", alias = "false")]
    No,
}

impl Flag {
    /// Whether it is there and says yes.
    pub fn is_set(flag: Option<Self>) -> bool {
        flag == Some(Self::Yes)
    }
}

impl<T> Items<T> {
    /// A page from rows of which one more than `limit` was asked for. `place` tells time and id of an item.
    pub fn page<I: Display + ?Sized>(mut rows: Vec<T>, limit: i64, place: impl Fn(&T) -> (Time, &I)) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let cursor = rows.last().filter(|_| more).map(|last| {
            let (time, id) = place(last);
            URL_SAFE_NO_PAD.encode(format!("{}:{id}", time.0))
        });
        Self {
            items: rows,
            next_cursor: cursor,
        }
    }

    /// The same page of what `change` makes of each item.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Items<U> {
        Items {
            items: self.items.into_iter().map(change).collect(),
            next_cursor: self.next_cursor,
        }
    }

    /// The page without the items that `wanted` refuses: it may be shorter than was asked for.
    #[must_use]
    pub fn only(mut self, wanted: impl FnMut(&T) -> bool) -> Self {
        self.items.retain(wanted);
        self
    }

    /// A list that fits on one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }
}
