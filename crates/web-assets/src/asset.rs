//! One embedded file and the encodings it exists in.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;
use rust_embed::RustEmbed;

/// Everything `build.rs` put into the folder.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/dist"]
pub(crate) struct Files;

/// A file of the web app.
#[derive(Clone, Debug)]
pub struct Asset {
    /// The plain bytes.
    pub bytes: Bytes,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The strong entity tag of the plain bytes, with its quotes.
    pub etag: String,
    /// The same file compressed with Brotli.
    pub br: Option<Bytes>,
    /// The same file compressed with gzip.
    pub gzip: Option<Bytes>,
    /// The name holds a hash of the content, so a cache may keep the file for ever.
    pub immutable: bool,
}

/// A content coding a file may be sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is: no `Content-Encoding`.
    Identity,
    /// Brotli.
    Br,
    /// gzip.
    Gzip,
}

/// What to send to one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The body.
    pub bytes: Bytes,
    /// How it is encoded.
    pub encoding: Encoding,
    /// The strong entity tag of just this body, with its quotes.
    pub etag: String,
}

/// The file at a URL path such as `/_app/immutable/entry/start.js` or `/icon.svg`.
///
/// The shell is not among them, since every route has its own head: see [`shell`](crate::shell()). Neither are the
/// compressed siblings by their own names.
pub fn get(path: &str) -> Option<Asset> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let content_type = content_type(path)?;
    let file = Files::get(path)?;
    let etag = file.metadata.sha256_hash()[..12]
        .iter()
        .fold(String::from("\""), |mut tag, byte| {
            let _ = write!(tag, "{byte:02x}");
            tag
        })
        + "\"";
    Some(Asset {
        bytes: shared(file.data),
        content_type,
        etag,
        br: sibling(path, "br"),
        gzip: sibling(path, "gz"),
        immutable: path.starts_with("_app/immutable/"),
    })
}

impl Asset {
    /// The smallest form that a client with this `Accept-Encoding` takes.
    pub fn variant(&self, accept_encoding: &str) -> Variant {
        let forms = [(Encoding::Br, &self.br), (Encoding::Gzip, &self.gzip)];
        let accepted = forms.into_iter().find_map(|(encoding, bytes)| {
            let bytes = bytes.as_ref().filter(|_| encoding.accepted_by(accept_encoding))?;
            Some((encoding, bytes))
        });
        let (encoding, bytes) = accepted.unwrap_or((Encoding::Identity, &self.bytes));
        Variant {
            bytes: bytes.clone(),
            encoding,
            etag: self.etag_of(encoding),
        }
    }

    /// Different bytes need different strong tags (RFC 9110, section 8.8.3).
    fn etag_of(&self, encoding: Encoding) -> String {
        match encoding.token() {
            Some(token) => format!("{}-{token}\"", self.etag.trim_end_matches('"')),
            None => self.etag.clone(),
        }
    }
}

impl Encoding {
    /// The value of `Content-Encoding`, if one is to be sent.
    pub fn token(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Br => Some("br"),
            Self::Gzip => Some("gzip"),
        }
    }

    fn accepted_by(self, accept_encoding: &str) -> bool {
        accept_encoding.split(',').any(|item| {
            let mut pieces = item.split(';').map(str::trim);
            let name = pieces.next().unwrap_or_default();
            let refused = pieces.any(|piece| {
                piece
                    .strip_prefix("q=")
                    .is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0))
            });
            !refused && self.token().is_some_and(|token| name.eq_ignore_ascii_case(token))
        })
    }
}

fn sibling(path: &str, extension: &str) -> Option<Bytes> {
    Files::get(&format!("{path}.{extension}")).map(|file| shared(file.data))
}

fn shared(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}

/// The type by file name; a name of no known type is not for clients.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset() -> Asset {
        Asset {
            bytes: Bytes::from_static(b"plain"),
            content_type: "text/css; charset=utf-8",
            etag: "\"abc\"".to_owned(),
            br: Some(Bytes::from_static(b"br")),
            gzip: Some(Bytes::from_static(b"gz")),
            immutable: true,
        }
    }

    #[test]
    fn a_browser_gets_brotli_and_an_old_client_the_plain_file() {
        let cases = [
            ("gzip, deflate, br, zstd", Encoding::Br, "\"abc-br\""),
            ("GZIP", Encoding::Gzip, "\"abc-gzip\""),
            ("br;q=0, gzip;q=0.5", Encoding::Gzip, "\"abc-gzip\""),
            ("identity", Encoding::Identity, "\"abc\""),
            ("", Encoding::Identity, "\"abc\""),
        ];
        for (accept, encoding, etag) in cases {
            let variant = asset().variant(accept);
            assert_eq!(
                (variant.encoding, variant.etag.as_str()),
                (encoding, etag),
                "{accept:?}"
            );
        }
    }

    #[test]
    fn the_shell_the_notes_and_compressed_names_are_not_files_for_clients() {
        for path in [
            "/index.html",
            "/shell.txt",
            "/stamp",
            "/icon.svg.br",
            "/",
            "",
            "/../Cargo.toml",
        ] {
            assert!(get(path).is_none(), "{path:?}");
        }
    }

    #[test]
    fn every_script_has_a_tag_a_type_and_both_encodings() {
        for path in Files::iter().filter(|path| path.ends_with(".js")) {
            let asset = get(&path).expect("the folder lists it");
            assert_eq!(asset.content_type, "text/javascript; charset=utf-8");
            assert!(asset.immutable && asset.etag.len() == 26, "{path}");
            assert!(asset.br.is_some() && asset.gzip.is_some(), "{path}");
        }
    }

    #[test]
    fn icons_may_change_under_their_name() {
        if crate::built() {
            assert!(!get("/icon.svg").expect("the app has an icon").immutable);
        }
    }
}
