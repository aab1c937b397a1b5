use crate::channels::handle::{self, Handle};
use crate::channels::{CATEGORY_MAX, Channel, DESCRIPTION_MAX, TAG_MAX, TAGS_MAX, TITLE_MAX, Visibility, create};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::run;
use crate::store::{Conn, Json};
use crate::streams::playback;
use crate::text::{line, lines};

/// What is to be changed; the rest stays.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// Another place in addresses.
    pub handle: Option<String>,
    /// Another title.
    pub title: Option<String>,
    /// Another description.
    pub description: Option<String>,
    /// Another category.
    pub category: Option<String>,
    /// Other tags.
    pub tags: Option<Vec<String>>,
    /// Another language.
    pub language: Option<String>,
    /// Whether it is for grown-ups.
    pub mature: Option<bool>,
    /// Who may see it.
    pub visibility: Option<Visibility>,
    /// Whether it is known that public playback ids end.
    pub confirm_rotation: bool,
}

impl Patch {
    /// Whether it changes what only the owner may.
    pub fn is_for_the_owner(&self) -> bool {
        self.handle.is_some() || self.visibility.is_some()
    }

    fn checked(self) -> Result<Self> {
        let title = self.title.map(|text| line("/title", &text, 1, TITLE_MAX));
        let description = self
            .description
            .map(|text| lines("/description", &text, DESCRIPTION_MAX));
        let category = self.category.map(|text| line("/category", &text, 0, CATEGORY_MAX));
        Ok(Self {
            title: title.transpose()?,
            description: description.transpose()?,
            category: category.transpose()?,
            tags: self.tags.map(tags).transpose()?,
            language: self.language.map(language).transpose()?,
            ..self
        })
    }
}

/// Changes a channel. Making it private puts private playback ids in the place of public ones, once that was confirmed.
///
/// # Errors
/// [`Error::Field`], [`Error::Conflict`] (`taken`, `rotation_warning`), [`Error::NotFound`], and those of the database.
pub async fn edit(conn: &mut Conn<'_>, channel: &Channel, patch: Patch, now: Time) -> Result<()> {
    let patch = patch.checked()?;
    let handle = patch.handle.as_deref().map(Handle::parse).transpose()?;
    let closes = patch.visibility == Some(Visibility::Private) && channel.visibility != Visibility::Private;
    if closes {
        close(conn, channel, patch.confirm_rotation, now).await?;
    }
    let changed = run!(
        conn,
        "update channels set handle = coalesce($1, handle), title = coalesce($2, title), description = coalesce($3, description),
             category = coalesce($4, category), tags = coalesce($5, tags), language = coalesce($6, language),
             mature = coalesce($7, mature), visibility = coalesce($8, visibility), updated_at = $9
         where id = $10 and deleted_at is null",
        handle.as_ref().map(Handle::as_str),
        patch.title,
        patch.description,
        patch.category,
        patch.tags.map(Json),
        patch.language,
        patch.mature,
        patch.visibility,
        now,
        &channel.id
    );
    if changed.map_err(create::said_taken)? == 0 {
        return Err(Error::NotFound);
    }
    match handle {
        Some(handle) if handle.as_str() != channel.handle => {
            handle::check_taken(conn, &handle, &channel.owner_id, now).await?;
            handle::give_up(conn, &channel.handle, &channel.id, now).await
        }
        _ => Ok(()),
    }
}

async fn close(conn: &mut Conn<'_>, channel: &Channel, confirmed: bool, now: Time) -> Result<()> {
    let public = playback::count_public(conn, &channel.id).await?;
    if public > 0 && !confirmed {
        return Err(Error::Conflict {
            code: "rotation_warning",
            detail: format!("{public} public playback ids end, with every link and player that uses them").into(),
        });
    }
    Ok(playback::make_private(conn, &channel.id, now).await?)
}

/// Puts a picture in the place of the one that is there, which is forgotten; `None` takes it away.
///
/// # Errors
/// [`Error::NotFound`], and those of the database.
pub async fn set_picture(
    conn: &mut Conn<'_>,
    channel: &Id,
    shape: crate::images::Shape,
    picture: Option<&Id>,
    now: Time,
) -> Result<()> {
    use crate::images::Shape;
    let (forget, set) = match shape {
        Shape::Avatar => (
            "select avatar_id from channels where id = $1 and deleted_at is null",
            "update channels set avatar_id = $1, updated_at = $2 where id = $3",
        ),
        Shape::Banner => (
            "select banner_id from channels where id = $1 and deleted_at is null",
            "update channels set banner_id = $1, updated_at = $2 where id = $3",
        ),
    };
    let old = crate::optional!(conn, (Option<Id>,), forget, channel)?;
    let (old,) = old.ok_or(Error::NotFound)?;
    run!(conn, set, picture, now, channel)?;
    if let Some(old) = old {
        run!(conn, "delete from images where id = $1", old)?;
    }
    Ok(())
}

fn tags(tags: Vec<String>) -> Result<Vec<String>> {
    if tags.len() > TAGS_MAX {
        return Err(Error::field("/tags", "at most 10 tags"));
    }
    let mut out = Vec::with_capacity(tags.len());
    for tag in tags {
        let tag = line("/tags", &tag, 1, TAG_MAX)?;
        if !out.contains(&tag) {
            out.push(tag);
        }
    }
    Ok(out)
}

/// The shape of a language tag (RFC 5646 §2.1): a language, then parts of two to eight letters or digits. Empty for none.
fn language(tag: String) -> Result<String> {
    let mut parts = tag.split('-');
    let letters = |part: &str| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let more = |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let fits = tag.is_empty() || (tag.len() <= 35 && parts.next().is_some_and(letters) && parts.all(more));
    if fits {
        Ok(tag)
    } else {
        Err(Error::field("/language", "a language tag such as en or pt-BR"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_the_shape_of_a_tag() {
        for good in ["", "en", "pt-BR", "zh-Hant-TW", "de-CH-1996"] {
            assert!(language(good.into()).is_ok(), "{good}");
        }
        for bad in ["e", "english", "en_GB", "en-", "-en", "en-verylongpart", "en\0"] {
            assert!(language(bad.into()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tags_are_few_short_and_told_once() {
        assert_eq!(tags(vec![" a ".into(), "b".into(), "a".into()]).unwrap(), ["a", "b"]);
        assert!(tags(vec!["x".repeat(31)]).is_err());
        assert!(tags(vec!["x".into(); 11]).is_err());
        assert!(tags(vec![String::new()]).is_err());
    }
}
