//! What the names in addresses lead to, and who may watch there: the seam behind which channels and playback ids stand.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::Name;

/// Who may watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever knows the name.
    Everybody,
    /// Whoever [`Directory::admit`] lets in.
    Members,
}

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of its broadcasts in the hub.
    pub name: Name,
    /// Who may watch there.
    pub access: Access,
    /// What it is called, where it has a title.
    pub title: Option<Arc<str>>,
}

/// A stream as a public list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name that leads to it.
    pub name: Arc<str>,
    /// What it is called, where it has a title.
    pub title: Option<Arc<str>>,
}

/// What a request shows of who makes it: the texts of its headers. Never printed.
#[derive(Clone, Default)]
pub struct Credentials {
    /// Each `Cookie` header.
    pub cookies: Vec<String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// An answer about one viewer that may have to be waited for.
pub type Admission<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

/// Answers where names lead and who may watch. All but [`admit`](Self::admit) answer from memory: they are asked for each request.
pub trait Directory: Send + Sync + 'static {
    /// Where a name of an address leads; `None` if nowhere.
    fn find(&self, name: &str) -> Option<Place>;

    /// Whether a name of an address leads to the broadcasts of this name, and for whom.
    fn access(&self, name: &str, to: &Name) -> Option<Access>;

    /// How a public list shows the broadcasts of this name; `None` where it does not.
    fn listed(&self, name: &Name) -> Option<Listed>;

    /// Whether these credentials let somebody watch the broadcasts of this name, where that is for members.
    fn admit<'a>(&'a self, name: &'a Name, credentials: &'a Credentials) -> Admission<'a>;
}

/// A server without accounts: every name leads to the broadcasts of that very name, which are open to all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Directory for Plain {
    fn find(&self, name: &str) -> Option<Place> {
        Some(Place {
            name: Name::parse(name).ok()?,
            access: Access::Everybody,
            title: None,
        })
    }

    fn access(&self, name: &str, to: &Name) -> Option<Access> {
        (name == to.as_str()).then_some(Access::Everybody)
    }

    fn listed(&self, name: &Name) -> Option<Listed> {
        Some(Listed {
            name: name.as_str().into(),
            title: None,
        })
    }

    fn admit<'a>(&'a self, _: &'a Name, _: &'a Credentials) -> Admission<'a> {
        Box::pin(std::future::ready(true))
    }
}
