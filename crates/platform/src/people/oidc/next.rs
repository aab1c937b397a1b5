//! Where a sign-in leads: a path on this server and nowhere else.

use url::Url;

/// Bytes of such a path.
const LEN_MAX: usize = 2_000;
const BASE: &str = "https://here.invalid";

/// The path that was asked for, if it stays on this server; `/` otherwise. Browsers take `\` for `/` and leave tabs and line ends out, so
/// that `/\evil.example` and `/<tab>/evil.example` lead away as `//evil.example` does.
pub(super) fn path(wanted: Option<&str>) -> String {
    wanted
        .filter(|wanted| wanted.len() <= LEN_MAX && wanted.starts_with('/'))
        .filter(|wanted| !wanted.contains(|c: char| c == '\\' || c.is_control()))
        .and_then(resolved)
        .unwrap_or_else(|| "/".into())
}

fn resolved(wanted: &str) -> Option<String> {
    let base = Url::parse(BASE).ok()?;
    let url = base.join(wanted).ok()?;
    let path = url[url::Position::BeforePath..].to_owned();
    // `/.//evil.example` becomes `//evil.example`.
    (url.origin() == base.origin() && !path.starts_with("//")).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_ours_is_kept() {
        for good in [
            "/",
            "/studio",
            "/c/ann?t=1#now",
            "/a%2F%2Fb",
            "/login?next=//evil.example",
        ] {
            assert_eq!(path(Some(good)), good);
        }
        assert_eq!(path(None), "/");
        assert_eq!(path(Some("/a/../b")), "/b");
    }

    #[test]
    fn nothing_leads_away() {
        for bad in [
            "",
            "evil.example",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\\/evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nSet-Cookie: a=b",
            "/\0",
            "/.//evil.example",
            "/a/..//evil.example",
            "/%2e//evil.example",
            " /studio",
        ] {
            assert_eq!(path(Some(bad)), "/", "{bad:?}");
        }
        assert_eq!(path(Some(&format!("/{}", "a".repeat(LEN_MAX)))), "/");
    }
}
