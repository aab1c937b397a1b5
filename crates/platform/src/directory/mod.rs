//! Which stream a handle or a playback id leads to, and for whom: kept in memory for what is live, so that it can be asked for each request.

mod entry;
mod names;
#[cfg(test)]
mod tests;
mod visitors;

use std::sync::Arc;

use hub::Name;
use hub::directory::{Access, Admission, Credentials, Listed, Place};

use crate::authorize::Action;
use crate::id::looks_like_id;
use crate::platform::Platform;

pub(crate) use entry::{Entry, load};
pub(crate) use names::Names;
pub(crate) use visitors::Visitors;

/// The directory of a server with accounts. What is no handle and no id leads to the open stream of that very name.
#[derive(Clone, Debug)]
pub struct Directory(Platform);

impl Directory {
    /// That of this platform.
    pub fn new(platform: Platform) -> Self {
        Self(platform)
    }
}

impl hub::Directory for Directory {
    fn find(&self, name: &str) -> Option<Place> {
        let names = self.0.live.names.load();
        if let Some((entry, access)) = names.alias(name) {
            return Some(Place {
                name: entry.name.clone(),
                access,
                title: Some(Arc::clone(&entry.title)),
            });
        }
        // A stream of an account goes by its id in the hub; only its handle and playback ids lead there.
        if looks_like_id(name) {
            return None;
        }
        hub::directory::Plain.find(name)
    }

    fn access(&self, name: &str, to: &Name) -> Option<Access> {
        let names = self.0.live.names.load();
        if let Some((entry, access)) = names.alias(name) {
            return (entry.name == *to).then_some(access);
        }
        (!looks_like_id(name) && name == to.as_str()).then_some(Access::Everybody)
    }

    fn listed(&self, name: &Name) -> Option<Listed> {
        if looks_like_id(name.as_str()) {
            return self.0.live.names.entry(name)?.listed.clone();
        }
        hub::directory::Plain.listed(name)
    }

    fn admit<'a>(&'a self, name: &'a Name, credentials: &'a Credentials) -> Admission<'a> {
        Box::pin(async move {
            let Some(entry) = self.0.live.names.entry(name) else {
                return false;
            };
            let visitor = visitors::find(&self.0, credentials).await;
            visitor.is_some_and(|actor| {
                actor.environment == entry.environment && actor.may(Action::ChannelWatch, entry.resource())
            })
        })
    }
}
