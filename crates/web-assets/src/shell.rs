//! The one HTML page of the app: split where the head ends, so that a route can add its own tags.

use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::asset::Files;

/// The page every route starts from, and what is known about it.
#[derive(Debug)]
pub struct Shell {
    before: String,
    after: String,
    script_hashes: Vec<String>,
    preloads: Vec<(Route, Preload)>,
}

/// A route whose first files are known when the app is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Home,
    /// `/watch/NAME`
    Watch,
    /// Any other page: what all of them have around them.
    App,
}

/// A file that a route needs first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preload {
    /// What kind of file it is.
    pub kind: PreloadKind,
    /// Its path on this server.
    pub href: String,
}

/// How a file is fetched ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreloadKind {
    /// A JavaScript module.
    Script,
    /// A style sheet.
    Style,
    /// A web font.
    Font,
}

/// The shell of the embedded app.
pub fn shell() -> &'static Shell {
    static SHELL: LazyLock<Shell> = LazyLock::new(|| Shell::new(&text("index.html"), &text("shell.txt")));
    &SHELL
}

impl Shell {
    /// Reads the page, and the notes that the app's build leaves beside it (`web/scripts/finish.js`).
    fn new(html: &str, notes: &str) -> Self {
        let (before, after) = html.split_at(html.find("</head>").unwrap_or(html.len()));
        let mut shell = Self {
            before: before.trim_end().to_owned(),
            after: after.to_owned(),
            script_hashes: Vec::new(),
            preloads: Vec::new(),
        };
        for line in notes.lines() {
            let fields: Vec<_> = line.split(' ').collect();
            let [subject, kind, value] = fields[..] else { continue };
            if subject == "csp" {
                shell.script_hashes.push(value.to_owned());
            } else if let (Ok(route), Ok(kind)) = (subject.parse(), kind.parse()) {
                shell.preloads.push((
                    route,
                    Preload {
                        kind,
                        href: value.to_owned(),
                    },
                ));
            }
        }
        shell
    }

    /// The page with these tags at the end of its head. The caller escapes what it puts into them: see [`escape`]
    /// and [`json_script`].
    pub fn with_head(&self, tags: &str) -> String {
        [&self.before, "\n\t\t", tags, "\n\t", &self.after].concat()
    }

    /// The files that a route needs first, beyond those the page names itself.
    pub fn preloads(&self, route: Route) -> impl Iterator<Item = &Preload> {
        self.preloads
            .iter()
            .filter(move |(of, _)| *of == route)
            .map(|(_, preload)| preload)
    }

    /// The `<link>` tags that make the browser fetch a route's files at once, not one after the other.
    pub fn preload_tags(&self, route: Route) -> String {
        self.preloads(route)
            .fold(String::new(), |mut tags, Preload { kind, href }| {
                let _ = match kind {
                    PreloadKind::Script => write!(tags, r#"<link rel="modulepreload" href="{href}">"#),
                    PreloadKind::Style => write!(tags, r#"<link rel="stylesheet" href="{href}">"#),
                    PreloadKind::Font => {
                        write!(
                            tags,
                            r#"<link rel="preload" as="font" type="font/woff2" crossorigin href="{href}">"#
                        )
                    }
                };
                tags
            })
    }

    /// Hashes of the page's inline scripts, each a source expression such as `sha256-…` without its quotes.
    pub fn script_hashes(&self) -> &[String] {
        &self.script_hashes
    }

    /// A `Content-Security-Policy` under which the app works: its own files, its inline start script, media from
    /// memory (Media Source) and workers. `frame_ancestors` says who may embed the page, such as `'self'`.
    pub fn content_security_policy(&self, frame_ancestors: &str) -> String {
        let hashes = self.script_hashes.iter().fold(String::new(), |mut list, hash| {
            let _ = write!(list, " '{hash}'");
            list
        });
        // The controls' shadow roots carry <style> elements, hence inline styles.
        format!(
            "default-src 'self'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
             media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; \
             frame-ancestors {frame_ancestors}"
        )
    }
}

impl FromStr for Route {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "home" => Ok(Self::Home),
            "watch" => Ok(Self::Watch),
            "app" => Ok(Self::App),
            _ => Err(()),
        }
    }
}

impl FromStr for PreloadKind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "script" => Ok(Self::Script),
            "style" => Ok(Self::Style),
            "font" => Ok(Self::Font),
            _ => Err(()),
        }
    }
}

/// Text made safe for the inside of an element or of a quoted attribute.
pub fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut escaped, character| {
            match character {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                _ => escaped.push(character),
            }
            escaped
        })
}

/// A data block that the app reads by its id, such as `playback`; no value in the JSON can end it early.
pub fn json_script(id: &str, json: &str) -> String {
    let safe = json.replace('<', "\\u003c");
    format!(r#"<script type="application/json" id="{}">{safe}</script>"#, escape(id))
}

fn text(path: &str) -> String {
    Files::get(path)
        .map(|file| String::from_utf8_lossy(&file.data).into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTES: &str =
        "csp script sha256-abc=\nhome font /f.woff2\nwatch script /w.js\nwatch style /w.css\nother x /y\n";

    fn small() -> Shell {
        Shell::new("<html><head><meta>\n\t</head><body></body></html>", NOTES)
    }

    #[test]
    fn tags_of_a_route_come_at_the_end_of_the_head() {
        let page = small().with_head("<title>colors</title>");
        assert_eq!(
            page,
            "<html><head><meta>\n\t\t<title>colors</title>\n\t</head><body></body></html>"
        );
    }

    #[test]
    fn each_route_preloads_its_own_files() {
        let shell = small();
        assert_eq!(
            shell.preload_tags(Route::Watch),
            r#"<link rel="modulepreload" href="/w.js"><link rel="stylesheet" href="/w.css">"#
        );
        assert!(shell.preload_tags(Route::Home).contains("crossorigin"));
    }

    #[test]
    fn the_policy_allows_the_start_script_by_its_hash_and_no_other() {
        let policy = small().content_security_policy("'self'");
        assert!(policy.contains("script-src 'self' 'sha256-abc=';"), "{policy}");
    }

    #[test]
    fn a_stream_name_cannot_leave_its_tag() {
        assert_eq!(escape(r#"<a "b"> & 'c'"#), "&lt;a &quot;b&quot;&gt; &amp; &#39;c&#39;");
        let block = json_script("playback", r#"{"name":"</script><script>"}"#);
        assert_eq!(block.matches("</script>").count(), 1);
    }

    #[test]
    fn the_embedded_page_names_its_files_and_they_exist() {
        let page = shell().with_head("");
        assert!(page.contains("<meta charset=\"utf-8\"") && page.contains("</body>"));
        if crate::built() {
            assert_eq!(shell().script_hashes().len(), 1);
            for route in [Route::Home, Route::Watch, Route::App] {
                let there = |kind| shell().preloads(route).any(|preload| preload.kind == kind);
                assert!(there(PreloadKind::Font));
                // The other pages share one entry, which the page itself names.
                let own = route != Route::App;
                assert_eq!((there(PreloadKind::Script), there(PreloadKind::Style)), (own, own));
                assert!(
                    shell()
                        .preloads(route)
                        .all(|preload| crate::get(&preload.href).is_some())
                );
            }
        }
    }
}
