//! Which paths are pages of the app, and what a browser is told of each before any script has run.

/// A page of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// What stands before the name of the product in the title.
    pub(super) title: &'static str,
    /// Who should find it.
    pub(super) audience: Audience,
}

/// Who should find a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Everybody, search engines too.
    Everybody,
    /// One person and their account: nothing for a search engine.
    Person,
    /// Whoever holds the secret in the address. No other site may learn that address.
    Holder,
}

use Audience::{Everybody, Holder, Person};

/// A path, its title and audience; `*` stands for one segment.
const PAGES: [(&str, &str, Audience); 27] = [
    ("/browse", "Browse", Everybody),
    ("/c/*", "", Everybody),
    ("/setup", "Set up", Holder),
    ("/verify", "Confirm your address", Holder),
    ("/reset", "Reset your password", Holder),
    ("/invite", "Invitation", Holder),
    ("/login", "Sign in", Person),
    ("/signup", "Create an account", Person),
    ("/me", "Profile", Person),
    ("/me/security", "Security", Person),
    ("/me/tokens", "API tokens", Person),
    ("/studio", "Studio", Person),
    ("/studio/setup", "Go live", Person),
    ("/studio/setup/*", "Go live", Person),
    ("/studio/streams", "Streams", Person),
    ("/studio/streams/*", "Stream", Person),
    ("/studio/channel", "Channels", Person),
    ("/studio/channel/*", "Channel", Person),
    ("/admin", "Server", Person),
    ("/admin/users", "People", Person),
    ("/admin/users/*", "Person", Person),
    ("/admin/live", "Live now", Person),
    ("/admin/transcoding", "Transcoding", Person),
    ("/admin/audit", "Audit log", Person),
    ("/admin/settings", "Settings", Person),
    ("/admin/invitations", "Invitations", Person),
    ("/api/docs", "API reference", Everybody),
];

/// The page at a path, if the app has one there. A slash at its end changes nothing.
pub(super) fn find(path: &str) -> Option<Page> {
    let path = path.strip_suffix('/').unwrap_or(path);
    PAGES
        .iter()
        .find(|(pattern, ..)| fits(pattern, path))
        .map(|&(_, title, audience)| Page { title, audience })
}

fn fits(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => path
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && !rest.contains('/')),
        None => path == pattern,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_star_is_one_segment() {
        let title = |path| find(path).map(|page| page.title);
        assert_eq!(title("/studio/streams"), Some("Streams"));
        assert_eq!(title("/studio/streams/"), Some("Streams"));
        assert_eq!(title("/studio/streams/st1"), Some("Stream"));
        assert_eq!(title("/studio/streams/st1/more"), None);
        assert_eq!(title("/c/"), None);
        assert_eq!(title("/logins"), None);
    }

    /// The paths of the app's routes: folders with a page in them, `*` for a parameter.
    fn routes(folder: &Path, path: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if name == "+page.svelte" {
                found.push(path.to_owned());
            } else if name.starts_with("[[") {
                found.push(path.to_owned());
                routes(&entry.path(), &format!("{path}/*"), found);
            } else if name.starts_with('[') {
                routes(&entry.path(), &format!("{path}/*"), found);
            } else if entry.path().is_dir() {
                routes(&entry.path(), &format!("{path}/{name}"), found);
            }
        }
    }

    #[test]
    fn every_route_of_the_app_is_answered_with_its_page() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/src/routes");
        let mut found = Vec::new();
        routes(&sources, "", &mut found);
        assert!(found.len() > 10, "{found:?}");
        for path in found.iter().filter(|path| !["", "/watch/*"].contains(&path.as_str())) {
            assert!(find(path).is_some(), "{path}");
        }
    }

    #[test]
    fn pages_that_a_mailed_link_opens_are_for_its_holder() {
        for path in ["/setup", "/verify", "/reset", "/invite"] {
            assert_eq!(find(path).map(|page| page.audience), Some(Holder), "{path}");
        }
    }
}
